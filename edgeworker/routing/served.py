"""The names under which an edge is called: for its certificate, and for its redirects. Pure."""

from collections.abc import Iterator
from typing import Final

from edgeworker.config import Config
from edgeworker.errors import ConfigError
from edgeworker.messages.hosts import canonical_host, is_address, is_within
from edgeworker.routing.developer_hosts import below_localhost
from edgeworker.routing.pattern import parse_pattern

# https://www.rfc-editor.org/rfc/rfc6761#section-6.3: localhost and every name below it is this machine.
ALWAYS: Final = ("localhost", "*.localhost", "127.0.0.1", "::1")
_ANY_ADDRESS: Final = frozenset({"0.0.0.0", "::", ""})


def served_names(config: Config) -> tuple[str, ...]:
    """Names and addresses (IPv6 without brackets), "*." and a name for all hosts one label below it; each once.

    A wildcard in a certificate stands for one label: of a zone that is the zone's own subdomains. What lies deeper is
    in here where a route, a custom domain or an origin names it.
    """
    names = [*ALWAYS, *_configured(config)]
    if config.trigger_urls:
        names += [below_localhost(name) for name in _configured(config)]
    return tuple(dict.fromkeys(name.removeprefix("[").removesuffix("]") for name in names))


class ServedHosts:
    """Which hosts a client may mean when it speaks to this edge."""

    def __init__(self, config: Config) -> None:
        self._all = config.origin is not None or config.default_on_every_host
        self._names = frozenset(served_names(config))
        self._zones = tuple(canonical_host(zone.name) for zone in config.zones)
        self._patterns = tuple(parse_pattern(route.pattern) for route in config.routes)

    def __contains__(self, hostname: object) -> bool:
        """`hostname` is canonical, as `URL.hostname` is."""
        return isinstance(hostname, str) and self._has(hostname)

    def _has(self, hostname: str) -> bool:
        if self._all or is_address(hostname) or is_within(hostname, "localhost") or hostname in self._names:
            return True
        if any(is_within(hostname, zone) for zone in self._zones):
            return True
        return any(
            hostname.endswith(pattern.host) if pattern.any_prefix else hostname == pattern.host
            for pattern in self._patterns
        )


def _configured(config: Config) -> Iterator[str]:
    for zone in config.zones:
        yield from _with_wildcard(canonical_host(zone.name))
        for host in zone.origins:
            yield f"*.{canonical_host(host[2:])}" if host.startswith("*.") else canonical_host(host)
    for route in config.routes:
        pattern = parse_pattern(route.pattern)
        if pattern.host.startswith("."):
            yield f"*{pattern.host}"
        elif pattern.host:
            yield from _with_wildcard(pattern.host) if pattern.any_prefix else (pattern.host,)
    for domain in config.custom_domains:
        yield canonical_host(domain.hostname)
    for worker in config.workers:
        if worker.workers_dev:
            yield canonical_host(f"{worker.name}.{config.workers_dev_subdomain}.workers.dev")
    for product in (*config.products, *(product for zone in config.zones for product in zone.products)):
        yield from map(canonical_host, product.hosts)
    for socket in (config.edge_socket, config.https_socket):
        if socket is not None and socket.host not in _ANY_ADDRESS:
            yield from _socket_host(socket.host)
    yield from config.api_hosts


def _with_wildcard(name: str) -> tuple[str, ...]:
    return (name,) if is_address(name) else (name, f"*.{name}")


def _socket_host(host: str) -> Iterator[str]:
    try:
        yield canonical_host(f"[{host}]" if ":" in host else host)
    except ConfigError:
        return  # "fe80::1%eth0" and the like: no client can name it in a URL
