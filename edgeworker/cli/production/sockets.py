"""What an operator would regret about where an edge listens, and whom it trusts there. Pure."""

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Final

from edgeworker.cli.production.finding import Finding
from edgeworker.config import Config, Socket
from edgeworker.messages.hosts import is_within

_WIDE_IPV4: Final = 8  # a network with a shorter prefix than that is hardly one's own
_WIDE_IPV6: Final = 32


def audit_sockets(config: Config, *, error_details: bool) -> Iterator[Finding]:
    """`error_details`: whether `dev` would show them to clients on this machine."""
    api = config.api_socket
    if not is_loopback(api.host):
        yield Finding(
            "error",
            "open-api",
            "edge.toml: sockets.api",
            f"the REST API listens on {_address(api)} without TLS",
            "a listener on the network reads its tokens and the values that are written",
            'listen on 127.0.0.1 and give publishers [api] https = "host:port"',
        )
    management = config.management_socket
    if management is not None and not is_loopback(management.host):
        yield Finding(
            "warning",
            "open-management",
            "edge.toml: sockets.management",
            f"/metrics, /status and /readyz listen on {management.host}, for anyone who reaches it",
            "they ask for no token, and tell the names of workers and how much they are used",
            '"127.0.0.1:9787", with the collector on this machine or behind a proxy that authenticates',
        )
    if config.api_https_socket is not None and not is_loopback(config.api_https_socket.host):
        yield Finding(
            "warning",
            "open-api",
            "edge.toml: api.https",
            f"the REST API can be reached at {_address(config.api_https_socket)}",
            "anyone there can try tokens",
            "let a firewall pass publishers only, and give each of them a token of its own (edgeworker token create)",
        )
    edge = config.edge_socket
    if not is_loopback(edge.host) and not edge.tls and not edge.trusted_proxies:
        yield Finding(
            "warning",
            "plain-http",
            "edge.toml: sockets.edge",
            f"clients reach {_address(edge)} without TLS",
            "a listener on the network reads their tokens",
            'listen on 127.0.0.1, with sockets.https = "host:443" and sockets.redirect = "host:80" for clients; or '
            "name the proxy that ends TLS in sockets.trusted_proxies",
        )
    for network in networks_of(edge.trusted_proxies):
        if is_wide(network):
            yield Finding(
                "error",
                "trusts-everyone",
                "edge.toml: sockets.trusted_proxies",
                f"all of {network} are trusted as proxies",
                "each of them can claim any client address and scheme",
                "name the addresses of your own proxies",
            )
    if _only_a_local_proxy_reaches(config):
        details = ", and error pages of `edgeworker dev` show them tracebacks and origins" if error_details else ""
        yield Finding(
            "warning",
            "unnamed-proxy",
            "edge.toml: sockets.trusted_proxies",
            f"the edge listens on {_address(edge)} only, and trusts no proxy there",
            f"behind a proxy on this machine every client has the proxy's address, as if it were here{details}",
            'trusted_proxies = ["127.0.0.1"], with a proxy that sets X-Forwarded-For; or sockets.https for clients',
        )


def _only_a_local_proxy_reaches(config: Config) -> bool:
    sockets = [socket for socket in (config.edge_socket, config.https_socket) if socket is not None]
    return all(
        is_loopback(socket.host) and not socket.trusted_proxies and not socket.proxy_protocol for socket in sockets
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on `host`."""
    plain = host.lower().removeprefix("[").removesuffix("]")
    try:
        return ipaddress.ip_address(plain).is_loopback
    except ValueError:
        return is_within(plain, "localhost")


def is_wide(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    return network.prefixlen < (_WIDE_IPV4 if network.version == 4 else _WIDE_IPV6)


def networks_of(texts: Sequence[str]) -> Iterator[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    for text in texts:
        try:
            yield ipaddress.ip_network(text.strip("[]"), strict=False)
        except ValueError:
            continue  # a name, or "*"


def _address(socket: Socket) -> str:
    return f"{f'[{socket.host}]' if ':' in socket.host else socket.host}:{socket.port}"
