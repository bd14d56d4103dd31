"""The hosts under which a developer calls an edge: this machine's names, and real names below "localhost". Pure."""

from typing import Final

from edgeworker.config import Config
from edgeworker.messages import URL
from edgeworker.messages.hosts import is_address, is_loopback
from edgeworker.messages.url import DEFAULT_PORTS

_BELOW_LOCALHOST: Final = ".localhost"
# How containers call the machine that they run on.
_CONTAINER_NAMES: Final = frozenset({"host.docker.internal", "host.containers.internal"})


def is_developer_host(host: str, config: Config) -> bool:
    """Whether a canonical host can only mean this machine, or its name in a private network: loopback, any address, a
    name of one label (`edge` in a Compose file), a container's name of its host, and what the edge listens on."""
    if is_loopback(host):
        return True
    if not config.trigger_urls:
        return False
    names = (socket.host for socket in (config.edge_socket, config.https_socket) if socket is not None)
    return is_address(host) or "." not in host or host in _CONTAINER_NAMES or host in names


def name_below_localhost(url: URL) -> URL | None:
    """`http://www.example.com.localhost:8787/x` is `http://www.example.com/x`; None for every other host."""
    name = url.hostname.removesuffix(_BELOW_LOCALHOST)
    if name == url.hostname or "." not in name:
        return None
    return URL(url.scheme, name, DEFAULT_PORTS[url.scheme], url.path, url.query)


def below_localhost(host: str) -> str:
    """What `name_below_localhost` understands: a browser asks no name server for it."""
    return host if is_loopback(host) or is_address(host) else host + _BELOW_LOCALHOST
