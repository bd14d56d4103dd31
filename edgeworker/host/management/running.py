"""A running aiohttp application, without sockets: it gives the protocols that connections speak."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final, Self

from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import AppKey, Application, AppRunner, BaseRequest, Request, StreamResponse
from aiohttp.web_protocol import RequestHandler

from edgeworker.host.management.connection import LINGER_SECONDS, ManagementConnection

_log: Final = logging.getLogger("edgeworker.management")

# Set when the listener stops: a live stream (WebSocket, server-sent events) waits for it beside its own events.
STOPPING: Final = AppKey("stopping", asyncio.Event)
# Our own deadlines come first; aiohttp's counts from the last response on, whatever has come since.
_KEEPALIVE_SECONDS: Final = 3600.0
_LARGE: Final = 1 << 30  # sizes are bounded by our own parser


def connection_of(request: BaseRequest) -> ManagementConnection | None:
    """None where the client has gone."""
    transport = request.transport
    protocol = None if transport is None else transport.get_protocol()
    return protocol if isinstance(protocol, ManagementConnection) else None


@dataclass(frozen=True, slots=True)
class Running:
    """`stopping` is set to end live streams, and `close` ends the rest."""

    stopping: asyncio.Event
    _runner: AppRunner

    @classmethod
    async def start(cls, application: Application) -> Self:
        stopping = application[STOPPING] = asyncio.Event()
        application.on_response_prepare.append(_begin_response)
        runner = AppRunner(
            application,
            access_log_class=_ResponseFinished,
            logger=_log,
            keepalive_timeout=_KEEPALIVE_SECONDS,
            lingering_time=LINGER_SECONDS,
            max_line_size=_LARGE,
            max_field_size=_LARGE,
            max_headers=_LARGE,
            auto_decompress=False,
            handler_cancellation=True,
            shutdown_timeout=LINGER_SECONDS,
        )
        await runner.setup()
        return cls(stopping, runner)

    def protocol(self) -> RequestHandler:
        server = self._runner.server
        assert server is not None
        return server()

    async def close(self) -> None:
        await self._runner.cleanup()


async def _begin_response(request: Request, response: StreamResponse) -> None:
    response.headers.popall("Server", None)
    connection = connection_of(request)
    if connection is not None:
        connection.begin_response(response)


class _ResponseFinished(AbstractAccessLogger):
    """aiohttp tells its access log when a response was written to its end."""

    def log(self, request: BaseRequest, response: StreamResponse, time: float) -> None:
        connection = connection_of(request)
        if connection is not None:
            connection.finish_response(response)


def _is_not_a_clients_mistake(record: logging.LogRecord) -> bool:
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


_log.addFilter(_is_not_a_clients_mistake)
