"""What an operator would regret about a configuration and the options of a run. Pure."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from edgeworker.bindings import JSONBinding, SecretBinding, TextBinding
from edgeworker.cli.production.access import audit_access
from edgeworker.cli.production.finding import Finding
from edgeworker.cli.production.sockets import audit_sockets, is_loopback, is_wide, networks_of
from edgeworker.config import Binding, Config, Worker
from edgeworker.messages import URL, InvalidURL

# 128 random bits have 22 characters in base64, and a token that people make up has fewer of them than characters.
TOKEN_CHARACTERS: Final = 22
_DIFFERENT_CHARACTERS: Final = 10

# Where clouds tell a machine its own credentials.
_METADATA: Final = ipaddress.IPv4Address("169.254.169.254")

# (field, the most that still bounds anything)
_LIMITS: Final = (
    ("request_line_bytes", 131_072),
    ("header_bytes", 1_048_576),
    ("headers", 1_000),
    ("headers_bytes", 4_194_304),
    ("body_bytes", 5 * 1024**3),
    ("tls_handshake_timeout_seconds", 60),
    ("header_timeout_seconds", 60),
    ("body_grace_seconds", 300),
    ("write_timeout_seconds", 600),
    ("keepalive_timeout_seconds", 3_600),
    ("half_closed_seconds", 60),
    ("connections_per_address", 10_000),
)
_OUTBOUND: Final = (
    ("connect_timeout_seconds", 60),
    ("response_timeout_seconds", 600),
    ("max_subrequests", 10_000),
)


@dataclass(frozen=True, slots=True)
class Run:
    """How the edge is started. `api_token` is what an option or the environment gives, "" where neither does."""

    api_token: str = field(default="", repr=False)
    api_token_place: str = ""
    trace: bool = False
    is_root: bool = False
    error_details: bool = True  # whether `dev` would show them to clients on this machine


def audit_settings(config: Config, run: Run) -> Iterator[Finding]:
    yield from audit_sockets(config, error_details=run.error_details)
    yield from _token(run)
    yield from _origins(config)
    yield from _paths(config)
    yield from _outbound(config)
    yield from _limits(config)
    yield from _storage(config)
    yield from audit_access(config)
    if config.cf.override_header is not None:
        yield Finding(
            "error",
            "cf-override",
            "edge.toml: cf.override_header",
            f"{config.cf.override_header} of a request decides what request.cf says",
            "any client can claim a country, a bot score or a client certificate",
            "leave it out: it is for tests",
        )
    if config.default_on_every_host and config.zones:
        yield Finding(
            "warning",
            "no-worker",
            "edge.toml",
            "no worker is configured, so the split-token script takes each request that no route takes",
            "clients get 401 where you may want the origin, its load balancer or API Shield to answer",
            'routes_without_worker = ["HOST/*"] in the zone sends them to its origin; [[workers]] names a worker',
        )
    for worker in config.workers:
        if worker.is_default_script:
            yield from _split_token(worker)
    if run.trace:
        yield Finding(
            "warning",
            "trace",
            "--trace",
            "every request's way is printed",
            "it costs time and shows every reader of the output where requests go",
            "start without --trace",
        )
    if run.is_root:
        yield Finding(
            "warning",
            "root",
            "the process",
            "as this check, it would run as root",
            "scripts run in it, and what they break they break with all rights",
            "run it as a user of its own, as the unit of `serve --print-unit` does, with the right to ports below 1024",
        )


def _token(run: Run) -> Iterator[Finding]:
    if not run.api_token:
        return
    if run.api_token_place == "--api-token":
        yield Finding(
            "warning",
            "token-on-command-line",
            "--api-token",
            "the API's token is on the command line",
            "every user of this machine can read it in the list of processes",
            "leave it out: a random one is kept in the data directory",
        )
    if is_weak(run.api_token):
        yield weak_token(
            run.api_token_place,
            "leave it out: a random one is kept in the data directory; or make one with: openssl rand -base64 32",
        )


def is_weak(token: str) -> bool:
    return len(token) < TOKEN_CHARACTERS or len(set(token)) < _DIFFERENT_CHARACTERS


def weak_token(where: str, right: str) -> Finding:
    what, why = "the API's token is short or repeats itself", "it can be guessed, and it may do everything"
    return Finding("error", "weak-token", where, what, why, right)


def _origins(config: Config) -> Iterator[Finding]:
    if config.origin is not None:
        yield from _origin(config.origin, "edge.toml: origin, or --origin", verify=config.origin_tls.verify)
    for zone in config.zones:
        balanced = (server.url for balancer in zone.load_balancers for server in balancer.origins)
        for origin in dict.fromkeys((zone.origin, *zone.origins.values(), *balanced)):
            if origin is not None:
                yield from _origin(origin, zone.source or f'zone "{zone.name}"', verify=zone.origin_tls.verify)


def _origin(text: str, where: str, *, verify: bool) -> Iterator[Finding]:
    try:
        url = URL.parse(text)
    except InvalidURL:
        return  # `check` has told
    if url.scheme == "https" and not verify:
        yield Finding(
            "error",
            "unverified-origin",
            where,
            f"the certificate of {url.origin} is not verified",
            "an attacker on the network can pass for the origin and read the joined tokens",
            "remove origin_verify = false; name the origin's authority in origin_ca",
        )
    if url.scheme == "http" and not is_loopback(url.hostname):
        inside = _is_private(url.hostname)
        yield Finding(
            "warning" if inside else "error",
            "http-origin",
            where,
            f"{url.origin} is spoken with without TLS",
            "a listener on the network reads the whole tokens that the edge has joined",
            'origin = "https://...", with origin_ca for an authority of your own',
        )


def _paths(config: Config) -> Iterator[Finding]:
    places = [] if config.normalize_to_origin else ["edge.toml: normalize_to_origin"]
    places += [zone.source or f'zone "{zone.name}"' for zone in config.zones if not zone.normalize_to_origin]
    for where in places:
        yield Finding(
            "warning",
            "raw-paths",
            where,
            "the origin gets the path as the client wrote it",
            "it may take it for another path than the one that routes, products and scripts decided on",
            "leave normalize_to_origin out, unless the origin needs the path byte for byte",
        )


def _outbound(config: Config) -> Iterator[Finding]:
    for entry in config.outbound.allow_private:
        if entry == "*" or any(is_wide(network) or _METADATA in network for network in networks_of([entry])):
            yield Finding(
                "error",
                "private-addresses",
                "edge.toml: outbound.allow_private, or --allow-private",
                f'scripts may fetch "{entry}"',
                "a script that fetches what a client names reaches this machine, its network and the cloud's metadata",
                "name the hosts that scripts need",
            )
    if config.outbound.allow_native_sockets:
        yield Finding(
            "warning",
            "native-sockets",
            "edge.toml: outbound.allow_native_sockets",
            "extension modules that scripts import may open sockets by themselves",
            "nothing of [outbound] holds for those: they reach this machine, its network and the cloud's metadata",
            "leave it out: scripts have fetch() and libraries such as httpx; or bound the process with a firewall",
        )
    if config.outbound.http_proxy or config.outbound.https_proxy:
        yield Finding(
            "warning",
            "outbound-proxy",
            "HTTP_PROXY, HTTPS_PROXY or ALL_PROXY",
            "what scripts fetch goes through a proxy, which looks names up once more",
            "a name that was public here a moment ago may be private there",
            "let the proxy refuse private addresses itself",
        )


def _limits(config: Config) -> Iterator[Finding]:
    for section, values, bounds in (("limits", config.limits, _LIMITS), ("outbound", config.outbound, _OUTBOUND)):
        for name, most in bounds:
            value = getattr(values, name)
            if value > most:
                yield Finding(
                    "warning",
                    "no-limit",
                    f"edge.toml: {section}.{name}",
                    f"{value:g} bounds nothing",
                    "a few clients or one slow server can use up what this machine has",
                    f"{most} or less",
                )
    if config.limits.body_bytes_per_second < 64:
        yield Finding(
            "warning",
            "no-limit",
            "edge.toml: limits.body_bytes_per_second",
            f"a body may come at {config.limits.body_bytes_per_second} bytes a second",
            "clients that send slowly on purpose hold connections for hours",
            "64 or more",
        )


def _storage(config: Config) -> Iterator[Finding]:
    if config.kv.durability == "normal":
        yield Finding(
            "warning",
            "durability",
            "edge.toml: kv.durability",
            "what was answered as written may be lost in a power cut",
            "a token that was published, or taken back, is then as it was before",
            'durability = "full"',
        )
    if config.kv.consistency == "eventual":
        yield Finding(
            "warning",
            "eventual",
            "edge.toml: kv.consistency",
            "readers see writes late on purpose",
            "that is for tests: a token that was taken back goes on working for a while",
            'consistency = "strong"',
        )


def _split_token(worker: Worker) -> Iterator[Finding]:
    """https://developers.cloudflare.com/workers and scripts/split_token/README.md name the variables."""
    values = {binding.name: value for binding in worker.bindings if (value := _value(binding))}
    where = f'worker "{worker.name}"{f" ({worker.source})" if worker.source else ""}'
    if not {"JWKS", "JWKS_URL"} & set(values):
        yield Finding(
            "warning",
            "unverified-tokens",
            where,
            "the split-token script joins tokens and verifies none (no JWKS_URL, no JWKS)",
            "then the API behind it has to verify each of them, or it accepts everything that was put into KV",
            "[vars] JWKS_URL, ISSUER and AUDIENCE, or make sure that the API verifies",
        )
    else:
        for name in ("ISSUER", "AUDIENCE"):
            if name not in values:
                yield Finding(
                    "error",
                    "unverified-tokens",
                    where,
                    f"the split-token script verifies tokens, but not their {name.lower()}",
                    "a token that the same keys signed for something else is let in",
                    f"[vars] {name}",
                )
    if "*" in _items(values.get("CORS_ORIGINS")):
        yield Finding(
            "warning",
            "cors",
            where,
            'CORS_ORIGINS is "*"',
            "pages of every site may call the API from a browser",
            "name the sites",
        )
    if any(item.split(" ")[-1] in ("/*", "/**") for item in _items(values.get("PUBLIC_PATHS"))):
        yield Finding(
            "error",
            "public-paths",
            where,
            "PUBLIC_PATHS opens every path",
            "nothing asks for a token",
            "name the paths that need none",
        )


def _value(binding: Binding) -> object:
    match binding:
        case TextBinding(_, text) | SecretBinding(_, text):
            return text
        case JSONBinding(_, value):
            return value
        case _:
            return None


def _items(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    return [item.strip() for item in value.split(",")] if isinstance(value, str) else []


def _is_private(host: str) -> bool:
    """An address of a private network, or a name that only a private network knows ("api", "db.internal")."""
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_private
    except ValueError:
        return "." not in host or host.rpartition(".")[2] in ("internal", "local", "lan", "home", "test")
