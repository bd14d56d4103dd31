"""What an edge is made of: frozen values, no parsing, no I/O. Pure.

`wrangler_compat` makes a Config from wrangler.toml and edge.toml; edgeworker.testing makes one from Python values.
Paths are absolute. `source` says where a value was written ("wrangler.toml: routes[0]"), for messages only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from edgeworker.balancing.settings import LoadBalancer
from edgeworker.javascript.build import ENDINGS, Build
from edgeworker.javascript.settings import DEFAULT_SETTINGS, JavaScriptSettings
from edgeworker.schema import fields as schema
from edgeworker.schema.json_value import JSON as JSON
from edgeworker.schema.value_types import (
    BASE_URL,
    BASE_URLS,
    BOOLEAN,
    HEADER,
    HOST,
    ID,
    OBJECT,
    PATH,
    POSITIVE,
    SECONDS,
    SERVER_NAME,
    TEXT,
    TEXTS,
    WHOLE,
    one_of,
)
from edgeworker.schema.wrangler_shape import OBJECT as OBJECT_MEMBER
from edgeworker.schema.wrangler_shape import member, required
from edgeworker.tls_settings import DEFAULT_TLS
from edgeworker.tls_settings import TLS as TLS
from edgeworker.tls_settings import Certificate as Certificate


@dataclass(frozen=True, slots=True)
class Binding:
    """What a worker finds as `env.<name>`. Each kind has a subclass in its folder of edgeworker/bindings."""

    name: str


# https://developers.cloudflare.com/workers/platform/limits/#cpu-time
DEFAULT_CPU_MS: Final = 30_000

HTMLHandling = Literal["auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none"]
NotFoundHandling = Literal["none", "single-page-application", "404-page"]


@dataclass(frozen=True, slots=True)
class Assets:
    """A worker's static files. https://developers.cloudflare.com/workers/wrangler/configuration/#assets

    `base_path` begins and ends with "/". `run_worker_first` as globs: what they match goes to the script, except what
    a glob with "!" matches. `navigation_prefers_assets`: a browser that opens a page gets the page for what is not
    found, and not the script's answer.
    """

    directory: Path
    html_handling: HTMLHandling = "auto-trailing-slash"
    not_found_handling: NotFoundHandling = "none"
    base_path: str = "/"
    run_worker_first: bool | tuple[str, ...] = False
    navigation_prefers_assets: bool = True


@dataclass(frozen=True, slots=True)
class AccessDev:
    """What scripts find in `ctx.access` while developing. `identity` is None for a service token."""

    aud: str = field(metadata=required())
    identity: Mapping[str, JSON] | None = member(None, OBJECT_MEMBER, secret=True)


@dataclass(frozen=True, slots=True)
class Worker:
    """A named script plus its bindings.

    `main` is the script's file; its directory is where the script's own modules are found. None: there are only
    `assets`. `is_default_script` says that no `main` was configured and the built-in split-token script runs. `cpu_ms`
    is how long the script may keep the event loop at a time.
    """

    name: str
    main: Path | None
    bindings: tuple[Binding, ...] = ()
    compatibility_date: str | None = None
    compatibility_flags: tuple[str, ...] = ()
    crons: tuple[str, ...] = ()
    workers_dev: bool = False
    is_default_script: bool = False
    cpu_ms: int = DEFAULT_CPU_MS
    javascript: Build | None = None  # how a JavaScript `main` becomes modules; None: as without any setting
    source: str = ""
    assets: Assets | None = None
    access_dev: AccessDev | None = None  # counts only with Config.trigger_urls: it lets anyone in

    @property
    def is_javascript(self) -> bool:
        return self.main is not None and self.main.suffix in ENDINGS


@dataclass(frozen=True, slots=True)
class Route:
    """`worker` None: this pattern runs no worker, the request goes to the origin. `zone` None: any zone."""

    pattern: str
    worker: str | None
    zone: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class CustomDomain:
    """A whole host whose origin is the worker."""

    hostname: str
    worker: str
    zone: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class OriginTLS:
    """How the edge speaks TLS with an https origin.

    `ca_file` has the certificates to trust instead of the system's (or of `Outbound.ca_file`). `client_cert` and
    `client_key` are shown to an origin that asks: so it can refuse everyone else. `server_name` is the name that is
    asked for and that the certificate must hold, where it is not the host of the origin's URL. All files are PEM.
    """

    ca_file: Path | None = schema.setting(
        None, PATH, "PEM certificates that sign the origin's, instead of the system's", path="origin_ca"
    )
    verify: bool = schema.setting(True, BOOLEAN, "`false`: any certificate of the origin will do", path="origin_verify")
    client_cert: Path | None = schema.setting(
        None,
        PATH,
        "PEM certificate that is shown to the origin, so that it can refuse everyone else",
        path="origin_client_cert",
    )
    client_key: Path | None = schema.setting(None, PATH, "its key", path="origin_client_key")
    server_name: str | None = schema.setting(
        None,
        SERVER_NAME,
        "the name in the origin's certificate; default: the host of its URL",
        path="origin_server_name",
    )


USUAL_ORIGIN_TLS: Final = OriginTLS()
NORMALIZE_DOC: Final = "`false`: origins get the path as the client wrote it; decisions are made on the canonical one"


class ProductConfig:
    """What is configured of a product, on a zone or for the account; each product has its own subclasses."""

    __slots__ = ()

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts that the product itself answers: certificates, redirects and the fetch() of workers know them."""
        return ()

    @property
    def files(self) -> tuple[Path, ...]:
        """Files besides edge.toml that this was made of; a change of one is a change of the configuration."""
        return ()


@dataclass(frozen=True, slots=True)
class Zone:
    """A domain and what is configured on it.

    `origin` is the base URL of the server behind it ("http://127.0.0.1:3000"); `origins` has other ones for single
    hosts of the zone ("api.example.com", or "*.example.com" for every subdomain that is not named). `origin_tls` is
    about all of them. Without `normalize_to_origin` they get the path as the client wrote it, while every decision is
    made on the canonical one.
    """

    name: str = field(metadata=schema.key(HOST, "the domain"))
    id: str = schema.setting("", ID, "default: one is made up from the name")
    origin: str | None = schema.setting(None, BASE_URL, "the server behind the zone")
    origins: Mapping[str, str] = field(
        default_factory=dict, metadata=schema.key(BASE_URLS, "servers behind single hosts, or behind `*.` and a domain")
    )
    source: str = field(default="", metadata=schema.source())
    origin_tls: OriginTLS = field(default=USUAL_ORIGIN_TLS, metadata=schema.inline(OriginTLS))
    normalize_to_origin: bool = schema.setting(True, BOOLEAN, NORMALIZE_DOC)
    products: tuple[ProductConfig, ...] = field(default=(), metadata=schema.extensions())
    load_balancers: tuple[LoadBalancer, ...] = field(
        default=(), metadata=schema.tables(LoadBalancer, "several origins, with health checks and failover")
    )


@dataclass(frozen=True, slots=True)
class Namespace:
    """A KV key space. `id` is any text without "/"; `title` is for people and for the REST API's list."""

    id: str = field(metadata=schema.key(ID, ""))
    title: str = field(metadata=schema.key(TEXT, ""))


@dataclass(frozen=True, slots=True)
class Socket:
    """Where to listen. `port` 0 means any free port.

    `trusted_proxies` are addresses and networks whose X-Forwarded-For and X-Forwarded-Proto are believed. With
    `proxy_protocol` each connection begins with a PROXY header (version 1 or 2), and only they may connect. With `tls`
    it is https that is served, and no http. `descriptor` is a socket that is bound already, by a parent process or by
    systemd; `host` and `port` are then for messages only.
    """

    host: str = "127.0.0.1"
    port: int = 8787
    trusted_proxies: tuple[str, ...] = ()
    proxy_protocol: bool = False
    tls: bool = False
    descriptor: int | None = None


@dataclass(frozen=True, slots=True)
class KVSettings:
    """`durability` "full": an acknowledged write survives a power cut; "normal": a crash of the process. None is "full"
    for `serve`, else "normal".

    `consistency` "eventual" delays what other readers see by up to `visibility_delay_seconds`, drawn with `seed`.
    """

    durability: Literal["full", "normal"] | None = schema.setting(
        None, one_of("normal", "full"), "`full`: an acknowledged write survives a power cut; default: `full` in `serve`"
    )
    consistency: Literal["strong", "eventual"] = schema.setting(
        "strong", one_of("strong", "eventual"), "`eventual`: other readers see a write later"
    )
    visibility_delay_seconds: int = schema.setting(60, WHOLE, "the longest delay with `eventual`")
    seed: int = schema.setting(0, WHOLE, "from which the delays are drawn")


@dataclass(frozen=True, slots=True)
class Outbound:
    """What scripts may fetch from outside. `allow_private` lists hosts, addresses and networks that are private
    (loopback, link-local, RFC 1918 and the like) and may be reached nevertheless; "*" allows all of them.

    `http_proxy` and `https_proxy` are URLs of proxies for what scripts fetch with that scheme, "" is none; they may
    hold a password. `no_proxy` lists what is reached without them (see edgeworker.server.outbound_proxy).
    """

    allow_private: tuple[str, ...] = schema.setting(
        (), TEXTS, 'private hosts, addresses and networks that may be reached; `"*"`: all'
    )
    ca_file: Path | None = schema.setting(None, PATH, "PEM certificates to trust instead of the system's")
    connect_timeout_seconds: float = schema.setting(15.0, SECONDS, "")
    response_timeout_seconds: float = schema.setting(100.0, SECONDS, "until the head of the answer")
    max_subrequests: int = schema.setting(1000, POSITIVE, "for one request")
    allow_native_sockets: bool = schema.setting(
        False,
        BOOLEAN,
        "scripts may import extension modules that open sockets in C (grpc, psycopg2), start processes, listen on "
        "sockets and call such functions of C by ctypes, past all of this",
    )
    http_proxy: str = field(default="", repr=False)
    https_proxy: str = field(default="", repr=False)
    no_proxy: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the edge's sockets accept. Sizes in bytes, times in seconds.

    `script_seconds` is how long a script may take until it answers; None is for ever, as on Cloudflare.
    """

    request_line_bytes: int = schema.setting(16_384, POSITIVE, "")
    header_bytes: int = schema.setting(16_384, POSITIVE, "one field")
    headers: int = schema.setting(128, POSITIVE, "how many")
    # All of them, where they come in more than one piece.
    headers_bytes: int = schema.setting(128 * 1024, POSITIVE, "all of them")
    # Cloudflare's limit on its free and pro plans.
    body_bytes: int = schema.setting(100 * 1024 * 1024, WHOLE, "")
    tls_handshake_timeout_seconds: float = schema.setting(10.0, SECONDS, "")
    header_timeout_seconds: float = schema.setting(10.0, SECONDS, "")
    body_grace_seconds: float = schema.setting(10.0, SECONDS, "for a body, besides what its size gives it")
    body_bytes_per_second: int = schema.setting(1024, POSITIVE, "the slowest body")
    write_timeout_seconds: float = schema.setting(60.0, SECONDS, "for the next 64 KiB that a client takes")
    keepalive_timeout_seconds: float = schema.setting(75.0, SECONDS, "")
    half_closed_seconds: float = schema.setting(
        5.0, SECONDS, "how long a client that has closed its side may wait for an answer"
    )
    connections_per_address: int = schema.setting(
        1024, POSITIVE, "open at the same time; of IPv6 a /64 counts as one address"
    )
    # Cloudflare gives waitUntil as long.
    drain_timeout_seconds: float = schema.setting(30.0, SECONDS, "for `waitUntil` when the edge stops")
    script_seconds: float | None = schema.setting(
        None, SECONDS, "until a script must have answered (page 1102); without it, no limit"
    )
    connections: int | None = schema.setting(
        None,
        POSITIVE,
        "open at the same time in all processes; default: in `serve` half of the file descriptors of each",
    )


@dataclass(frozen=True, slots=True)
class CF:
    """What scripts find as `request.cf`, in place of the defaults. `override_header` names a field of requests whose
    value, one JSON object, wins over it: for tests, because every client can send it.
    """

    values: Mapping[str, JSON] = field(
        default_factory=dict, metadata=schema.key(OBJECT, 'in place of the defaults, such as `{ country = "DE" }`')
    )
    override_header: str | None = schema.setting(
        None, HEADER, "a field of requests whose JSON object wins; for tests, every client can send it"
    )


DEFAULT_SUBDOMAIN: Final = "local"


@dataclass(frozen=True, slots=True)
class Config:
    """One edge, whole.

    `default_worker` answers requests to localhost, 127.0.0.1 and [::1] that nothing else took, and those to every
    host with `default_on_every_host`. `origin` is the server for hosts that belong to no zone and for zones that have
    none of their own. `workers_dev_subdomain` makes the hosts `<worker>.<subdomain>.workers.dev`.
    """

    workers: tuple[Worker, ...] = ()
    routes: tuple[Route, ...] = ()
    custom_domains: tuple[CustomDomain, ...] = ()
    zones: tuple[Zone, ...] = ()
    namespaces: tuple[Namespace, ...] = ()
    default_worker: str | None = None
    default_on_every_host: bool = False
    origin: str | None = None
    origin_tls: OriginTLS = USUAL_ORIGIN_TLS  # for `origin`
    normalize_to_origin: bool = True  # False goes for every zone
    account_id: str = ""
    account_is_made_up: bool = False  # then the REST API takes any account id: a publisher has one of its own
    workers_dev_subdomain: str = DEFAULT_SUBDOMAIN
    edge_socket: Socket = Socket()
    api_socket: Socket = Socket(port=8788)
    https_socket: Socket | None = None  # the edge, over TLS
    api_https_socket: Socket | None = None  # the REST API, over TLS
    redirect_socket: Socket | None = None  # sends every http request to `https_socket`
    management_socket: Socket | None = None  # health and metrics; `serve` only
    tls: TLS = DEFAULT_TLS
    relaxed_expiration: bool = False  # the REST API keeps an entry that ends in less than 60 s for 60 s
    cloudflare_api_for_workers: bool = False  # their fetch() of https://api.cloudflare.com reaches the REST API
    api_hosts: tuple[str, ...] = ()  # names, beyond addresses and localhost, under which the REST API may be called
    kv: KVSettings = KVSettings()
    outbound: Outbound = Outbound()
    javascript: JavaScriptSettings = DEFAULT_SETTINGS
    lenient_python: bool = False  # what works here and fails on Cloudflare is warned of, and not refused
    limits: Limits = Limits()
    cf: CF = CF()
    products: tuple[ProductConfig, ...] = ()  # for the account; those of one zone are in Zone.products
    error_details: bool = False  # for developing: error pages show tracebacks and origins to clients nearby
    trigger_urls: bool = False  # for developing: URLs that fire cron triggers (edgeworker.edge.triggers), `access_dev`
    files: tuple[Path, ...] = ()  # what was read to make this, for reloading
