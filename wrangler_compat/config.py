"""One worker as its configuration describes it, before any other file is looked at. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from edgeworker.bindings import KINDS
from edgeworker.bindings.assets.wrangler import parse_assets
from edgeworker.config import DEFAULT_CPU_MS, AccessDev, Assets, Binding
from edgeworker.errors import ConfigError
from edgeworker.javascript.project import Build
from edgeworker.routing import parse_pattern
from edgeworker.schema.diagnostics import Diagnostics, SourceLocation
from edgeworker.schema.json_value import as_json
from edgeworker.schema.worker_fields import WorkerFields
from edgeworker.schema.wrangler_checks import as_table
from wrangler_compat.compatibility_flags import KNOWN_FLAGS
from wrangler_compat.document import ConfigFile
from wrangler_compat.environments import ResolvedEnvironment
from wrangler_compat.field_checks import is_route
from wrangler_compat.fields import BY_NAME
from wrangler_compat.javascript_build import read_build

NEWEST_DATE: Final = "2026-11-17"  # what wrangler 4.164 uses where none is configured


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
    document: ConfigFile
    env: str | None
    main: str | None
    main_location: SourceLocation
    variables: Mapping[str, object] = field(repr=False)
    required_secrets: tuple[str, ...] | None
    bindings: tuple[Binding, ...]
    version_binding: str | None
    routes: tuple[WrittenRoute, ...]
    account_id: str | None
    zone_id: str | None
    workers_dev: bool
    compatibility_date: str | None
    compatibility_flags: tuple[str, ...]
    crons: tuple[str, ...]
    cpu_ms: int
    javascript: Build
    host: str | None
    port: int | None
    serves_https: bool
    assets: Assets | None
    access_dev: AccessDev | None


def parse_worker(environment: ResolvedEnvironment, diagnostics: Diagnostics, *, preview: bool = False) -> ParsedWorker:
    """What `environment` means, with our own warnings on top of wrangler's.

    `preview` takes a KV namespace's `preview_id` where there is one.
    """
    reader = WorkerFields(
        environment.name, environment.values, environment.where, environment.document, diagnostics, preview
    )
    routes = tuple(_routes(reader))
    main, main_location = _main(reader)
    host, port = _socket(reader)
    _support(reader)
    triggers = reader.table("triggers")
    version = reader.table("version_metadata").get("binding")
    workers_dev = reader.value("workers_dev")
    date, flags = _compatibility_date(reader), _compatibility_flags(reader, main)
    folder = environment.document.file.parent
    return ParsedWorker(
        name=environment.name,
        document=environment.document,
        env=environment.env,
        main=main,
        main_location=main_location,
        variables=reader.table("vars"),
        required_secrets=_required_secrets(reader),
        bindings=tuple(binding for kind in KINDS for binding in kind.read(reader)),
        version_binding=version if isinstance(version, str) else None,
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
        serves_https=reader.table("dev").get("local_protocol") == "https",
        assets=parse_assets(
            as_table(reader.value("assets")), folder, reader.locate, diagnostics, date=date, flags=flags
        ),
        access_dev=_access_dev(reader),
        javascript=read_build(reader, folder),
    )


def _access_dev(reader: WorkerFields) -> AccessDev | None:
    dev = as_table(reader.table("access").get("dev")) or {}
    aud, identity = dev.get("aud"), as_table(dev.get("identity"))
    if not isinstance(aud, str):
        return None
    return AccessDev(aud, None if identity is None else {name: as_json(value) for name, value in identity.items()})


def _cpu_ms(reader: WorkerFields) -> int:
    given = reader.table("limits").get("cpu_ms")
    return (
        int(given) if isinstance(given, int | float) and not isinstance(given, bool) and given > 0 else DEFAULT_CPU_MS
    )


def _texts(value: object) -> Iterator[str]:
    return (item for item in (value if isinstance(value, list) else []) if isinstance(item, str))


def _required_secrets(reader: WorkerFields) -> tuple[str, ...] | None:
    if "secrets" not in reader.values:
        return None
    return tuple(_texts(reader.table("secrets").get("required")))


def _routes(reader: WorkerFields) -> Iterator[WrittenRoute]:
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


def _main(reader: WorkerFields) -> tuple[str | None, SourceLocation]:
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
    return None, SourceLocation(reader.document.name, None, "main")


def _socket(reader: WorkerFields) -> tuple[str | None, int | None]:
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
    host = {"*": "0.0.0.0"}.get(host, host) if isinstance(host, str) and host else None
    return host, port


def _compatibility_date(reader: WorkerFields) -> str | None:
    value = reader.text("compatibility_date")
    if "compatibility_date" not in reader.values:
        reader.diagnostics.warning(
            f"No compatibility_date was specified. Using the default compatibility date: {NEWEST_DATE}.\n"
            f'Add one to your {reader.document.file.name} file: compatibility_date = "{NEWEST_DATE}".',
            reader.locate("name"),
        )
        return NEWEST_DATE
    return value


def _compatibility_flags(reader: WorkerFields, main: str | None) -> tuple[str, ...]:
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


def _support(reader: WorkerFields) -> None:
    """Says of every field that is used here without effect that it has none."""
    for name in reader.values:
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
