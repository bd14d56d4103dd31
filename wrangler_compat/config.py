"""One worker as its configuration describes it, before any other file is looked at. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from edgeworker.bindings import AtomicBinding, KVBinding, ServiceBinding, UnsupportedBinding
from edgeworker.bindings.atomic.binding import ATOMIC_SERVICE
from edgeworker.config import DEFAULT_CPU_MS, JSON, AccessDev, Assets, Binding, Namespace
from edgeworker.errors import ConfigError
from edgeworker.routing import parse_pattern
from edgeworker.schema.diagnostics import Diagnostics, KeyPath, SourceLocation
from edgeworker.schema.wrangler_checks import as_table
from wrangler_compat.assets import assets_binding, parse_assets
from wrangler_compat.compatibility_flags import KNOWN_FLAGS
from wrangler_compat.document import Document
from wrangler_compat.environments import ResolvedEnvironment
from wrangler_compat.field_checks import is_route
from wrangler_compat.fields import BY_NAME, FIELDS
from wrangler_compat.ids import made_up
from wrangler_compat.more_bindings import OWN_FIELDS, more_bindings
from wrangler_compat.unique_names import binding_names
from wrangler_compat.variables import as_json

NEWEST_DATE: Final = "2026-11-17"  # what wrangler 4.164 uses where none is configured
_OWN_MAKERS: Final = ("kv_namespaces", "services", "vars", "secrets", "version_metadata", "assets", *OWN_FIELDS)


@dataclass(frozen=True, slots=True)
class WrittenRoute:
    """A route as it was written; which zone it belongs to is seen when all workers are known."""

    pattern: str
    custom_domain: bool
    zone_name: str | None
    zone_id: str | None
    location: SourceLocation


@dataclass(frozen=True, slots=True)
class ParsedWorker:
    """`main` is what was written, None if nothing was. `bindings` are all but the texts, which need `.dev.vars`.

    `build_main` tells that `main` comes from another key than `main`, namely that of `main_location`.
    """

    name: str
    document: Document
    env: str | None
    main: str | None
    main_location: SourceLocation
    variables: Mapping[str, object] = field(repr=False)
    required_secrets: tuple[str, ...] | None
    bindings: tuple[Binding, ...]
    version_binding: str | None
    namespaces: tuple[Namespace, ...]
    routes: tuple[WrittenRoute, ...]
    account_id: str | None
    zone_id: str | None
    workers_dev: bool
    compatibility_date: str | None
    compatibility_flags: tuple[str, ...]
    crons: tuple[str, ...]
    cpu_ms: int
    host: str | None
    port: int | None
    assets: Assets | None
    access_dev: AccessDev | None


def parse_worker(environment: ResolvedEnvironment, diagnostics: Diagnostics, *, preview: bool = False) -> ParsedWorker:
    """What `environment` means, with our own warnings on top of wrangler's.

    `preview` takes a KV namespace's `preview_id` where there is one.
    """
    reader = _Reader(environment, diagnostics)
    routes = tuple(_routes(reader))
    main, main_location = _main(reader)
    bindings, namespaces = _bindings(reader, preview=preview)
    host, port = _socket(reader)
    _support(reader)
    triggers = reader.table("triggers")
    version = reader.table("version_metadata").get("binding")
    workers_dev = reader.value("workers_dev")
    date, flags = _compatibility_date(reader), _compatibility_flags(reader, main)
    assets = reader.table("assets")
    folder = environment.document.file.parent
    return ParsedWorker(
        name=environment.name,
        document=environment.document,
        env=environment.env,
        main=main,
        main_location=main_location,
        variables=reader.table("vars"),
        required_secrets=_required_secrets(reader),
        bindings=(*bindings, *assets_binding(assets)),
        version_binding=version if isinstance(version, str) else None,
        namespaces=namespaces,
        routes=routes,
        account_id=reader.text("account_id"),
        zone_id=reader.text("zone_id"),
        workers_dev=workers_dev if isinstance(workers_dev, bool) else not routes,
        compatibility_date=date,
        compatibility_flags=flags,
        crons=tuple(_texts(triggers.get("crons"))),
        cpu_ms=_cpu_ms(reader),
        host=host,
        port=port,
        assets=parse_assets(
            as_table(reader.value("assets")), folder, reader.locate, diagnostics, date=date, flags=flags
        ),
        access_dev=_access_dev(reader),
    )


def _access_dev(reader: "_Reader") -> AccessDev | None:
    dev = as_table(reader.table("access").get("dev")) or {}
    aud, identity = dev.get("aud"), as_table(dev.get("identity"))
    if not isinstance(aud, str):
        return None
    return AccessDev(aud, None if identity is None else {name: as_json(value) for name, value in identity.items()})


def _cpu_ms(reader: "_Reader") -> int:
    given = reader.table("limits").get("cpu_ms")
    return (
        int(given) if isinstance(given, int | float) and not isinstance(given, bool) and given > 0 else DEFAULT_CPU_MS
    )


class _Reader:
    """Values by name; a value of a wrong type, of which an error tells already, reads as if it were not there."""

    def __init__(self, environment: ResolvedEnvironment, diagnostics: Diagnostics) -> None:
        self.environment = environment
        self.diagnostics = diagnostics

    def value(self, name: str) -> object:
        return self.environment.values.get(name)

    def text(self, name: str) -> str | None:
        value = self.value(name)
        return value if isinstance(value, str) and value else None

    def table(self, name: str) -> Mapping[str, object]:
        return as_table(self.value(name)) or {}

    def items(self, name: str) -> Iterator[tuple[int, Mapping[str, object]]]:
        value = self.value(name)
        for index, item in enumerate(value if isinstance(value, list) else []):
            if (values := as_table(item)) is not None:
                yield index, values

    def locate(self, name: str, *inner: str | int) -> SourceLocation:
        where: KeyPath = (*self.environment.where.get(name, (name,)), *inner)
        return self.environment.document.locate(where)


def _texts(value: object) -> Iterator[str]:
    return (item for item in (value if isinstance(value, list) else []) if isinstance(item, str))


def _required_secrets(reader: _Reader) -> tuple[str, ...] | None:
    if "secrets" not in reader.environment.values:
        return None
    return tuple(_texts(reader.table("secrets").get("required")))


def _routes(reader: _Reader) -> Iterator[WrittenRoute]:
    several = reader.value("routes")
    if isinstance(several, list):
        written = [(item, reader.locate("routes", index)) for index, item in enumerate(several)]
    else:
        written = [(reader.value("route"), reader.locate("route"))]
    for item, location in written:
        if item is None or not is_route(item):
            continue
        values = as_table(item) or {"pattern": item}
        zone_name, zone_id = values.get("zone_name"), values.get("zone_id")
        route = WrittenRoute(
            pattern=str(values["pattern"]),
            custom_domain=values.get("custom_domain") is True,
            zone_name=zone_name if isinstance(zone_name, str) and zone_name else None,
            zone_id=zone_id if isinstance(zone_id, str) and zone_id else None,
            location=location,
        )
        if _is_possible(route, reader.diagnostics):
            yield route


def _is_possible(route: WrittenRoute, diagnostics: Diagnostics) -> bool:
    if not route.custom_domain:
        try:
            parse_pattern(route.pattern)
        except ConfigError as error:
            diagnostics.error(str(error), route.location)
            return False
        return True
    reasons = [
        reason
        for character, reason in (
            ("*", "Wildcard operators (*) are not allowed in Custom Domains"),
            ("/", "Paths are not allowed in Custom Domains"),
        )
        if character in route.pattern
    ]
    if reasons:
        listed = "\n".join(reasons)
        diagnostics.error(f"Invalid Routes:\n{route.pattern}:\n{listed}", route.location)
    return not reasons


def _main(reader: _Reader) -> tuple[str | None, SourceLocation]:
    """The script's file as it was written: `main`, or one of the two older keys for it."""
    main = reader.text("main")
    site = reader.table("site")
    entry_point = site.get("entry-point")
    if main is not None:
        if isinstance(entry_point, str):
            reader.diagnostics.error(
                "Don't define both the `main` and `site.entry-point` fields in your configuration.\n"
                "They serve the same purpose: to point to the entry-point of your worker.\n"
                "Delete the deprecated `site.entry-point` field from your config.",
                reader.locate("site", "entry-point"),
            )
        return main, reader.locate("main")
    if site:
        return str(entry_point or "workers-site/index.js"), reader.locate("site")
    upload = as_table(reader.table("build").get("upload")) or {}
    upload_main = upload.get("main")
    if isinstance(upload_main, str):
        folder = upload.get("dir", "dist")
        location = reader.locate("build", "upload", "main")
        reader.diagnostics.warning(
            'Deprecation: "build.upload":\nFrom wrangler 1. "build.upload.main" is used, because there is no "main": '
            'write "main".',
            location,
        )
        return f"{folder}/{upload_main}", location
    return None, SourceLocation(reader.environment.document.name, None, "main")


def _bindings(reader: _Reader, *, preview: bool) -> tuple[tuple[Binding, ...], tuple[Namespace, ...]]:
    bindings: list[Binding] = []
    namespaces: list[Namespace] = []
    worker = reader.environment.name
    for index, item in reader.items("kv_namespaces"):
        name = item.get("binding")
        if not isinstance(name, str):
            continue
        configured = (item.get("preview_id") if preview else None) or item.get("id")
        identifier = configured if isinstance(configured, str) else made_up("kv", worker, name)
        if "/" in identifier:
            reader.diagnostics.error(
                f'"kv_namespaces[{index}]" has the id "{identifier}", but an id must not contain "/".',
                reader.locate("kv_namespaces", index),
            )
        bindings.append(KVBinding(name, identifier))
        namespaces.append(Namespace(identifier, f"{worker}-{name.lower()}"))
    bindings += _services(reader)
    bindings += more_bindings(reader.items)
    for row in FIELDS:
        if row.binds is not None and row.name not in _OWN_MAKERS and row.name in reader.environment.values:
            bindings += [UnsupportedBinding(name, row.binds) for name in _unsupported_names(reader, row.name)]
    return tuple(bindings), tuple(namespaces)


def _services(reader: _Reader) -> Iterator[ServiceBinding | AtomicBinding]:
    for _, item in reader.items("services"):
        name, service, entrypoint = item.get("binding"), item.get("service"), item.get("entrypoint")
        if isinstance(name, str) and isinstance(service, str):
            props: dict[str, JSON] = {key: as_json(value) for key, value in (as_table(item.get("props")) or {}).items()}
            if service == ATOMIC_SERVICE:
                yield AtomicBinding(name, str(props.get("space", "")))
                continue
            yield ServiceBinding(name, service, entrypoint if isinstance(entrypoint, str) else None, props)


def _unsupported_names(reader: _Reader, name: str) -> list[str]:
    value = reader.value(name)
    table = as_table(value) or {}
    match name:
        case "queues":
            return binding_names(table.get("producers"))
        case "send_email":
            return [str(item["name"]) for _, item in reader.items(name) if isinstance(item.get("name"), str)]
        case "unsafe" | "durable_objects" | "logfwdr":
            return binding_names(value) if "bindings" in table else []
        case _:
            return binding_names(value)


def _socket(reader: _Reader) -> tuple[str | None, int | None]:
    dev = reader.table("dev")
    host, port = dev.get("ip"), dev.get("port")
    if isinstance(port, bool) or not isinstance(port, int):
        port = None
    elif not 0 <= port <= 65535:
        reader.diagnostics.error(
            f'Expected "dev.port" to be a port from 0 (any free one) to 65535 but got {port}.',
            reader.locate("dev", "port"),
        )
        port = None
    if dev.get("local_protocol") == "https":
        reader.diagnostics.warning(
            '"dev.local_protocol" is "https", but edgeworker does not speak TLS yet: it listens for http.',
            reader.locate("dev", "local_protocol"),
        )
    host = {"*": "0.0.0.0"}.get(host, host) if isinstance(host, str) and host else None
    return host, port


def _compatibility_date(reader: _Reader) -> str | None:
    value = reader.text("compatibility_date")
    if "compatibility_date" not in reader.environment.values:
        reader.diagnostics.warning(
            f"No compatibility_date was specified. Using the default compatibility date: {NEWEST_DATE}.\n"
            f'Add one to your {reader.environment.document.file.name} file: compatibility_date = "{NEWEST_DATE}".',
            reader.locate("name"),
        )
        return NEWEST_DATE
    return value


def _compatibility_flags(reader: _Reader, main: str | None) -> tuple[str, ...]:
    flags = tuple(_texts(reader.value("compatibility_flags")))
    for index, flag in enumerate(flags):
        if flag not in KNOWN_FLAGS:
            reader.diagnostics.warning(
                f"No such compatibility flag: {flag}. Cloudflare refuses it when the worker is deployed.",
                reader.locate("compatibility_flags", index),
            )
    if main is not None and main.endswith(".py") and "python_workers" not in flags:
        reader.diagnostics.warning(
            "The `python_workers` compatibility flag is required to use Python.\n"
            'It runs here without, but deploying would fail: add compatibility_flags = ["python_workers"].',
            reader.locate("main"),
        )
    return flags


def _support(reader: _Reader) -> None:
    """Says of every field that is used here without effect that it has none."""
    for name in reader.environment.values:
        row = BY_NAME.get(name)
        if row is None or name in ("$schema", "triggers"):
            continue
        text = f'"{name}" has no effect here' + (f": {row.note}." if row.note else ".")
        if row.binds is not None:
            text = f'"{name}" is not emulated: {row.note}.'
        match row.support:
            case "WARN" if name != "build" or "command" in reader.table("build"):
                reader.diagnostics.warning(text, reader.locate(name))
            case "FAIL":
                reader.diagnostics.error(
                    "It looks like you've run a Workers-specific command in a Pages project.\n"
                    f'edgeworker runs Workers only: remove "{name}" and add "main".',
                    reader.locate(name),
                )
            case "NOTE":
                reader.diagnostics.info(text, reader.locate(name))
            case _:
                pass
