"""Binds the listening sockets of `serve` before it starts its processes, which inherit them."""

import logging
import os
import socket as sockets
from typing import Final

from edgeworker.config import Config, Socket
from edgeworker.host import systemd
from edgeworker.server.listener import bind

_log = logging.getLogger(__name__)

_SOCKETS: Final = {
    "edge": "edge_socket",
    "https": "https_socket",
    "redirect": "redirect_socket",
    "api": "api_socket",
    "api_https": "api_https_socket",
    "management": "management_socket",
}


def bind_sockets(config: Config) -> dict[str, int]:
    """Bind all listening sockets, and return their descriptors by name. Those that systemd opened are used as they are.

    Raises SocketError.
    """
    inherited = systemd.inherited_sockets(os.environ)
    found: dict[str, int] = {}
    for name, field in _SOCKETS.items():
        socket: Socket | None = getattr(config, field)
        if socket is None:
            continue
        if name in inherited:
            found[name] = inherited[name]
        else:
            found[name] = bind(socket).detach()
    for name in inherited.keys() - found.keys():
        _log.warning('the socket "%s" of the service manager is not used; there are: %s', name, ", ".join(found))
    return found


def address_of(descriptor: int) -> tuple[str, int]:
    with sockets.socket(fileno=os.dup(descriptor)) as socket:
        host, port = socket.getsockname()[:2]
    return host, port
