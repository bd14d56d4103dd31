"""One worker as its configuration describes it, before any other file is looked at. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from edgeworker.bindings import KINDS
from edgeworker.bindings.assets.wrangler import parse_assets
from edgeworker.config import Assets, Binding
from edgeworker.errors import ConfigError
from edgeworker.javascript.build import Build
from edgeworker.routing import parse_pattern
from edgeworker.schema.diagnostics import Diagnostics, SourceLocation
from edgeworker.schema.worker_fields import WorkerFields
from edgeworker.schema.wrangler_checks import as_table
from edgeworker.suggestions import did_you_mean
from wrangler_compat.compatibility_flags import KNOWN_FLAGS
from wrangler_compat.document import ConfigFile
from wrangler_compat.environments import ResolvedEnvironment
from wrangler_compat.field_checks import is_route
from wrangler_compat.fields import BY_NAME
from wrangler_compat.worker_table import WorkerTable

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
    """`main` is what was written, None if nothing was; `main_location` is the key of it, `main` or an older one.

    `bindings` are all but the texts, which need `.dev.vars`.
    """

    name: str
    document: ConfigFile
    settings: WorkerTable
    main: str | None
    main_location: SourceLocation
    variables: Mapping[str, object] = field(repr=False)
    required_secrets: tuple[str, ...] | None
    bindings: tuple[Binding, ...]
    version_binding: str | None
    routes: tuple[WrittenRoute, ...]
    zone_id: str | None
    workers_dev: bool
    compatibility_date: str | None
    javascript: Build
    host: str | None
    port: int | None
    assets: Assets | None


def parse_worker(environment: ResolvedEnvironment, diagnostics: Diagnostics, *, preview: bool = False) -> ParsedWorker:
    """What `environment` means, with our own warnings on top of wrangler's.

    `preview` takes a KV namespace's `preview_id` where there is one.
    """
    reader = WorkerFields(
        environment.name, environment.values, environment.where, environment.document, diagnostics, preview
    )
    settings = reader.settings(WorkerTable)
    routes = tuple(_routes(reader))
    main, main_location = _main(settings, reader)
    host, port = _socket(settings, reader)
    _support(reader)
    _find_misplaced(reader)
    version = reader.table("version_metadata").get("binding")
    date = _compatibility_date(settings, reader)
    _check_flags(settings.compatibility_flags, main, reader)
    return ParsedWorker(
        name=environment.name,
        document=environment.document,
        settings=settings,
        main=main,
        main_location=main_location,
        variables=reader.table("vars"),
        required_secrets=_required_secrets(reader),
        bindings=tuple(binding for kind in KINDS for binding in kind.read(reader)),
        version_binding=version if isinstance(version, str) else None,
        routes=routes,
        zone_id=reader.text("zone_id"),
        workers_dev=settings.workers_dev if settings.workers_dev is not None else not routes,
        compatibility_date=date,
        host=host,
        port=port,
        assets=parse_assets(reader, date=date, flags=settings.compatibility_flags),
        javascript=reader.settings(Build, root=reader.folder),
    )


# Of the top level. In TOML what stands below [vars] belongs to it, so that one of these is a variable there.
_OF_THE_TOP: Final = (
    "main",
    "compatibility_date",
    "compatibility_flags",
    "workers_dev",
    "account_id",
    "routes",
    "route",
)


def _find_misplaced(reader: WorkerFields) -> None:
    is_toml = reader.document.name.endswith(".toml")
    for name in _OF_THE_TOP:
        if is_toml and name in reader.table("vars") and name not in reader.values:
            reader.diagnostics.warning(
                f'"{name}" stands below [vars], so it is a variable of the script and sets nothing. Write it above the '
                "first line with brackets.",
                reader.locate("vars", name),
            )


def _required_secrets(reader: WorkerFields) -> tuple[str, ...] | None:
    if "secrets" not in reader.values:
        return None
    required = reader.table("secrets").get("required")
    return tuple(name for name in (required if isinstance(required, list) else []) if isinstance(name, str))


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


def _main(settings: WorkerTable, reader: WorkerFields) -> tuple[str | None, SourceLocation]:
    """The script's file as it was written: `main`, or one of the two older keys for it."""
    site = settings.site or {}
    entry_point = site.get("entry-point")
    if settings.main is not None:
        if isinstance(entry_point, str):
            reader.diagnostics.error(
                "Don't define both the `main` and `site.entry-point` fields in your configuration.\n"
                "They serve the same purpose: to point to the entry-point of your worker.\n"
                "Delete the deprecated `site.entry-point` field from your config.",
                reader.locate("site", "entry-point"),
            )
        return settings.main, reader.locate("main")
    if site:
        return str(entry_point or "workers-site/index.js"), reader.locate("site")
    upload = as_table((settings.build or {}).get("upload")) or {}
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


def _socket(settings: WorkerTable, reader: WorkerFields) -> tuple[str | None, int | None]:
    host, port = settings.dev.ip, settings.dev.port
    if port is not None and not 0 <= port <= 65535:
        reader.diagnostics.error(
            f'Expected "dev.port" to be a port from 0 (any free one) to 65535 but got {port}.',
            reader.locate("dev", "port"),
        )
        port = None
    return "0.0.0.0" if host == "*" else host, port


def _compatibility_date(settings: WorkerTable, reader: WorkerFields) -> str | None:
    if "compatibility_date" not in reader.values:
        reader.diagnostics.warning(
            f"No compatibility_date was specified. Using the default compatibility date: {NEWEST_DATE}.\n"
            f'Add one to your {reader.document.file.name} file: compatibility_date = "{NEWEST_DATE}".',
            reader.locate("name"),
        )
        return NEWEST_DATE
    return settings.compatibility_date


def _check_flags(flags: tuple[str, ...], main: str | None, reader: WorkerFields) -> None:
    for index, flag in enumerate(flags):
        if flag not in KNOWN_FLAGS:
            reader.diagnostics.warning(
                f"No such compatibility flag: {flag}. Cloudflare refuses it when the worker is deployed."
                f"{did_you_mean(flag, KNOWN_FLAGS)}",
                reader.locate("compatibility_flags", index),
            )
    if main is not None and main.endswith(".py") and "python_workers" not in flags:
        reader.diagnostics.warning(
            "The `python_workers` compatibility flag is required to use Python.\n"
            'It runs here without, but deploying would fail: add compatibility_flags = ["python_workers"].',
            reader.locate("main"),
        )


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
