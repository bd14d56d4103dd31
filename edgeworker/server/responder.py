"""From a request that was received to the end of its response: the steps of `Responder.serve`, one method each."""

import asyncio
import logging
from email.utils import formatdate
from typing import Final

from edgeworker.admission import ALLOW, Refusal
from edgeworker.clock import Clock
from edgeworker.config import Limits
from edgeworker.errors import OriginError
from edgeworker.handler import Handler
from edgeworker.messages import Headers, RefusalReason, Request, Response, Upgrade
from edgeworker.rays import new_ray, parse_ray
from edgeworker.server import received_request, upgraded
from edgeworker.server.access_log import CLIENT_LEFT, LISTENER_RULE, AccessLogger, AccessLogRecord, build_unread_record
from edgeworker.server.client_body import BodyRefused
from edgeworker.server.client_tls import NO_TLS
from edgeworker.server.listener_state import ListenerState
from edgeworker.server.received_request import ReceivedRequest, ServerOptions
from edgeworker.server.response_writer import FramedResponse, IncompleteResponse, frame_response, write_response

_log = logging.getLogger(__name__)

_NO_HANDSHAKE: Final = Refusal(426, "This URL speaks WebSocket: ask for an upgrade with a key and version 13.")
_SERVER_ERROR: Final = Refusal(500, "Internal Server Error")
_CUT: Final = "no rule: the answer had begun, and was cut"
_UNWRITABLE: Final = "its answer cannot be written as HTTP; the log says why"


class Responder:
    """`handler` may be replaced at any time: each request takes the one that is there. `adds_ray`: an error gets a
    CF-Ray, which the access log knows it by."""

    def __init__(
        self,
        handler: Handler,
        state: ListenerState,
        *,
        scheme: str,
        clock: Clock,
        access_logger: AccessLogger | None,
        adds_ray: bool = True,
    ) -> None:
        self.handler = handler
        self._adds_ray = adds_ray
        self._state = state
        self._scheme = scheme
        self._limits: Limits = state.limits
        self._clock = clock
        self._access_logger = access_logger
        # Neither has an end to wait for when the listener closes: `end_sessions` ends them.
        self._upgrades: set[Upgrade] = set()
        self._sessions: set[asyncio.Task[object]] = set()
        self._date = (0, b"")

    async def serve(self, received: ReceivedRequest) -> None:
        """One request, up to the end of its response; the connection learns whether it can continue."""
        keep_alive = False
        if self._access_logger is not None:
            received.begun = self._clock.monotonic()
        try:
            keep_alive = await self._respond(received)
        except asyncio.CancelledError:
            received.is_complete = False
            received.connection.abort()
            raise
        except Exception:  # noqa: BLE001  # a bug of ours; part of a response may be written, so no other can be
            _log.exception("a request could not be served")
            received.is_complete = False
            received.connection.abort()
        finally:
            if self._access_logger is not None:
                self._access_logger(self._build_record(received))
            received.connection.finish_request(keep_alive=keep_alive)

    def end_sessions(self) -> None:
        """End the WebSockets."""
        for upgrade in self._upgrades:
            upgrade.close()
        for session in self._sessions:
            session.cancel()

    async def _respond(self, received: ReceivedRequest) -> bool:
        """Whether the connection can go on."""
        request = self._build_request(received)
        if isinstance(request, Refusal):
            response, keep_alive = _refusal_page(request), False
        elif isinstance(request, ServerOptions):
            response, keep_alive = Response(204, Headers({"Allow": ALLOW})), received.head.keep_alive
        else:
            received.request = request
            response = await self._fetch(request)
            refusal = None if received.body is None else received.body.refusal
            if refusal is not None:
                await response.close()
                response, keep_alive = _refusal_page(refusal), False
            elif response.upgrade is not None and response.status == 101 and received.head.websocket:
                return await self._relay_upgrade(received, response, response.upgrade)
            elif response.web_socket is not None:
                if await self._relay_web_socket(received, response):
                    return False
                await response.close()
                response, keep_alive = _refusal_page(_NO_HANDSHAKE), False
            else:
                keep_alive = received.head.keep_alive
        if (
            self._adds_ray
            and (response.status >= 400 or received.request is None)
            and not response.headers.get("cf-ray")
        ):
            response.headers.set("CF-Ray", new_ray())
        received.response = response
        framed = self._frame(received, response, keep_alive=keep_alive)
        await self._write(received, response, framed)
        return framed.keep_alive and received.is_complete

    # The steps

    def _build_request(self, received: ReceivedRequest) -> Request | ServerOptions | Refusal:
        head, connection = received.head, received.connection
        client, scheme = connection.client, self._scheme
        if connection.trusted:
            client, scheme = received_request.resolve_forwarded_client(head.fields, client, scheme, self._state.trusted)
        received.client = client
        # A trusted proxy's TLS facts describe the proxy, not its client, so they are not used.
        cf = connection.tls.cf if client is connection.client else NO_TLS.cf
        return received_request.build_request(
            head, received.body, scheme=scheme, client=client, limits=self._limits, cf=cf
        )

    async def _fetch(self, request: Request) -> Response:
        try:
            return await self.handler.fetch(request)
        except BodyRefused as error:
            return _refusal_page(error.refusal)
        except Exception:  # noqa: BLE001  # whatever a handler does wrong, the client gets an answer
            page, fields = _refusal_page(_SERVER_ERROR), {"client": request.client.ip}
            if self._adds_ray:
                fields["ray"] = new_ray()
                page.headers.set("CF-Ray", fields["ray"])
            place = f"{request.method} {request.url.origin}{request.url.path}"
            _log.exception("%s: the handler failed", place, extra={"fields": fields})
            return page

    def _frame(self, received: ReceivedRequest, response: Response, *, keep_alive: bool) -> FramedResponse:
        head, connection, date = received.head, received.connection, self._http_date()
        keep_alive = (
            keep_alive and connection.request_complete and not connection.is_last_request and not self._state.closing
        )
        try:
            return frame_response(response, method=head.method, date=date, keep_alive=keep_alive, http10=head.http10)
        except ValueError:
            _log.exception("%s: the handler made a response that cannot be written", head.method)
            page, ray = _refusal_page(_SERVER_ERROR), response.headers.get("cf-ray")
            if self._adds_ray:
                page.headers.set("CF-Ray", ray or new_ray())
            page.refusal_reason = RefusalReason(f"{response.served_by or 'the edge'}", (_UNWRITABLE,))
            received.response = page
            return frame_response(page, method=head.method, date=date, keep_alive=False, http10=head.http10)

    async def _write(self, received: ReceivedRequest, response: Response, framed: FramedResponse) -> None:
        connection, body = received.connection, framed.body
        if received.body is not None:
            received.body.response_begins(streamed=body is not None and body.complete is None)
        received.status = framed.status
        connection.begin_response()
        try:
            received.sent_bytes = await write_response(
                framed, connection, timeout_seconds=self._limits.write_timeout_seconds
            )
        except IncompleteResponse as error:
            fields = {"client": received.client.ip, "ray": response.headers.get("cf-ray") or "-"}
            place = f"{received.head.method} {received.url}"
            _log.warning("%s: the answer was cut: %s", place, error, exc_info=error.__cause__, extra={"fields": fields})
            connection.abort(reset=framed.ends_with_connection)
            received.is_complete = False
            response.refusal_reason = RefusalReason(_CUT, (_describe_cut(error),))
        except ConnectionError:
            received.is_complete = False
        if body is not response.body or not received.is_complete:
            await response.close()

    async def _relay_upgrade(self, received: ReceivedRequest, response: Response, upgrade: Upgrade) -> bool:
        """Relay bytes both ways until an end is done."""
        stream = None
        received.response, received.status = response, 101
        self._upgrades.add(upgrade)
        try:
            stream = received.connection.accept_upgrade()
            upgraded.write_head(response, stream, (), date=self._http_date())
            await upgraded.relay_bytes(stream, upgrade)
        except ConnectionError:
            received.is_complete = False
        finally:
            self._upgrades.discard(upgrade)
            upgrade.close()
            received.sent_bytes = 0 if stream is None else stream.sent
        return False

    async def _relay_web_socket(self, received: ReceivedRequest, response: Response) -> bool:
        """Relay messages between client and script; False if the client did not ask for a WebSocket."""
        # Its library takes a while to load, and few workers answer with a WebSocket.
        from edgeworker.server import websocket

        handshake = websocket.accept_handshake(received.head)
        task = asyncio.current_task()
        if handshake is None or response.web_socket is None or task is None:
            return False
        received.response, received.status = response, 101
        self._sessions.add(task)
        try:
            await websocket.relay_messages(
                response, response.web_socket, handshake, received.connection, self._http_date()
            )
        except asyncio.CancelledError:
            if not self._state.closing:
                raise  # the client has gone
        finally:
            self._sessions.discard(task)
        return True

    # The log

    def log_refusal(self, refusal: Refusal, client: str, ray: str) -> None:
        """A request that was refused unread."""
        if self._access_logger is not None:
            self._access_logger(build_unread_record(refusal, client=client, ray=ray))

    def _build_record(self, received: ReceivedRequest) -> AccessLogRecord:
        request, response = received.request, received.response
        host, path = ("-", "-") if request is None else (request.url.host, request.url.path)
        served_by, token, refusal, ray, reason = "", "", None, "", ""
        if response is not None:
            served_by, token, refusal = response.served_by, response.token_result, response.refusal_reason
            ray = response.headers.get("cf-ray") or ""
            if request is None and refusal is not None:
                reason = " ".join(refusal.evidence)
        elif request is not None and self._adds_ray:
            ray = parse_ray(request.headers.get("cf-ray") or "") or ""  # the edge has set it
        seconds = self._clock.monotonic() - received.begun
        # A NamedTuple's own constructor takes five times as long.
        return tuple.__new__(
            AccessLogRecord,
            (
                received.head.method,
                host,
                path,
                received.status or CLIENT_LEFT,
                seconds,
                received.sent_bytes,
                received.is_complete,
                served_by,
                received.client.ip,
                ray,
                reason,
                token,
                refusal,
            ),
        )

    def _http_date(self) -> bytes:
        now = self._clock.now()
        if self._date[0] != now:
            self._date = (now, formatdate(now, usegmt=True).encode("ascii"))
        return self._date[1]


def _describe_cut(error: IncompleteResponse) -> str:
    """What an origin did, else what kind of error it was: the text of another one may hold anything."""
    match error.__cause__:
        case None | TimeoutError():  # of the latter the text says whose it was
            return str(error)
        case OriginError():
            return str(error.__cause__)
        case cause:
            return f"{error}: {type(cause).__name__}; the log says more"


def _refusal_page(refusal: Refusal) -> Response:
    headers = Headers({"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"})
    if refusal.status == 405:
        headers.set("Allow", ALLOW)
    response = Response(refusal.status, headers, refusal.text.encode() + b"\n")
    response.refusal_reason = RefusalReason(LISTENER_RULE, (refusal.text,))
    return response
