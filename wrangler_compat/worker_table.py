"""What a worker's file of wrangler says that has an effect here, one line a key. Pure.

Keys about bundling JavaScript are in edgeworker/javascript/build.py, those that put a name into `env` with their kind
of binding, and those that have no effect here in plain_fields.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Final, Literal

from edgeworker.config import DEFAULT_CPU_MS, AccessDev
from edgeworker.schema.wrangler_checks import (
    Member,
    as_table,
    compatibility_date,
    one_of,
    string_or_strings,
    strings,
    table,
    worker_name,
)
from edgeworker.schema.wrangler_shape import (
    BOOLEAN,
    NUMBER,
    TEXT,
    TEXTS,
    WHOLE,
    WranglerType,
    choice,
    member,
    setting,
    table_of,
)
from wrangler_compat.field_checks import route, routes, triggers


@dataclass(frozen=True, slots=True)
class DevTable:
    """[dev]"""

    ip: str | None = member(None, TEXT)
    port: int | None = member(None, WHOLE)
    local_protocol: Literal["http", "https"] = member("http", choice("http", "https"))


_DEV: Final = table_of(
    DevTable,
    Member("inspector_port", "number"),
    Member("inspector_ip"),
    Member("upstream_protocol", check=one_of("http", "https")),
    Member("host"),
    Member("enable_containers", "boolean"),
    Member("container_engine"),
    Member("generate_types", "boolean"),
)
_DEV_NOTE: Final = (
    "`ip`, `port` and `local_protocol` say where to listen, for https too; the rest has no effect: Host is never "
    "rewritten"
)


def _part(value: object, name: str) -> object:
    return (as_table(value) or {}).get(name)


def _read_crons(value: object, folder: Path) -> object | None:
    return TEXTS.read(_part(value, "crons"), folder)


def _read_cpu_ms(value: object, _folder: Path) -> int | None:
    written = _part(value, "cpu_ms")
    return int(written) if NUMBER.fits(written) and isinstance(written, int | float) and 0 < written < inf else None


def _read_table(value: object, _folder: Path) -> Mapping[str, object] | None:
    return as_table(value)


_NAME: Final = WranglerType(None, worker_name, TEXT.value)
_DATE: Final = WranglerType(None, compatibility_date, TEXT.value)
_SITE: Final = table(
    Member("bucket", required=True),
    Member("include", None, check=strings),
    Member("exclude", None, check=strings),
    Member("entry-point"),
)
_BUILD: Final = table(Member("command"), Member("cwd"), Member("watch_dir", None, check=string_or_strings))
_LIMITS: Final = table(Member("cpu_ms", "number"), Member("subrequests", "number"))
_LIMITS_NOTE: Final = (
    "`cpu_ms` is how long a script may keep the loop at a time (page 1102), 30000 without it; the number of "
    "subrequests is limited in edge.toml"
)
_DEV_ACCESS: Final = table_of(AccessDev)
_ACCESS: Final = table(Member("dev", "object", check=_DEV_ACCESS.check))


def _read_access_dev(value: object, folder: Path) -> object | None:
    return _DEV_ACCESS.read(_part(value, "dev"), folder)


@dataclass(frozen=True, slots=True)
class WorkerTable:
    """`workers_dev` None: true if there is no route. `site` and `build` are read for older keys of `main` in them."""

    dev: DevTable = setting(DevTable(), _DEV, "top level", "MAP", _DEV_NOTE)
    site: Mapping[str, object] | None = setting(
        None,
        WranglerType(None, _SITE, _read_table),
        "top level",
        "WARN",
        "Workers Sites is deprecated; files are not served",
    )
    name: str | None = setting(None, _NAME, "inherited", "USE", "default: `worker`")
    main: str | None = setting(
        None,
        TEXT,
        "inherited",
        "USE",
        "a Python, JavaScript or TypeScript file; without `main` the split-token script runs",
    )
    account_id: str | None = setting(None, TEXT, "inherited", "USE", "any text; made up where none is configured")
    compatibility_date: str | None = setting(
        None, _DATE, "inherited", "USE", "decides whether `on_fetch` is looked for"
    )
    compatibility_flags: tuple[str, ...] = setting(
        (), TEXTS, "inherited", "USE", "those for Python; unknown ones are warned about"
    )
    workers_dev: bool | None = setting(
        None,
        BOOLEAN,
        "inherited",
        "USE",
        "the host `<worker>.<subdomain>.workers.dev`; default: true if there is no route",
    )
    route: object = setting(None, WranglerType(None, route), "inherited", "USE")
    routes: object = setting(
        None,
        WranglerType(None, routes),
        "inherited",
        "USE",
        "`enabled` and `previews_enabled` of a custom domain have no effect",
    )
    crons: tuple[str, ...] = setting(
        (),
        WranglerType(None, triggers, _read_crons),
        "inherited",
        "USE",
        "`crons` fire with `dev --cron` or over the trigger URLs; `events` have no effect",
        name="triggers",
    )
    build: Mapping[str, object] | None = setting(
        None,
        WranglerType(None, _BUILD, _read_table),
        "inherited",
        "WARN",
        "no command is run: start it yourself",
    )
    cpu_ms: int = setting(
        DEFAULT_CPU_MS, WranglerType(None, _LIMITS, _read_cpu_ms), "inherited", "MAP", _LIMITS_NOTE, name="limits"
    )
    access_dev: AccessDev | None = setting(
        None,
        WranglerType(None, _ACCESS, _read_access_dev),
        "inherited",
        "USE",
        "`dev` is `ctx.access` of every request that no Access let in, under `edgeworker dev` and in tests only",
        name="access",
    )
