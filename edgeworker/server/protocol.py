"""aiohttp's connection with a client, with the limits and answers that it does not have itself."""

import asyncio
import logging
from collections.abc import Callable

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod, LineTooLong

from edgeworker.admission import Refusal
from edgeworker.config import Limits

_log = logging.getLogger(__name__)


class ClientConnection(web.RequestHandler):
    """`refuse` makes the answer to a request that the parser refused."""

    __slots__ = ("_bytes_of_head", "_head_timer", "_limits", "_refuse", "_seen")

    def __init__(
        self,
        server: web.Server,
        *,
        limits: Limits,
        refuse: Callable[[web.BaseRequest, Refusal], web.StreamResponse],
    ) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # aiohttp itself passes None to turn it off
            keepalive_timeout=limits.keepalive_timeout_seconds,
            max_line_size=limits.request_line_bytes,
            # One more, so that a LineTooLong says which of the two limits it met.
            max_field_size=limits.header_bytes + (limits.header_bytes == limits.request_line_bytes),
            max_headers=limits.headers,
            lingering_time=0,
            auto_decompress=False,
        )
        self._limits = limits
        self._refuse = refuse

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers what the parser refused; a bug of ours is answered by the listener and does not come here."""
        refusal: Refusal
        match exc:
            case LineTooLong() if exc.args[1] == self._limits.request_line_bytes:
                refusal = Refusal(414, f"The request target is longer than {exc.args[1]} bytes.")
            case LineTooLong():
                refusal = Refusal(431, f"A header field is larger than {self._limits.header_bytes} bytes.")
            case BadHttpMethod():
                refusal = Refusal(400, "The method is not one of HTTP's.")
            case _ if message == "Too many headers received":
                refusal = Refusal(431, f"There are more than {self._limits.headers} header fields.")
            case _:
                refusal = Refusal(400, "The request is not HTTP/1.1.")
        return self._refuse(request, refusal)
