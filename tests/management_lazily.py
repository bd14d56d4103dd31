"""Asks the management plane once, in a process of its own; see tests/host/management/test_listener.py."""

import sys
from asyncio import open_connection

from edgeworker.config import Limits, Socket
from edgeworker.host.management import listen_management
from edgeworker.messages import Request, Response


class _Api:
    async def fetch(self, request: Request, /) -> Response:
        return Response(200)


async def run() -> str:
    def make() -> "object":
        from edgeworker.host.management.application import management_application

        return management_application(_Api(), Limits())

    listener = await listen_management(make, Socket(port=0), limits=Limits())  # type: ignore[arg-type]
    reader, writer = await open_connection("127.0.0.1", listener.port)
    before = "aiohttp" in sys.modules
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    await reader.read()
    writer.close()
    await listener.close(0)
    return f"{before} {'aiohttp' in sys.modules}"
