"""edge.toml: what Cloudflare's dashboard holds, and what is only local. Pure.

The dataclasses are the schema: each field says where it is written, what it may be and what it does. Reading, errors,
`config show` and COMPATIBILITY.md come from that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from edgeworker.config import (
    CF,
    DEFAULT_SUBDOMAIN,
    NORMALIZE_DOC,
    TLS,
    USUAL_ORIGIN_TLS,
    KVSettings,
    Limits,
    Namespace,
    OriginTLS,
    Outbound,
    ProductConfig,
    Route,
    Socket,
    Zone,
)
from edgeworker.errors import ConfigError
from edgeworker.javascript.settings import DEFAULT_SETTINGS, JavaScriptSettings
from edgeworker.routing import canonical_host, parse_pattern
from edgeworker.schema import fields as schema
from edgeworker.schema.diagnostics import Diagnostics, SourceLocation
from edgeworker.schema.ids import made_up
from edgeworker.schema.layout import Registry
from edgeworker.schema.table_reader import TableReader
from edgeworker.schema.value_types import (
    ADDRESS,
    ANY_TEXT,
    BASE_URL,
    BOOLEAN,
    HOSTS,
    ID,
    NETWORKS,
    TEXT,
    TEXTS,
    ValueType,
    split_address,
)
from edgeworker.schema.wrangler_checks import FieldContext
from wrangler_compat.cross_checks import LocatedRoute
from wrangler_compat.document import ConfigFile
from wrangler_compat.edge_tls import check_origin_tls
from wrangler_compat.product_tables import ACCOUNT_TABLES, ZONE_TABLES

_KV: Final = KVSettings()
_OUTBOUND: Final = Outbound()
_LIMITS: Final = Limits()
_CF: Final = CF()

_TLS: Final = TLS()
_SOCKET: Final = ValueType(
    ADDRESS.expected, ADDRESS.fits, lambda value, _folder: Socket(*(split_address(str(value)) or ()))
)


@dataclass(frozen=True, slots=True)
class DeclaredZone:
    """One of `[[zones]]`."""

    zone: Zone = field(metadata=schema.inline(Zone))
    routes_without_worker: tuple[str, ...] = schema.setting(
        (), TEXTS, "patterns that run no worker where they win: straight to the origin"
    )
    location: SourceLocation | None = field(default=None, metadata=schema.location("routes_without_worker"))

    def check_table(self, context: FieldContext, written: Mapping[str, object]) -> None:
        zone = self.zone
        balanced = (server.url for balancer in zone.load_balancers for server in balancer.origins)
        check_origin_tls(context, written, [zone.origin, *zone.origins.values(), *balanced])
        _warn_of_unnormalized_paths(context, normalizes=zone.normalize_to_origin)
        for pattern in self.routes_without_worker:
            mistake = self._find_mistake(pattern)
            if mistake is not None:
                context.key("routes_without_worker").error(mistake)

    def routes(self) -> tuple[LocatedRoute, ...]:
        """The routes that run no worker, without those of which an error tells."""
        zone, location = canonical_host(self.zone.name), self.location or SourceLocation("edge.toml")
        return tuple(
            LocatedRoute(Route(pattern, None, zone, str(location)), location)
            for pattern in self.routes_without_worker
            if self._find_mistake(pattern) is None
        )

    def _find_mistake(self, pattern: str) -> str | None:
        zone = canonical_host(self.zone.name)
        try:
            host = parse_pattern(pattern).host.removeprefix(".")
        except ConfigError as error:
            return str(error)
        if host and not f".{host}".endswith(f".{zone}"):
            return f'The pattern "{pattern}" is not of the zone "{zone}": its host must end in {zone}.'
        return None


@dataclass(frozen=True, slots=True)
class WorkerEntry:
    """One of `[[workers]]`; `config` is relative to the folder of edge.toml."""

    config: str = field(metadata=schema.key(TEXT, "the worker's wrangler.toml, .json or .jsonc"))
    env: str | None = schema.setting(None, ANY_TEXT, "its environment; default: that of `--env`")
    default_script: bool = schema.setting(False, BOOLEAN, "run the split-token script in place of a JavaScript `main`")
    location: SourceLocation = field(default=SourceLocation("edge.toml"), metadata=schema.location("config"))


@dataclass(frozen=True, slots=True)
class PythonSettings:
    """How Python workers run."""

    lenient: bool = schema.setting(
        False, BOOLEAN, "what works here and fails on Cloudflare is warned of, and not refused"
    )


_PYTHON: Final = PythonSettings()


@dataclass(frozen=True, slots=True)
class EdgeFile:
    """What edge.toml says; without one, the defaults. A socket is None if the file has none.

    `locations` are those of the keys at the top.
    """

    account_id: str | None = schema.setting(
        None, ID, "the account of the REST API; default: that of the workers, else one is made up"
    )
    default_worker: str | None = schema.setting(
        None, TEXT, "answers localhost and loopback addresses; default: the first worker"
    )
    origin: str | None = schema.setting(None, BASE_URL, "the server behind every host that has no other")
    workers_dev_subdomain: str = schema.setting(
        DEFAULT_SUBDOMAIN, TEXT, "the middle of `<worker>.<subdomain>.workers.dev`"
    )
    origin_tls: OriginTLS = field(default=USUAL_ORIGIN_TLS, metadata=schema.inline(OriginTLS))
    normalize_to_origin: bool = schema.setting(True, BOOLEAN, f"{NORMALIZE_DOC}; for every zone")
    declared_zones: tuple[DeclaredZone, ...] = field(
        default=(), metadata=schema.tables(DeclaredZone, "domains, as in Cloudflare's dashboard", path="zones")
    )
    workers: tuple[WorkerEntry, ...] = field(
        default=(),
        metadata=schema.tables(WorkerEntry, "the wrangler file of each worker; paths start at the folder of edge.toml"),
    )
    edge_socket: Socket | None = schema.setting(None, _SOCKET, "default: `127.0.0.1:8787`", path="sockets.edge")
    api_socket: Socket | None = schema.setting(
        None, _SOCKET, "the REST API; default: `127.0.0.1:8788`", path="sockets.api"
    )
    https_socket: Socket | None = schema.setting(
        None, _SOCKET, "the edge over TLS; default: none, with `dev --https` `127.0.0.1:8443`", path="sockets.https"
    )
    redirect_socket: Socket | None = schema.setting(
        None, _SOCKET, "answers http with a redirect to `https`", path="sockets.redirect"
    )
    trusted_proxies: tuple[str, ...] = schema.setting(
        (), NETWORKS, "whose X-Forwarded-For and X-Forwarded-Proto the edge believes", path="sockets.trusted_proxies"
    )
    proxy_protocol: bool = schema.setting(
        False, BOOLEAN, "each connection to the edge begins with a PROXY header", path="sockets.proxy_protocol"
    )
    api_hosts: tuple[str, ...] = schema.setting(
        (), HOSTS, "names, beyond addresses and localhost, under which it may be called", path="api.hosts"
    )
    cloudflare_api_for_workers: bool = schema.setting(
        False, BOOLEAN, "what workers fetch of https://api.cloudflare.com reaches this API", path="api.for_workers"
    )
    relaxed_expiration: bool = schema.setting(
        False,
        BOOLEAN,
        "an entry that ends in less than 60 s is kept for 60 s, not refused",
        path="api.relaxed_expiration",
    )
    management_socket: Socket | None = schema.setting(
        None, _SOCKET, "health and metrics of `serve`: /healthz, /readyz, /metrics, /status", path="sockets.management"
    )
    api_https_socket: Socket | None = schema.setting(
        None, _SOCKET, "the REST API over TLS, besides `sockets.api`", path="api.https"
    )
    tls: TLS = field(
        default=_TLS,
        metadata=schema.table(
            TLS, "how https is served; without certificates with those of the local authority (`edgeworker tls init`)"
        ),
    )
    kv: KVSettings = field(default=_KV, metadata=schema.table(KVSettings, "KV namespaces and how they are kept"))
    namespaces: tuple[Namespace, ...] = field(
        default=(),
        metadata=schema.tables(Namespace, "namespaces with titles, also such as no worker binds", path="kv.namespaces"),
    )
    outbound: Outbound = field(default=_OUTBOUND, metadata=schema.table(Outbound, "what scripts may fetch"))
    javascript: JavaScriptSettings = field(
        default=DEFAULT_SETTINGS,
        metadata=schema.table(JavaScriptSettings, "what runs JavaScript and TypeScript workers"),
    )
    python: PythonSettings = field(default=_PYTHON, metadata=schema.table(PythonSettings, "how Python workers run"))
    cf: CF = field(default=_CF, metadata=schema.table(CF, "what scripts find as `request.cf`"))
    limits: Limits = field(
        default=_LIMITS, metadata=schema.table(Limits, "what the sockets accept, and how long a script may take")
    )
    products: tuple[ProductConfig, ...] = field(default=(), metadata=schema.extensions())
    locations: Mapping[str, SourceLocation] = field(default_factory=dict)

    @property
    def zones(self) -> tuple[Zone, ...]:
        zones = (declared.zone for declared in self.declared_zones)
        return tuple(replace(zone, id=zone.id or made_up("zone", zone.name.lower())) for zone in zones)

    @property
    def routes_without_worker(self) -> tuple[LocatedRoute, ...]:
        return tuple(route for declared in self.declared_zones for route in declared.routes())

    def check_table(self, context: FieldContext, written: Mapping[str, object]) -> None:
        check_origin_tls(context, written, [self.origin])
        _warn_of_unnormalized_paths(context, normalizes=self.normalize_to_origin)
        sockets = context.key("sockets")
        if self.proxy_protocol and self.https_socket is not None:
            sockets.key("https").error('"sockets.https" cannot speak the PROXY protocol yet: leave one of them out.')
        if self.tls.acme is not None and self.redirect_socket is None:
            context.key("tls").key("acme").error(
                '"tls.acme" is proved over http: add "sockets.redirect", and let the internet reach it on port 80.'
            )
        if self.redirect_socket is not None and self.https_socket is None:
            sockets.key("redirect").error('"sockets.redirect" leads to "sockets.https", which is not there: add it.')
        _check_namespaces(context.key("kv").key("namespaces"), self.namespaces)


REGISTRY: Final[Registry] = {Zone: ZONE_TABLES, EdgeFile: ACCOUNT_TABLES}


def read_edge(document: ConfigFile, diagnostics: Diagnostics) -> EdgeFile:
    """Every value that is of its type; for every other one, and for every unknown key, an error is reported."""
    reader = TableReader(document.file.parent, "edge.toml", REGISTRY)
    edge = reader.read(EdgeFile, FieldContext(document, diagnostics, (), ""), document.values)
    locations = {name: document.locate((name,)) for name in document.values}
    return replace(edge or EdgeFile(), locations=locations)


def _warn_of_unnormalized_paths(context: FieldContext, *, normalizes: bool) -> None:
    if not normalizes:
        context.key("normalize_to_origin").warning(
            '"normalize_to_origin" is false: the origin gets the path as the client wrote it ("/a/../b", "/%61dmin"), '
            "and may take it for another one than that which routes and workers decided on. Leave it out, unless the "
            "origin needs the path byte for byte.",
        )


def _check_namespaces(context: FieldContext, namespaces: tuple[Namespace, ...]) -> None:
    ids: set[str] = set()
    titles: set[str] = set()
    for index, namespace in enumerate(namespaces):
        where = context.item(index)
        if namespace.id in ids:
            where.key("id").error(f'There are two namespaces with the id "{namespace.id}": remove one of them.')
        if namespace.title in titles:
            where.key("title").error(
                f'There are two namespaces with the title "{namespace.title}": rename one of them.'
            )
        ids.add(namespace.id)
        titles.add(namespace.title)
