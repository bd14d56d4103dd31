"""A response on its way to the client. Pure."""

from dataclasses import dataclass
from typing import Final, Protocol

from edgeworker.messages.body import Body
from edgeworker.messages.headers import Headers
from edgeworker.messages.websocket import Closed, WebSocketEnd

# https://fetch.spec.whatwg.org/#null-body-status
NULL_BODY_STATUSES: Final = frozenset({101, 103, 204, 205, 304})


class Upgrade(Protocol):
    """The other end of a connection that leaves HTTP with this response: bytes both ways."""

    async def receive(self) -> bytes:
        """The next bytes; b"" at the end."""
        ...

    async def send(self, data: bytes) -> None:
        """Returns when more may be sent. Raises OSError if the other side has gone."""
        ...

    def close(self) -> None:
        """What was sent is still delivered."""
        ...


@dataclass(frozen=True, slots=True)
class RefusalReason:
    """Which rule refused a request, on which evidence. For those who run the edge: it holds no token, no path and no
    value of a client or a person."""

    rule: str
    evidence: tuple[str, ...] = ()


class Response:
    """`status_text` "" means the status's usual phrase. `url` is where it came from, or "" where a script made it.
    `served_by` is what answered, for the log: a worker's name, "origin", or "" for the edge itself.
    `refusal_reason` is why the edge itself answers so; `token_result` what became of the client's token, see
    edgeworker.edge.token_results. Where the status is 101, `upgrade` is a connection that is passed through, or
    `web_socket` a script's own.
    """

    __slots__ = (
        "body",
        "headers",
        "redirected",
        "refusal_reason",
        "served_by",
        "status",
        "status_text",
        "token_result",
        "upgrade",
        "url",
        "web_socket",
    )

    def __init__(
        self,
        status: int = 200,
        headers: Headers | None = None,
        body: Body | bytes | None = None,
        *,
        status_text: str = "",
        url: str = "",
        redirected: bool = False,
    ) -> None:
        self.status = status
        self.headers = Headers() if headers is None else headers
        self.body = Body(body) if isinstance(body, bytes) else body
        self.status_text = status_text
        self.url = url
        self.redirected = redirected
        self.served_by = ""
        self.token_result = ""
        self.refusal_reason: RefusalReason | None = None
        self.upgrade: Upgrade | None = None
        self.web_socket: WebSocketEnd | None = None

    async def close(self) -> None:
        """Discard a body that is not needed, so that its connection can be used again."""
        if self.body is not None:
            await self.body.close()
        if self.upgrade is not None:
            self.upgrade.close()
        if self.web_socket is not None:
            self.web_socket.deliver(Closed(1006))

    def __repr__(self) -> str:
        return f"Response({self.status})"
