"""Binds the listening sockets of `serve` before it starts its processes, which inherit them."""

import logging
import os
import socket as sockets
from typing import Final

from edgeworker.config import Config, Socket
from edgeworker.host import systemd
from edgeworker.server.listener import bind

_log = logging.getLogger(__name__)

SOCKET_FIELDS: Final = {
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
    configured: dict[str, Socket] = {
        name: socket for name, field in SOCKET_FIELDS.items() if (socket := getattr(config, field)) is not None
    }
    # Before the others are bound: the address of such a socket is in use, and this is the reason.
    for name in sorted(inherited.keys() - configured.keys()):
        where = "edge.toml has no such socket" if name in SOCKET_FIELDS else "that is not the name of a socket"
        _log.warning(
            'the socket "%s" of the service manager is not used: %s; FileDescriptorName= can be %s',
            *(name, where, ", ".join(configured)),
        )
    return {
        name: inherited[name] if name in inherited else bind(socket).detach() for name, socket in configured.items()
    }


def address_of(descriptor: int) -> tuple[str, int]:
    with sockets.socket(fileno=os.dup(descriptor)) as socket:
        host, port = socket.getsockname()[:2]
    return host, port
