"""edge.toml: what Cloudflare's dashboard holds, and what is only local. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from edgeworker.config import (
    CF,
    DEFAULT_SUBDOMAIN,
    TLS,
    USUAL_ORIGIN_TLS,
    KVSettings,
    Limits,
    Namespace,
    OriginTLS,
    Outbound,
    Route,
    Socket,
    Zone,
)
from edgeworker.errors import ConfigError
from edgeworker.routing import canonical_host, parse_pattern
from edgeworker.schema.diagnostics import Diagnostics, KeyPath, SourceLocation, dotted
from edgeworker.schema.wrangler_checks import as_table, shown, without_passwords
from wrangler_compat.cross_checks import LocatedRoute
from wrangler_compat.document import Document
from wrangler_compat.edge_fields import BY_SECTION, SECTIONS, Section, split_address
from wrangler_compat.edge_tls import origin_faults, read_origin_tls, read_tls, tls_faults
from wrangler_compat.ids import made_up
from wrangler_compat.variables import as_json

_KV: Final = KVSettings()
_OUTBOUND: Final = Outbound()
_LIMITS: Final = Limits()
_CF: Final = CF()
_TLS: Final = TLS()


@dataclass(frozen=True, slots=True)
class WorkerEntry:
    """One of `[[workers]]`; `config` is relative to the folder of edge.toml."""

    config: str
    location: SourceLocation
    env: str | None = None
    default_script: bool = False


@dataclass(frozen=True, slots=True)
class EdgeFile:
    """What edge.toml says; without one, the defaults. A socket is None where it says nothing."""

    zones: tuple[Zone, ...] = ()
    routes_without_worker: tuple[LocatedRoute, ...] = ()
    workers: tuple[WorkerEntry, ...] = ()
    namespaces: tuple[Namespace, ...] = ()
    account_id: str | None = None
    default_worker: str | None = None
    origin: str | None = None
    origin_tls: OriginTLS = USUAL_ORIGIN_TLS
    normalize_to_origin: bool = True
    workers_dev_subdomain: str = DEFAULT_SUBDOMAIN
    edge_socket: Socket | None = None
    api_socket: Socket | None = None
    https_socket: Socket | None = None
    api_https_socket: Socket | None = None
    redirect_socket: Socket | None = None
    tls: TLS = _TLS
    trusted_proxies: tuple[str, ...] = ()
    proxy_protocol: bool = False
    api_hosts: tuple[str, ...] = ()
    relaxed_expiration: bool = False
    kv: KVSettings = _KV
    outbound: Outbound = _OUTBOUND
    limits: Limits = _LIMITS
    cf: CF = _CF
    locations: Mapping[str, SourceLocation] = field(default_factory=dict)  # of the keys at the top


_NONE: Final[Mapping[str, object]] = {}


def read_edge(document: Document, diagnostics: Diagnostics) -> EdgeFile:
    """Every value that is of its kind; for every other one, and for every unknown key, an error is told."""
    reader = _Reader(document, diagnostics)
    top = reader.one("")
    sockets = reader.one("sockets")
    api = reader.one("api")
    folder = document.file.parent
    tls = reader.one("tls")
    certificates = [(where, document.source(where), values) for where, values in reader.many("tls.certificates")]
    reader.faults(tls_faults(tls))
    reader.faults(origin_faults(top, (), [top.get("origin")]))
    if sockets.get("proxy_protocol") is True and "https" in sockets:
        reader.error(
            ("sockets", "https"), '"sockets.https" cannot speak the PROXY protocol yet: leave one of them out.'
        )
    if "redirect" in sockets and "https" not in sockets:
        reader.error(
            ("sockets", "redirect"), '"sockets.redirect" leads to "sockets.https", which is not there: add it.'
        )
    zones = list(_zones(reader))
    return EdgeFile(
        zones=tuple(zone for zone, _ in zones),
        routes_without_worker=tuple(route for _, routes in zones for route in routes),
        workers=tuple(_workers(reader)),
        namespaces=tuple(_namespaces(reader)),
        account_id=_text(top, "account_id"),
        default_worker=_text(top, "default_worker"),
        origin=_text(top, "origin"),
        origin_tls=read_origin_tls(top, folder),
        normalize_to_origin=_normalizes(reader, (), top),
        workers_dev_subdomain=_text(top, "workers_dev_subdomain") or DEFAULT_SUBDOMAIN,
        edge_socket=_socket(sockets, "edge"),
        api_socket=_socket(sockets, "api"),
        https_socket=_socket(sockets, "https"),
        api_https_socket=_socket(api, "https"),
        redirect_socket=_socket(sockets, "redirect"),
        tls=read_tls(tls, certificates, folder),
        trusted_proxies=_texts(sockets, "trusted_proxies"),
        proxy_protocol=sockets.get("proxy_protocol") is True,
        api_hosts=_texts(api, "hosts"),
        relaxed_expiration=api.get("relaxed_expiration") is True,
        kv=_kv(reader.one("kv")),
        outbound=_outbound(reader.one("outbound"), folder),
        limits=_limits(reader.one("limits")),
        cf=_cf(reader.one("cf")),
        locations={name: document.locate((name,)) for name in top},
    )


class _Reader:
    def __init__(self, document: Document, diagnostics: Diagnostics) -> None:
        self.document = document
        self._diagnostics = diagnostics

    def one(self, name: str) -> Mapping[str, object]:
        """The good values of a section that is one table."""
        where: KeyPath = tuple(name.split(".")) if name else ()
        value = self._find(where)
        return _NONE if value is None else self._table(BY_SECTION[name], where, value)

    def many(self, name: str) -> Iterator[tuple[KeyPath, Mapping[str, object]]]:
        """The good values of each table of a section that is an array of tables."""
        where: KeyPath = tuple(name.split("."))
        value = self._find(where)
        if value is None:
            return
        if not isinstance(value, list):
            self.error(where, f'"{name}" must be an array of tables: write [[{name}]], not [{name}].')
            return
        for index, item in enumerate(value):
            yield (*where, index), self._table(BY_SECTION[name], (*where, index), item)

    def _find(self, where: KeyPath) -> object:
        value: object = self.document.values
        for part in where:
            values = as_table(value)
            value = values.get(str(part)) if values is not None else None
        return value

    def _table(self, section: Section, where: KeyPath, value: object) -> Mapping[str, object]:
        values = as_table(value)
        if values is None:
            self.error(where, f'"{dotted(where)}" must be a table, not {shown(value)}: write [{section.name}].')
            return _NONE
        known = {key.name: key for key in section.keys}
        inner = [other.name.removeprefix(f"{section.name}.") for other in SECTIONS if _is_inside(other, section)]
        found: dict[str, object] = {}
        for name, item in values.items():
            at = (*where, name)
            if name in inner:
                continue
            if name not in known:
                self.error(at, f'"{dotted(at)}" is not a key of edge.toml.{_guess(name, [*known, *inner])}')
            elif not known[name].kind.fits(item):
                self.error(
                    at, f'"{dotted(at)}" must be {known[name].kind.expected}, not {without_passwords(shown(item))}.'
                )
            else:
                found[name] = item
        for key in section.keys:
            if key.required and key.name not in values:
                self.error(where, f'"{dotted(where)}" has no "{key.name}": it must be {key.kind.expected}.')
        return found

    def faults(self, found: Iterable[tuple[KeyPath, str]]) -> None:
        for where, text in found:
            self.error(where, text)

    def error(self, where: KeyPath, text: str) -> None:
        self._diagnostics.error(text, self.document.locate(where))

    def warning(self, where: KeyPath, text: str) -> None:
        self._diagnostics.warning(text, self.document.locate(where))


def _is_inside(section: Section, outer: Section) -> bool:
    if not outer.name:
        return bool(section.name) and "." not in section.name
    return section.name.startswith(f"{outer.name}.")


def _guess(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    if close:
        return f' Did you mean "{close[0]}"?'
    return f" There are: {', '.join(known)}."


def _text(values: Mapping[str, object], name: str) -> str | None:
    value = values.get(name)
    return value if isinstance(value, str) else None


def _texts(values: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = values.get(name)
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _socket(values: Mapping[str, object], name: str) -> Socket | None:
    address = split_address(_text(values, name) or "")
    return None if address is None else Socket(*address)


def _whole(values: Mapping[str, object], name: str, default: int) -> int:
    value = values.get(name)
    return value if isinstance(value, int) else default


def _seconds(values: Mapping[str, object], name: str, default: float) -> float:
    value = values.get(name)
    return float(value) if isinstance(value, (int, float)) else default


def _kv(values: Mapping[str, object]) -> KVSettings:
    return KVSettings(
        durability="full" if values.get("durability") == "full" else "normal",
        consistency="eventual" if values.get("consistency") == "eventual" else "strong",
        visibility_delay_seconds=_whole(values, "visibility_delay_seconds", _KV.visibility_delay_seconds),
        seed=_whole(values, "seed", _KV.seed),
    )


def _outbound(values: Mapping[str, object], folder: Path) -> Outbound:
    ca_file = _text(values, "ca_file")
    return Outbound(
        allow_private=_texts(values, "allow_private"),
        ca_file=None if ca_file is None else folder / ca_file,
        connect_timeout_seconds=_seconds(values, "connect_timeout_seconds", _OUTBOUND.connect_timeout_seconds),
        response_timeout_seconds=_seconds(values, "response_timeout_seconds", _OUTBOUND.response_timeout_seconds),
        max_subrequests=_whole(values, "max_subrequests", _OUTBOUND.max_subrequests),
    )


def _cf(values: Mapping[str, object]) -> CF:
    own = as_table(values.get("values")) or {}
    return CF({key: as_json(value) for key, value in own.items()}, _text(values, "override_header"))


def _limits(values: Mapping[str, object]) -> Limits:
    return Limits(
        request_line_bytes=_whole(values, "request_line_bytes", _LIMITS.request_line_bytes),
        header_bytes=_whole(values, "header_bytes", _LIMITS.header_bytes),
        headers=_whole(values, "headers", _LIMITS.headers),
        headers_bytes=_whole(values, "headers_bytes", _LIMITS.headers_bytes),
        body_bytes=_whole(values, "body_bytes", _LIMITS.body_bytes),
        tls_handshake_timeout_seconds=_seconds(
            values, "tls_handshake_timeout_seconds", _LIMITS.tls_handshake_timeout_seconds
        ),
        header_timeout_seconds=_seconds(values, "header_timeout_seconds", _LIMITS.header_timeout_seconds),
        body_grace_seconds=_seconds(values, "body_grace_seconds", _LIMITS.body_grace_seconds),
        body_bytes_per_second=_whole(values, "body_bytes_per_second", _LIMITS.body_bytes_per_second),
        write_timeout_seconds=_seconds(values, "write_timeout_seconds", _LIMITS.write_timeout_seconds),
        keepalive_timeout_seconds=_seconds(values, "keepalive_timeout_seconds", _LIMITS.keepalive_timeout_seconds),
        half_closed_seconds=_seconds(values, "half_closed_seconds", _LIMITS.half_closed_seconds),
        connections_per_address=_whole(values, "connections_per_address", _LIMITS.connections_per_address),
        drain_timeout_seconds=_seconds(values, "drain_timeout_seconds", _LIMITS.drain_timeout_seconds),
        script_seconds=_seconds(values, "script_seconds", 0.0) or None,
    )


def _zones(reader: _Reader) -> Iterator[tuple[Zone, list[LocatedRoute]]]:
    for where, values in reader.many("zones"):
        name = _text(values, "name")
        if name is None:
            continue
        origins = {host: str(url) for host, url in (as_table(values.get("origins")) or {}).items()}
        reader.faults(origin_faults(values, where, [values.get("origin"), *origins.values()]))
        zone = Zone(
            name,
            _text(values, "id") or made_up("zone", name.lower()),
            _text(values, "origin"),
            origins,
            reader.document.source(where),
            read_origin_tls(values, reader.document.file.parent),
            _normalizes(reader, where, values),
        )
        yield zone, list(_routes_without_worker(reader, where, name, values))


def _normalizes(reader: _Reader, where: KeyPath, values: Mapping[str, object]) -> bool:
    normalizes = values.get("normalize_to_origin") is not False
    if not normalizes:
        reader.warning(
            (*where, "normalize_to_origin"),
            '"normalize_to_origin" is false: the origin gets the path as the client wrote it ("/a/../b", "/%61dmin"), '
            "and may take it for another one than that which routes and workers decided on. Leave it out, unless the "
            "origin needs the path byte for byte.",
        )
    return normalizes


def _routes_without_worker(
    reader: _Reader, where: KeyPath, zone: str, values: Mapping[str, object]
) -> Iterator[LocatedRoute]:
    zone = canonical_host(zone)
    for pattern in _texts(values, "routes_without_worker"):
        key = (*where, "routes_without_worker")
        try:
            host = parse_pattern(pattern).host.removeprefix(".")
        except ConfigError as error:
            reader.error(key, str(error))
            continue
        if host and not f".{host}".endswith(f".{zone}"):
            reader.error(key, f'The pattern "{pattern}" is not of the zone "{zone}": its host must end in {zone}.')
            continue
        location = reader.document.locate(key)
        yield LocatedRoute(Route(pattern, None, zone, str(location)), location)


def _workers(reader: _Reader) -> Iterator[WorkerEntry]:
    for where, values in reader.many("workers"):
        config = _text(values, "config")
        if config is not None:
            location = reader.document.locate((*where, "config"))
            yield WorkerEntry(config, location, _text(values, "env"), values.get("default_script") is True)


def _namespaces(reader: _Reader) -> Iterator[Namespace]:
    ids: set[str] = set()
    titles: set[str] = set()
    for where, values in reader.many("kv.namespaces"):
        identifier, title = _text(values, "id"), _text(values, "title")
        if identifier is None or title is None:
            continue
        if identifier in ids:
            reader.error((*where, "id"), f'There are two namespaces with the id "{identifier}": remove one of them.')
        if title in titles:
            reader.error((*where, "title"), f'There are two namespaces with the title "{title}": rename one of them.')
        ids.add(identifier)
        titles.add(title)
        yield Namespace(identifier, title)
