"""The socket for DevTools (`dev --inspector-port`); aiohttp is loaded with its first request."""

from typing import TYPE_CHECKING

from edgeworker.config import Limits, Socket
from edgeworker.host.sockets import ManagementSocket
from edgeworker.runtime.workerd.inspector import InspectedChildren

if TYPE_CHECKING:
    from aiohttp.web import Application


def inspector_socket(children: InspectedChildren, socket: Socket, limits: Limits) -> ManagementSocket:
    """`socket` is on a loopback address unless the user said otherwise."""

    def make() -> "Application":
        from edgeworker.host.management.inspector import inspector_application

        return inspector_application(children, socket.host, limits)

    return ManagementSocket(make, socket)
