"""A WebSocket as messages, without the frames that carry them on the wire. Pure."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Closed:
    """The end of a WebSocket. 1005: closed without a code; 1006: the connection was lost."""

    code: int
    reason: str = ""


WebSocketMessage = str | bytes | Closed


class WebSocketEnd(Protocol):
    """What a script answered with: the client's end of its pair."""

    async def receive(self) -> WebSocketMessage:
        """The next message for the client; the last one is Closed."""
        ...

    def deliver(self, message: WebSocketMessage) -> None:
        """A message of the client's. Nothing may follow Closed."""
        ...
