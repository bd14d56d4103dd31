"""WebSockets between a script of this engine and the edge, by number.

An end that the script answered with has a negative number of the script's; one that came with what it fetched has a
positive one of ours.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from edgeworker.messages import Closed, Response, Upgrade, WebSocketEnd, WebSocketMessage
from edgeworker.runtime.quickjs.invocation import Invocation
from edgeworker.runtime.quickjs.realm import Realm

_ABNORMAL_CLOSURE: Final = 1006
_MAX_BUFFERED_BYTES: Final = 64 * 1024 * 1024  # of messages that a client has not taken yet


class AnsweredEnd:
    """The client's end of a script's pair."""

    def __init__(self, deliver: Callable[[WebSocketMessage], None]) -> None:
        self.deliver = deliver
        self._messages: asyncio.Queue[WebSocketMessage] = asyncio.Queue()
        self._buffered_bytes = 0

    async def receive(self) -> WebSocketMessage:
        message = await self._messages.get()
        self._buffered_bytes -= _measure(message)
        return message

    def send(self, message: WebSocketMessage) -> None:
        self._buffered_bytes += _measure(message)
        if self._buffered_bytes > _MAX_BUFFERED_BYTES:
            message = Closed(_ABNORMAL_CLOSURE)
        self._messages.put_nowait(message)


class ScriptWebSockets:
    """`realm` is set later."""

    def __init__(self) -> None:
        self.realm: Realm | None = None
        self._answered: dict[int, AnsweredEnd] = {}
        self._owners: dict[int, Invocation] = {}
        self._unaccepted: dict[int, WebSocketEnd] = {}
        self._connections: dict[int, tuple[Upgrade, str | None, int]] = {}  # extensions, invocation
        self._accepted: dict[int, WebSocketEnd] = {}
        self._next = 0

    def hold(self, response: Response, invocation: int) -> int | None:
        """The number of the WebSocket that an answer of this invocation's fetch() came with."""
        self._next += 1
        if response.web_socket is not None:
            self._unaccepted[self._next] = response.web_socket
        elif response.upgrade is not None:
            extensions = response.headers.get("sec-websocket-extensions")
            self._connections[self._next] = (response.upgrade, extensions, invocation)
        else:
            return None
        return self._next

    def attach(self, response: Response, told: Mapping[str, object], invocation: Invocation) -> None:
        """What the script says of the WebSocket of its answer: an end of a pair, or one that it passes on."""
        match told:
            case {"pair": int(number)}:
                invocation.holds += 1  # it may fetch for as long as the WebSocket is open
                self._owners[number] = invocation
                response.web_socket = self._ensure_answered_end(number)
            case {"held": int(number)}:
                response.web_socket = self._unaccepted.pop(number, None)
                connection = self._connections.pop(number, None)
                response.upgrade = None if connection is None else connection[0]
            case _:
                pass

    def accept(self, number: int, invocation: Invocation) -> str | None:
        """Why it cannot be accepted, or None."""
        end = self._unaccepted.pop(number, None) or self._open_connection(number)
        if end is None:
            return "This WebSocket was accepted or passed on before."
        self._accepted[number] = end
        if self.realm is not None:
            invocation.holds += 1
            self._owners[number] = invocation
            self.realm.pending_operations += 1
            self.realm.spawn(self._relay_messages(number, end))
        return None

    def send(self, number: int, kind: str, text: str, content: bytes | None) -> None:
        """A message of the script."""
        message = _read_message(kind, text, content or b"")
        if number < 0:
            self._ensure_answered_end(number).send(message)
        elif number in self._accepted:
            self._accepted[number].deliver(message)
        if isinstance(message, Closed) and number > 0:
            self._accepted.pop(number, None)

    def has_any_of(self, invocation: int) -> bool:
        """Whether it has connections that it may not use."""
        return any(owner == invocation for *_, owner in self._connections.values())

    def close_unused(self, invocation: int) -> None:
        """The invocation is over: what it neither accepted nor passed on is closed."""
        for number, (connection, _, owner) in list(self._connections.items()):
            if owner == invocation:
                connection.close()
                del self._connections[number]

    def _open_connection(self, number: int) -> WebSocketEnd | None:
        """The script's end of a connection with an origin."""
        found = self._connections.pop(number, None)
        if found is None or self.realm is None:
            return None
        from edgeworker.runtime.quickjs.origin_websocket import OriginWebSocket

        connection, extensions, _ = found
        end = OriginWebSocket(connection, extensions)
        self.realm.spawn(end.write())
        return end

    def lose_all(self) -> None:
        """The realm is given up."""
        for answered in self._answered.values():
            answered.send(Closed(_ABNORMAL_CLOSURE))
        for accepted in self._accepted.values():
            accepted.deliver(Closed(_ABNORMAL_CLOSURE))
        for connection, *_ in self._connections.values():
            connection.close()
        self._answered.clear()
        self._accepted.clear()
        self._connections.clear()

    def _ensure_answered_end(self, number: int) -> AnsweredEnd:
        return self._answered.setdefault(number, AnsweredEnd(partial(self._deliver_to_script, number)))

    async def _relay_messages(self, number: int, end: WebSocketEnd) -> None:
        while True:
            message = await end.receive()
            if isinstance(message, Closed) and self.realm is not None:
                self.realm.pending_operations -= 1
            self._deliver_to_script(number, message)
            if isinstance(message, Closed):
                return

    def _deliver_to_script(self, number: int, message: WebSocketMessage) -> None:
        invocation, realm = self._owners.get(number), self.realm
        if invocation is None or realm is None:
            return
        match message:
            case Closed(code, reason):
                kind, text, content = "close", f"{code} {reason}", None
                self._answered.pop(number, None)
            case str():
                kind, text, content = "text", message, None
            case _:
                kind, text, content = "bytes", "", bytes(message)
        realm.deliver(invocation, number, kind, text, content)
        if kind == "close" and self._owners.pop(number, None) is not None:
            realm.release(invocation)


def _read_message(kind: str, text: str, content: bytes) -> WebSocketMessage:
    if kind == "text":
        return text
    if kind == "bytes":
        return content
    code, _, reason = text.partition(" ")
    return Closed(int(code), reason)


def _measure(message: WebSocketMessage) -> int:
    return 0 if isinstance(message, Closed) else len(message)
