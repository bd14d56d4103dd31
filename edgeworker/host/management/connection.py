"""A connection of the management plane: our request parser and limits in front of aiohttp's protocol.

aiohttp is given one request at a time, its head written anew from what `RequestParser` has read: what the edge's own
sockets refuse is refused here with the same answers, and the two parsers cannot disagree about where a request ends.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from edgeworker.admission import Field, Refusal
from edgeworker.host.management.refused import build_refusal_record
from edgeworker.messages import Client, RefusalReason, Request
from edgeworker.rays import new_ray
from edgeworker.server import proxies
from edgeworker.server.access_log import AccessLogger
from edgeworker.server.client_body import BodyRefused
from edgeworker.server.http1 import heads
from edgeworker.server.http1.request_parser import MalformedRequest, RequestHead, RequestParser
from edgeworker.server.http1.transport import as_transport
from edgeworker.server.listener_state import ListenerState, refusal_bytes
from edgeworker.server.peer import Peer
from edgeworker.server.received_request import ServerOptions, build_request, resolve_forwarded_client

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import StreamReader
    from aiohttp.web import StreamResponse
    from aiohttp.web_protocol import RequestHandler

_log: Final = logging.getLogger(__name__)

# Of the requests that follow the one in hand; more stays with the client.
_PIPELINED_BYTES: Final = 64 * 1024
LINGER_SECONDS: Final = 1.0
_HEAD_END: Final = b"\r\n\r\n"
# aiohttp refuses a request in which one of these stands twice, and one with the last of `_UNUSED`.
_ONLY_FIRST: Final = frozenset(
    {b"content-location", b"content-range", b"content-type", b"etag", b"max-forwards", b"server", b"user-agent"}
)
_UNUSED: Final = frozenset({b"expect", b"sec-websocket-key1"})
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

IDLE: Final = 0  # between two requests
READING_HEAD: Final = 1
SERVING: Final = 2
CLOSING: Final = 3  # the last bytes are on their way; what comes is thrown away


@dataclass(slots=True)
class Shared:
    """What all connections of a listener share. `protocol` gives a new one of aiohttp's, loading aiohttp first;
    `record` gets each request that was refused."""

    state: ListenerState
    scheme: str
    protocol: "Callable[[], Awaitable[RequestHandler]]"
    record: AccessLogger | None = None
    connections: "set[ManagementConnection]" = field(default_factory=set)


_TOO_MANY: Final = Refusal(503, "There are too many connections to the management plane.")


class ManagementConnection(asyncio.Protocol):
    """The transport's protocol, which `connection_of(request)` finds.

    `head` and `request` are those of the request in hand, and `refusal_reason` why its answer refuses it, where the
    application says so.
    """

    def __init__(self, shared: Shared) -> None:
        self.client = Client("")
        self.trusted = False
        self.head: RequestHead | None = None
        self.request: Request | ServerOptions | None = None
        self.refusal_reason: RefusalReason | None = None
        self._shared = shared
        self._limits = shared.state.limits
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._http: RequestHandler | None = None
        self._loading: asyncio.Task[None] | None = None
        self._peer = Peer(shared.state)
        self._parser = RequestParser(shared.state.limits)
        self._state = IDLE
        self._idle_since = self._loop.time()
        self._pipelined = b""  # not read yet
        self._checked = b""  # read by our parser and not yet given to aiohttp
        self._content: StreamReader | None = None
        self._body_refusal: Refusal | None = None
        self._is_upgraded = False
        self._is_ended = False  # the client sends no more
        self._is_unreadable = False  # what the client sends cannot be read any more
        self._finished: asyncio.Future[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._write_deadline: asyncio.TimerHandle | None = None

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = self._transport = as_transport(transport)
        self._shared.connections.add(self)
        self._enter(IDLE, self._limits.keepalive_timeout_seconds)
        refusal = self._peer.admit(transport)
        self.client, self.trusted = self._peer.client, self._peer.trusted
        if refusal is None and not self._shared.state.open_connections.admit(self):
            refusal = _TOO_MANY
        if refusal is not None:
            self._refuse(refusal)

    def data_received(self, data: bytes) -> None:
        if self._state == CLOSING or self._is_unreadable:
            return
        if self._peer.awaits_proxy_header:
            data = self._read_proxy_header(data)
        if self._is_upgraded and self._http is not None:
            self._http.data_received(data)
        elif data:
            self._pipelined += data
            self._read()

    def eof_received(self) -> bool:
        """The client sends no more; it may still wait for an answer, unless TLS is spoken, where asyncio ends both."""
        self._is_ended = True
        if self._state == READING_HEAD:
            self._refuse(Refusal(400, "The connection was closed in the middle of the request."))
        if self._state != SERVING or self._is_upgraded:
            return False
        if not self._parser.complete:
            self._fail_body(Refusal(400, "The connection was closed in the middle of the body."))
        self._expect(self._limits.half_closed_seconds)
        return self._shared.scheme == "http"

    def connection_lost(self, exc: BaseException | None) -> None:
        self._transport = None
        self._state = CLOSING
        self._tell_finished()
        self._shared.connections.discard(self)
        self._shared.state.open_connections.release(self)
        self._peer.release()
        for timer in (self._deadline, self._write_deadline):
            if timer is not None:
                timer.cancel()
        if self._loading is not None:
            self._loading.cancel()
        if self._http is not None:
            self._http.connection_lost(exc)

    def pause_writing(self) -> None:
        # However an answer is written: a client that takes none of it for that long holds nothing any more.
        self._write_deadline = self._loop.call_later(self._limits.write_timeout_seconds, self.abort)
        if self._http is not None:
            self._http.pause_writing()

    def resume_writing(self) -> None:
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None
        if self._http is not None:
            self._http.resume_writing()

    # The application's side

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for 100 Continue before it sends its body."""
        head = self.head
        return head is not None and head.expect is not None and not head.http10 and not self._parser.complete

    def send_continue(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_CONTINUE)

    def begin_request(self, content: "StreamReader") -> None:
        """From now on reading `content` raises why the rest of the body will not come."""
        self._content = content
        if self._body_refusal is not None:
            self._fail_body(self._body_refusal)

    def begin_response(self, response: "StreamResponse") -> None:
        """The head of `response` is about to be written."""
        if response.status >= 400:
            self._record_refusal(response)
        head = self.head
        upgrades = head is not None and head.websocket
        if upgrades and response.status == 101:
            self._is_upgraded = True
            self._set_deadline(None)
            data, self._pipelined = self._pipelined, b""
            if data and self._http is not None:
                self._http.data_received(data)
        elif upgrades or not self._parser.complete or self._is_last_request or self._shared.state.closing:
            response.force_close()
            response.headers["Connection"] = "close"

    def finish_response(self, response: "StreamResponse") -> None:
        """The last byte of `response` was written."""
        self._content = self.head = self.request = self._body_refusal = self.refusal_reason = None
        self._tell_finished()
        if self._transport is None or self._state != SERVING:
            return
        if not response.keep_alive or not self._parser.complete or self._is_upgraded:
            self._state = CLOSING  # aiohttp closes the connection
            return
        self._parser.next_request()
        self._enter(IDLE, self._limits.keepalive_timeout_seconds)
        self._transport.resume_reading()
        self._read()
        if self._is_ended or self._shared.state.closing:
            self.close_when_idle()

    def _record_refusal(self, response: "StreamResponse") -> None:
        """Gives the answer a ray id, and records under it why the request was refused."""
        ray, request, record = response.headers.setdefault("CF-Ray", new_ray()), self.request, self._shared.record
        if record is not None and isinstance(request, Request):
            record(build_refusal_record(request, response.status, ray, self.refusal_reason))

    @property
    def _is_last_request(self) -> bool:
        """Whether nothing can follow the request in hand."""
        return self._is_ended and not self._pipelined

    async def response_finished(self) -> None:
        """Until the request in hand is answered."""
        if self._state == SERVING:
            self._finished = self._loop.create_future()
            await self._finished

    @property
    def idle_since(self) -> float | None:
        """Since when it waits for a request, in seconds of the event loop; None while one is under way or begun."""
        return self._idle_since if self._state == IDLE else None

    def close_when_idle(self) -> None:
        if self._state in (IDLE, READING_HEAD) and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # Reading

    def _read(self) -> None:
        """Reads what belongs to the request in hand and passes it on."""
        parser = self._parser
        if not parser.complete and self._pipelined:
            data, self._pipelined = self._pipelined, b""
            try:
                end = parser.feed(data)
            except MalformedRequest as error:
                self._is_unreadable = True
                if self._state == SERVING:
                    self._fail_body(error.refusal)
                else:
                    self._refuse(error.refusal)
                return
            parser.pieces = []
            self._checked += data[:end]
            self._pipelined = data[end:]
            if parser.head is None:
                self._enter(READING_HEAD, self._limits.header_timeout_seconds)
                return
            if self._state != SERVING:
                request = self._build_request(parser.head)
                if isinstance(request, Refusal):
                    self._refuse(request)
                    return
                self._state, self.head, self.request = SERVING, parser.head, request
                self._set_deadline(None)
                if self._is_ended:
                    self._expect(self._limits.half_closed_seconds)
                body = self._checked.lstrip(b"\r\n").partition(_HEAD_END)[2]
                self._checked = _canonical_head(parser.head) + body
            self._pass_on()
        if len(self._pipelined) > _PIPELINED_BYTES and self._transport is not None:
            self._transport.pause_reading()

    def _build_request(self, head: RequestHead) -> Request | ServerOptions | Refusal:
        shared, client, scheme = self._shared, self.client, self._shared.scheme
        if self.trusted:
            client, scheme = resolve_forwarded_client(head.fields, client, scheme, shared.state.trusted)
        return build_request(head, None, scheme=scheme, client=client, limits=self._limits)

    def _pass_on(self) -> None:
        if self._http is not None:
            data, self._checked = self._checked, b""
            self._http.data_received(data)
        elif self._loading is None and self._transport is not None:
            self._transport.pause_reading()
            self._loading = self._loop.create_task(self._attach(self._transport))

    async def _attach(self, transport: asyncio.Transport) -> None:
        try:
            http = await self._shared.protocol()
        except Exception:  # noqa: BLE001  # a bug of ours, or an installation that is not whole
            _log.exception("the management plane cannot be started")
            self._refuse(Refusal(503, "The management plane cannot be started; the log says why."))
            return
        finally:
            self._loading = None
        if transport.is_closing():
            return
        self._http = http
        http.connection_made(transport)
        transport.resume_reading()
        self._pass_on()

    def _tell_finished(self) -> None:
        if self._finished is not None and not self._finished.done():
            self._finished.set_result(None)

    def _fail_body(self, refusal: Refusal) -> None:
        self._body_refusal = refusal
        if self._content is not None and not self._content.is_eof():
            self._content.set_exception(BodyRefused(refusal))

    def _refuse(self, refusal: Refusal) -> None:
        """The last thing that is said on this connection. What still comes is thrown away for a while: to close with
        bytes unread resets the connection, and the client may never see the answer."""
        transport = self._transport
        if transport is None or transport.is_closing() or self._state == CLOSING:
            return
        ray = new_ray()
        self._shared.state.log_refusal(refusal, self.client.ip, ray)
        transport.write(refusal_bytes(refusal, ray))
        if transport.can_write_eof() and not self._is_ended:
            transport.write_eof()
        self._enter(CLOSING, LINGER_SECONDS)

    def _read_proxy_header(self, data: bytes) -> bytes:
        """What follows the PROXY header, once it is there."""
        match self._peer.read_proxy_header(data):
            case proxies.NeedMoreData():
                self._enter(READING_HEAD, self._limits.header_timeout_seconds)
                return b""
            case proxies.InvalidProxyHeader():
                self.abort()
                return b""
            case Refusal() as refusal:
                self.client = self._peer.client
                self._refuse(refusal)
                return b""
            case bytes() as rest:
                self._enter(IDLE, self._limits.keepalive_timeout_seconds)
                self.client, self.trusted = self._peer.client, self._peer.trusted
                return rest

    # Time

    def _enter(self, state: int, seconds: float) -> None:
        """Begins `state`, which may last that long. A head that comes in pieces has one deadline for all of them."""
        if state != READING_HEAD or self._state != READING_HEAD:
            self._state = state
            self._idle_since = self._loop.time()
            self._expect(seconds)

    def _expect(self, seconds: float) -> None:
        self._set_deadline(self._loop.call_later(seconds, self._look_at_the_clock))

    def _set_deadline(self, timer: asyncio.TimerHandle | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = timer

    def _look_at_the_clock(self) -> None:
        match self._state:
            case 1:
                self._refuse(Refusal(408, "The header fields came too slowly."))
            case 0 if self._transport is not None:
                self._transport.close()
            case _:
                self.abort()


def _canonical_head(head: RequestHead) -> bytes:
    """Without Expect: 100 Continue is sent here, when a body is wanted (`RequestBody`)."""
    version = b"HTTP/1.0" if head.http10 else b"HTTP/1.1"
    fields: list[Field] = []
    seen: set[bytes] = set()
    for name, value in head.fields:
        lower = name.lower()
        if lower not in _UNUSED and not (lower in _ONLY_FIRST and lower in seen):
            fields.append((name, value))
        seen.add(lower)
    return heads.serialize_head(b"%b %b %b" % (head.method.encode(), head.target, version), fields)
