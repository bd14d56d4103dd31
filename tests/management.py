"""The REST API on a socket, as `dev` serves it."""

from dataclasses import replace

from aiohttp.web import Application

from edgeworker.config import Limits, Socket
from edgeworker.handler import Handler
from edgeworker.host.management import ManagementListener, listen_management

BODY_BYTES = 5 * 1024**3


async def listen_api(api: Handler, limits: Limits | None = None, socket: Socket | None = None) -> ManagementListener:
    limits = replace(limits or Limits(), body_bytes=BODY_BYTES)

    def make() -> Application:
        from edgeworker.host.management.application import management_application

        return management_application(api, limits)

    return await listen_management(make, socket or Socket(port=0), limits=limits)
