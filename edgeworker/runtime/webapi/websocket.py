"""`WebSocketPair` and its two ends: messages between a script and the client that its response goes to.

Source: https://developers.cloudflare.com/workers/runtime-apis/websockets/
"""

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import ClassVar, Final, Self

from edgeworker.messages import Closed, WebSocketMessage
from edgeworker.runtime.contract import current_invocation
from edgeworker.runtime.webapi.base import JsObject, type_error
from edgeworker.runtime.webapi.buffers import ArrayBuffer, to_bytes
from edgeworker.runtime.webapi.ffi import JsDict, JsException
from edgeworker.runtime.webapi.surplus import javascript_class

_log = logging.getLogger(__name__)

Listener = Callable[..., object]

_NO_CODE: Final = 1005
_LOST: Final = 1006
_REASON_BYTES: Final = 123
_CONNECTION_IS_OVER: Final = "Can't call WebSocket send() after close()."


class WebSocketEvent(JsDict):
    """What a listener gets: `type`, and `data` of a message, or `code`, `reason` and `wasClean` of a close."""


class WebSocket(JsObject):
    """One end of a pair. What is sent before the other end is accepted waits there."""

    CONNECTING: ClassVar[int] = 0
    OPEN: ClassVar[int] = 1
    CLOSING: ClassVar[int] = 2
    CLOSED: ClassVar[int] = 3
    READY_STATE_CONNECTING: ClassVar[int] = 0
    READY_STATE_OPEN: ClassVar[int] = 1
    READY_STATE_CLOSING: ClassVar[int] = 2
    READY_STATE_CLOSED: ClassVar[int] = 3
    url = None
    protocol = ""
    extensions = ""

    def __init__(self) -> None:
        self._peer: WebSocket | None = None
        self.onmessage: Listener | None = None
        self.onclose: Listener | None = None
        self.onerror: Listener | None = None  # nothing calls it: what fails is a close
        self._listeners: dict[str, list[Listener]] = {}
        self._waiting: deque[WebSocketMessage] = deque()
        self._accepted: Context | None = None  # the invocation that listeners belong to
        self._given_away = False
        self._waiter: asyncio.Future[None] | None = None
        self._closed_here = False
        self._closed_there = False

    @classmethod
    def new(cls, *_args: object, **_options: object) -> Self:
        raise type_error("new WebSocket(url): fetch() the URL with the header Upgrade: websocket instead")

    @classmethod
    def pair(cls) -> "tuple[WebSocket, WebSocket]":
        one, other = cls(), cls()
        one._peer, other._peer = other, one
        return one, other

    # What a script calls

    @property
    def readyState(self) -> int:
        if self._closed_here or self._closed_there:
            return self.CLOSED if self._closed_here and self._closed_there else self.CLOSING
        return self.OPEN

    def accept(self, _options: object = None, **_keywords: object) -> None:
        """From now on events come. Raises JsException (TypeError) for an end that is a response's."""
        if self._given_away:
            raise type_error("Can't accept() WebSocket when it was already used in a response.")
        if self._accepted is None:
            self._accepted = copy_context()
            self._call_later()

    def send(self, data: object) -> None:
        """Text or bytes. Raises JsException (TypeError) before accept() and after close()."""
        if self._accepted is None:
            raise type_error("You must call accept() on this WebSocket before sending messages.")
        if self._closed_here:
            raise type_error(_CONNECTION_IS_OVER)
        content = data if isinstance(data, str) else to_bytes(data)
        self._send(content)

    def close(self, code: object = None, reason: object = None) -> None:
        """Raises JsException (InvalidAccessError) for a code that a script may not send."""
        if self._accepted is None:
            raise type_error("You must call accept() on this WebSocket before calling close().")
        number = _NO_CODE if code is None else code
        if not isinstance(number, int) or (code is not None and not _may_be_sent(number)):
            raise JsException("InvalidAccessError", f"Invalid WebSocket close code: {code}.")
        text = "" if reason is None else str(reason)
        if text and code is None:
            raise type_error("If you specify a WebSocket close reason, you must also specify a code.")
        if len(text.encode()) > _REASON_BYTES:
            raise JsException("SyntaxError", f"WebSocket close reason must be no more than {_REASON_BYTES} bytes.")
        if not self._closed_here:
            self._closed_here = True
            self._send(Closed(number, text))

    def addEventListener(self, kind: str, listener: Listener, _options: object = None) -> None:
        self._listeners.setdefault(kind, []).append(listener)

    def removeEventListener(self, kind: str, listener: Listener, _options: object = None) -> None:
        listeners = self._listeners.get(kind, [])
        if listener in listeners:
            listeners.remove(listener)

    # The edge's side of an end that a response took

    def give_away(self) -> None:
        """Raises JsException (TypeError) for an end that is in use."""
        if self._accepted is not None:
            raise type_error("Can't return WebSocket in a Response after calling accept().")
        if self._given_away:
            raise type_error("Can't return WebSocket that was already used in a response.")
        self._given_away = True

    async def receive(self) -> WebSocketMessage:
        while not self._waiting:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._waiting.popleft()

    def deliver(self, message: WebSocketMessage) -> None:
        self._send(message)

    # Between the two ends

    def _send(self, message: WebSocketMessage) -> None:
        peer = self._peer
        assert peer is not None
        if peer._closed_there:
            return
        peer._closed_there = isinstance(message, Closed)
        peer._waiting.append(message)
        if peer._waiter is not None and not peer._waiter.done():
            peer._waiter.set_result(None)
        peer._call_later()

    def _call_later(self) -> None:
        if self._accepted is not None and self._waiting:
            asyncio.get_running_loop().call_soon(self._dispatch, context=self._accepted)

    def _dispatch(self) -> None:
        while self._waiting:
            match self._waiting.popleft():
                case Closed(code, reason):
                    clean, self._closed_here = code != _LOST, True  # the edge has answered the close already
                    self._emit(
                        "close", WebSocketEvent(type="close", code=code, reason=reason, wasClean=clean, target=self)
                    )
                case content:
                    data = ArrayBuffer(content) if isinstance(content, bytes) else content
                    self._emit("message", WebSocketEvent(type="message", data=data, target=self))

    def _emit(self, kind: str, event: WebSocketEvent) -> None:
        own = {"message": self.onmessage, "close": self.onclose}[kind]
        for listener in [*([own] if own is not None else []), *self._listeners.get(kind, ())]:
            self._call(listener, event)

    def _call(self, listener: Listener, event: WebSocketEvent) -> None:
        try:
            result = listener(event)
        except Exception:  # noqa: BLE001  # a script's listener: no caller could catch it
            _log.error("a listener of a WebSocket raised an exception", exc_info=True)  # with traceback
        else:
            if inspect.isawaitable(result):
                current_invocation.wait_until(result)

    def __repr__(self) -> str:
        return f"<WebSocket readyState={self.readyState}>"


def _may_be_sent(code: int) -> bool:
    """https://www.rfc-editor.org/rfc/rfc6455#section-7.4"""
    return code in (1000, 1001, 1002, 1003, *range(1007, 1015)) or 3000 <= code <= 4999


@javascript_class
class WebSocketPair(JsDict):
    """`client, server = WebSocketPair.new().object_values()`; also `pair[0]` and `pair["1"]`."""

    def __init__(self) -> None:
        one, other = WebSocket.pair()
        super().__init__({"0": one, "1": other})

    @classmethod
    def new(cls) -> Self:
        return cls()

    def __getitem__(self, key: object) -> object:
        return super().__getitem__(str(key))


def take_for_response(web_socket: object, status: int) -> WebSocket:
    """The end that goes into a response of this status. Raises JsException (TypeError, RangeError)."""
    if not isinstance(web_socket, WebSocket):
        raise type_error(f"a response's webSocket is an end of a WebSocketPair, not {type(web_socket).__name__}")
    if status != 101:
        raise JsException("RangeError", "Responses with a WebSocket must have status code 101.")
    web_socket.give_away()
    return web_socket
