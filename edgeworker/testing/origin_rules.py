"""The rules of a test's origin: which requests one is for, and how it answers them."""

import inspect
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from edgeworker.config import JSON
from edgeworker.errors import OriginError
from edgeworker.messages import NULL_BODY_STATUSES, Body, Headers, Response
from edgeworker.testing.content import TEXT, HeadersLike, headers_of

# What goes wrong with a server, as Cloudflare numbers it.
FAILURES: Final = {
    520: "closed the connection without an answer",
    521: "refused the connection",
    522: "did not accept the connection in time",
    523: "cannot be reached",
    524: "did not answer in time",
    525: "failed in the TLS handshake",
    526: "has a certificate that is not valid",
}
# The connection was never there.
_NOTHING_SENT: Final = (521, 522, 523, 525, 526)
_PATTERN: Final = re.compile(r"(?:(https?)://)?(\[[^/\]]+\](?::[0-9*]+)?|[^/:\[]+(?::[0-9*]+)?)?(/.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class OriginRequest:
    """A request that left the edge. `base` is the origin that it was sent to, or None for the internet; `worker` is
    whose `fetch()` it was, or None where no worker ran.
    """

    method: str
    url: str
    host: str
    path: str
    query: str = field(repr=False)  # may hold a token
    headers: Headers
    body: bytes = field(repr=False)
    base: str | None = None
    worker: str | None = None

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> JSON:
        """Raises ValueError where the body is not JSON."""
        parsed: JSON = json.loads(self.body)
        return parsed


Answer = Response | str | bytes
Answering = Callable[[OriginRequest], Answer | Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Failure:
    """`status` is one of FAILURES."""

    status: int


@dataclass(frozen=True, slots=True)
class Static:
    """An answer that is the same each time. `announced_length` is what Content-Length says in place of the truth;
    `reset_after` is the number of the body's bytes after which the connection breaks.
    """

    status: int
    headers: Headers
    body: Callable[[], tuple[Body | None, str | None]]
    announced_length: int | None = None
    reset_after: int | None = None


@dataclass(slots=True, eq=False)
class Rule:
    """One rule; `requests` are those that it answered, oldest first."""

    pattern: str
    matches: "RulePattern"
    method: str | None
    answer: Static | Failure | Answering
    delay_seconds: float = 0.0
    times: int | None = None
    requests: list[OriginRequest] = field(default_factory=list)

    @property
    def used_up(self) -> bool:
        return self.times is not None and len(self.requests) >= self.times


@dataclass(frozen=True, slots=True)
class RulePattern:
    """`*` stands for any run of characters. Without a host the pattern is for origins only, never for the internet."""

    scheme: str | None
    host: re.Pattern[str] | None
    target: re.Pattern[str]
    with_query: bool

    @classmethod
    def parse(cls, text: str) -> "RulePattern":
        """`/path`, `host/path` or `https://host/path`; a query counts where one is written.

        Raises:
            ValueError: it is none of these.
        """
        if not isinstance(text, str):
            raise TypeError(f'{text!r} is not a pattern of a rule; write "/path", "host/path" or "https://host/path"')
        parts = _PATTERN.fullmatch(text)
        if parts is None or not (parts[2] or parts[3]) or (parts[1] and not parts[2]) or " " in text:
            raise ValueError(f'"{text}" is not a pattern of a rule; write "/path", "host/path" or "https://host/path"')
        host = _wild(parts[2].lower()) if parts[2] else None
        target = parts[3] or "/*"
        return cls(parts[1], host, _wild(target), "?" in target)

    def takes(self, request: OriginRequest) -> bool:
        if self.host is None:
            if request.base is None:
                return False
        elif not self.host.fullmatch(request.host):
            return False
        if self.scheme is not None and not request.url.startswith(f"{self.scheme}://"):
            return False
        target = request.path + request.query if self.with_query else request.path
        return self.target.fullmatch(target) is not None


async def answer(rule: Rule, request: OriginRequest) -> Response:
    """Raises OriginError for a failure, as the real client does."""
    made = rule.answer
    match made:
        case Failure(status):
            raise failure(status, request)
        case Static():
            return _static(made, request)
        case _:
            given = made(request)
            return _response(await given if inspect.isawaitable(given) else given, rule)


def failure(status: int, request: OriginRequest) -> OriginError:
    return OriginError(
        f"{request.base or request.host} {FAILURES[status]}", status=status, nothing_sent=status in _NOTHING_SENT
    )


def static(
    status: int,
    headers: HeadersLike | None,
    make: Callable[[], tuple[Body | None, str | None]],
    *,
    announced_length: int | None = None,
    reset_after: int | None = None,
) -> Static:
    _, content_type = make()
    return Static(status, headers_of(headers, content_type), make, announced_length, reset_after)


def default(request: OriginRequest) -> Response:
    """What an origin answers that no rule speaks of."""
    return _static(_DEFAULT, request)


def _static(made: Static, request: OriginRequest) -> Response:
    body, _ = made.body()
    headers = made.headers.copy()
    if made.announced_length is not None or made.reset_after is not None:
        assert body is not None
        length = body.length if made.announced_length is None else made.announced_length
        body = Body(_broken(body, length, made.reset_after, request), length=length)
    if body is not None and body.length is not None:
        headers.set("Content-Length", str(body.length))
    if request.method == "HEAD" or made.status in NULL_BODY_STATUSES:
        body = None
    return Response(made.status, headers, body)


async def _broken(
    body: Body, length: int | None, reset_after: int | None, request: OriginRequest
) -> AsyncIterator[bytes]:
    """The pieces as a client sees them that believes the announced length: never more, and an error for less."""
    sent = 0
    most = min(limit for limit in (length, reset_after, 1 << 62) if limit is not None)
    async for piece in body.stream():
        if piece := piece[: most - sent]:
            sent += len(piece)
            yield piece
        if sent == most:
            break
    if reset_after is not None or (length is not None and sent < length):
        raise OriginError(f"{request.base or request.host} closed the connection within its answer", status=520)


def _response(given: Answer, rule: Rule) -> Response:
    match given:
        case Response():
            return given
        case str():
            return Response(200, headers_of(None, TEXT), given.encode())
        case bytes():
            return Response(200, None, given)
        case _:
            raise TypeError(
                f'the function of origin.on("{rule.pattern}") gave {type(given).__name__}; it must give a Response, '
                "text or bytes"
            )


_DEFAULT: Final = static(200, None, lambda: (Body(b"origin\n"), TEXT))


def _wild(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in text.split("*")), re.DOTALL)
