"""Every key of edge.toml, one row each; parsing, its errors and COMPATIBILITY.md are derived from it. Pure."""

import ipaddress
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from edgeworker.errors import ConfigError
from edgeworker.messages.url import URL, InvalidURL
from edgeworker.routing import canonical_host


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value may be. `expected` completes "must be ..."; `fits` never raises."""

    expected: str
    fits: Callable[[object], bool]


@dataclass(frozen=True, slots=True)
class Key:
    name: str
    kind: Kind
    note: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A table of edge.toml, or with `many` an array of tables. "" is the top of the file."""

    name: str
    note: str
    keys: tuple[Key, ...]
    many: bool = False


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_host(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        canonical_host(value)
    except ConfigError:
        return False
    return True


def _are_certified(value: object) -> bool:
    """Names and addresses, "*." before a name allowed."""
    return isinstance(value, list) and all(
        isinstance(item, str) and _is_host(item.removeprefix("*.") if not item.startswith("*.*") else "")
        for item in value
    )


def _is_base_url(value: object) -> bool:
    if not isinstance(value, str) or "@" in value or "#" in value:
        return False
    try:
        return URL.parse(value).target == "/"
    except InvalidURL:
        return False


def _is_base_url_by_host(value: object) -> bool:
    return isinstance(value, dict) and all(
        _is_host(str(host).removeprefix("*.")) and _is_base_url(url) for host, url in value.items()
    )


def split_address(text: str) -> tuple[str, int] | None:
    """`127.0.0.1:8787`, `[::1]:0` or `localhost:80` as host (without brackets) and port; None if it is neither."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        return None
    if host.startswith("[") and host.endswith("]"):
        try:
            return str(ipaddress.IPv6Address(host[1:-1])), int(port)
        except ValueError:
            return None
    return (host, int(port)) if _is_host(host) else None


def _is_address(value: object) -> bool:
    return isinstance(value, str) and split_address(value) is not None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_positive(value: object) -> bool:
    return _is_whole(value) and value != 0


def _is_seconds(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(_is_text(item) for item in value)


def _are_hosts(value: object) -> bool:
    return isinstance(value, list) and all(_is_host(item) for item in value)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _is_text(value) and "/" not in value


def _are_networks(value: object) -> bool:
    return isinstance(value, list) and all(_is_network(item) for item in value)


def _is_network(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return True


def _is_object(value: object) -> bool:
    return isinstance(value, dict) and _is_json(value)


def _is_json(value: object) -> bool:
    match value:
        case dict():
            return all(_is_json(item) for item in value.values())
        case list():
            return all(_is_json(item) for item in value)
        case float():
            return math.isfinite(value)
        case _:
            return isinstance(value, str | int | bool)


def _is_header(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", value) is not None


TEXT: Final = Kind("a text", _is_text)
ID: Final = Kind('a text without "/"', _is_id)
HOST: Final = Kind('a host name such as "example.com"', _is_host)
HOSTS: Final = Kind('an array of host names such as ["edge.test"]', _are_hosts)
CERTIFIED: Final = Kind('an array of hosts such as ["api.example.com", "*.example.com"]', _are_certified)
BASE_URL: Final = Kind('the base URL of a server, without a path, such as "http://127.0.0.1:3000"', _is_base_url)
BASE_URLS: Final = Kind(
    'a table of hosts and base URLs such as { "api.example.com" = "http://127.0.0.1:3000" }', _is_base_url_by_host
)
ADDRESS: Final = Kind('"host:port" such as "127.0.0.1:8787"; port 0 is any free one', _is_address)
BOOLEAN: Final = Kind("true or false", lambda value: isinstance(value, bool))
WHOLE: Final = Kind("a whole number, 0 or more", _is_whole)
POSITIVE: Final = Kind("a whole number, 1 or more", _is_positive)
SECONDS: Final = Kind("a number of seconds, more than 0", _is_seconds)
NETWORKS: Final = Kind('an array of addresses and networks such as ["10.0.0.0/8"]', _are_networks)
OBJECT: Final = Kind("a table of values that JSON can say", _is_object)
HEADER: Final = Kind('the name of a header such as "x-test-cf"', _is_header)
TEXTS: Final = Kind('an array of texts such as ["a", "b"]', _are_texts)


def one_of(*words: str) -> Kind:
    return Kind(" or ".join(f'"{word}"' for word in words), lambda value: value in words)


# The same for a zone and for the top of the file: they are about the origins that stand there.
_ORIGIN_TLS: Final = (
    Key("origin_ca", TEXT, "PEM certificates that sign the origin's, instead of the system's"),
    Key("origin_verify", BOOLEAN, "`false`: any certificate of the origin will do"),
    Key("origin_client_cert", TEXT, "PEM certificate that is shown to the origin, so that it can refuse everyone else"),
    Key("origin_client_key", TEXT, "its key"),
    Key("origin_server_name", HOST, "the name in the origin's certificate; default: the host of its URL"),
)
_NORMALIZE: Final = "`false`: origins get the path as the client wrote it; decisions are made on the canonical one"

SECTIONS: Final[tuple[Section, ...]] = (
    Section(
        "",
        "at the top of the file",
        (
            Key("account_id", ID, "the account of the REST API; default: that of the workers, else one is made up"),
            Key("default_worker", TEXT, "answers localhost and loopback addresses; default: the first worker"),
            Key("origin", BASE_URL, "the server behind every host that has no other"),
            Key("workers_dev_subdomain", TEXT, "the middle of `<worker>.<subdomain>.workers.dev`; default: `local`"),
            *_ORIGIN_TLS,
            Key("normalize_to_origin", BOOLEAN, f"{_NORMALIZE}; for every zone"),
        ),
    ),
    Section(
        "zones",
        "domains, as in Cloudflare's dashboard",
        (
            Key("name", HOST, "the domain", required=True),
            Key("id", ID, "default: one is made up from the name"),
            Key("origin", BASE_URL, "the server behind the zone"),
            Key("origins", BASE_URLS, "servers behind single hosts, or behind `*.` and a domain"),
            *_ORIGIN_TLS,
            Key("normalize_to_origin", BOOLEAN, _NORMALIZE),
            Key("routes_without_worker", TEXTS, "patterns that run no worker where they win: straight to the origin"),
        ),
        many=True,
    ),
    Section(
        "workers",
        "the wrangler file of each worker; paths start at the folder of edge.toml",
        (
            Key("config", TEXT, "the worker's wrangler.toml, .json or .jsonc", required=True),
            Key(
                "env", Kind("a text", lambda value: isinstance(value, str)), "its environment; default: that of `--env`"
            ),
            Key("default_script", BOOLEAN, "run the split-token script in place of a JavaScript `main`"),
        ),
        many=True,
    ),
    Section(
        "sockets",
        "where to listen",
        (
            Key("edge", ADDRESS, "default: `127.0.0.1:8787`"),
            Key("api", ADDRESS, "the REST API; default: `127.0.0.1:8788`"),
            Key("https", ADDRESS, "the edge over TLS; default: none, with `dev --https` `127.0.0.1:8443`"),
            Key("redirect", ADDRESS, "answers http with a redirect to `https`"),
            Key("trusted_proxies", NETWORKS, "whose X-Forwarded-For and X-Forwarded-Proto the edge believes"),
            Key("proxy_protocol", BOOLEAN, "each connection to the edge begins with a PROXY header"),
        ),
    ),
    Section(
        "api",
        "the REST API",
        (
            Key("hosts", HOSTS, "names, beyond addresses and localhost, under which it may be called"),
            Key("relaxed_expiration", BOOLEAN, "an entry that ends in less than 60 s is kept for 60 s, not refused"),
            Key("https", ADDRESS, "the REST API over TLS, besides `sockets.api`"),
        ),
    ),
    Section(
        "tls",
        "how https is served; without certificates with those of the local authority (`edgeworker tls init`)",
        (
            Key("min_version", one_of("1.2", "1.3"), "default: `1.2`"),
            Key("client_auth", one_of("none", "request", "require"), "whether clients of the edge show a certificate"),
            Key("client_ca", TEXT, "PEM certificates that sign the clients'"),
        ),
    ),
    Section(
        "tls.certificates",
        "certificates by host; the first is for every other host",
        (
            Key("cert", TEXT, "PEM, the server's own first, then its chain", required=True),
            Key("key", TEXT, "PEM, without a passphrase", required=True),
            Key("hosts", CERTIFIED, "default: the names that it holds"),
        ),
        many=True,
    ),
    Section(
        "kv",
        "KV namespaces and how they are kept",
        (
            Key("durability", one_of("normal", "full"), "`full`: an acknowledged write survives a power cut"),
            Key("consistency", one_of("strong", "eventual"), "`eventual`: other readers see a write later"),
            Key("visibility_delay_seconds", WHOLE, "the longest delay with `eventual`"),
            Key("seed", WHOLE, "from which the delays are drawn"),
        ),
    ),
    Section(
        "kv.namespaces",
        "namespaces with titles, also such as no worker binds",
        (Key("id", ID, "", required=True), Key("title", TEXT, "", required=True)),
        many=True,
    ),
    Section(
        "outbound",
        "what scripts may fetch",
        (
            Key("allow_private", TEXTS, 'private hosts, addresses and networks that may be reached; `"*"`: all'),
            Key("ca_file", TEXT, "PEM certificates to trust instead of the system's"),
            Key("connect_timeout_seconds", SECONDS, ""),
            Key("response_timeout_seconds", SECONDS, "until the head of the answer"),
            Key("max_subrequests", POSITIVE, "for one request"),
        ),
    ),
    Section(
        "cf",
        "what scripts find as `request.cf`",
        (
            Key("values", OBJECT, 'in place of the defaults, such as `{ country = "DE" }`'),
            Key(
                "override_header",
                HEADER,
                "a field of requests whose JSON object wins; for tests, every client can send it",
            ),
        ),
    ),
    Section(
        "limits",
        "what the sockets accept, and how long a script may take",
        (
            Key("request_line_bytes", POSITIVE, ""),
            Key("header_bytes", POSITIVE, "one field"),
            Key("headers", POSITIVE, "how many"),
            Key("headers_bytes", POSITIVE, "all of them"),
            Key("body_bytes", WHOLE, ""),
            Key("tls_handshake_timeout_seconds", SECONDS, ""),
            Key("header_timeout_seconds", SECONDS, ""),
            Key("body_grace_seconds", SECONDS, "for a body, besides what its size gives it"),
            Key("body_bytes_per_second", POSITIVE, "the slowest body"),
            Key("write_timeout_seconds", SECONDS, "for the next 64 KiB that a client takes"),
            Key("keepalive_timeout_seconds", SECONDS, ""),
            Key("half_closed_seconds", SECONDS, "how long a client that has closed its side may wait for an answer"),
            Key("connections_per_address", POSITIVE, "open at the same time; of IPv6 a /64 counts as one address"),
            Key("drain_timeout_seconds", SECONDS, "for `waitUntil` when the edge stops"),
            Key("script_seconds", SECONDS, "until a script must have answered (page 1102); without it, no limit"),
        ),
    ),
)

BY_SECTION: Final[Mapping[str, Section]] = {section.name: section for section in SECTIONS}
