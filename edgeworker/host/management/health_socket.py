"""The socket of health and metrics; aiohttp is loaded with its first request."""

from typing import TYPE_CHECKING

from edgeworker.clock import Clock
from edgeworker.config import Limits, Socket
from edgeworker.host.sockets import ManagementSocket
from edgeworker.metrics.snapshots import Snapshots

if TYPE_CHECKING:
    from aiohttp.web import Application

    from edgeworker.host.management.health import Readiness


def health_socket(
    snapshots: Snapshots, readiness: "Readiness", clock: Clock, socket: Socket, limits: Limits
) -> ManagementSocket:
    def make() -> "Application":
        from edgeworker.host.management.health import health_application

        return health_application(snapshots, readiness, clock, limits)

    return ManagementSocket(make, socket)
