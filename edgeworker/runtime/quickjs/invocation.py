"""One event that a script of this engine handles, and what passes between it and the edge."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from edgeworker.handler import Context
from edgeworker.messages import Headers
from edgeworker.runtime.quickjs.adapter import Crossing, HostFunction

Parts = tuple[Crossing, ...]  # of what passes, one by one


# Fields in the form in which they cross, and as they came: most scripts pass them on as they are.
KnownFields = tuple[str, Headers] | None


@dataclass(slots=True)
class Invocation:
    """One event that the script handles. `holds` counts why it still may fetch: its answer, its body, waitUntil().
    `is_over`: it exceeded a limit, and nothing more of it runs. Of a request there are also `cf` and `asked`, which has
    its fields; `received` has those of the last response that was fetched."""

    id: int
    ctx: Context | None
    cf: Mapping[str, object] | None = None
    asked: "KnownFields" = None
    received: "KnownFields" = None
    cpu_seconds: float = 0.0
    holds: int = 1
    no_retry: bool = False
    is_over: bool = False


@dataclass(slots=True)
class ScriptResponse:
    """A response that the script made. `headers` as `write_fields` has them; `body` is None, "bytes" for the buffer, or
    JSON that names a stream; `web_socket` is JSON too."""

    status: int
    status_text: str
    headers: str
    automatic: bool
    body: str | None
    web_socket: str | None
    buffer: bytes | None


@dataclass(slots=True)
class ScriptRequest:
    """What the script fetches, in the forms of a ScriptResponse. `cf` is JSON, or True for that of the request that the
    invocation answers; `target` is the JSON of a binding, None is the outside."""

    method: str
    url: str
    headers: str
    redirect: str
    cf: str | bool | None
    target: str | None
    body: str | None
    buffer: bytes | None


@dataclass(slots=True)
class Answer:
    """What a call into the script gave; to a request it is a response."""

    text: str
    buffer: bytes | None
    response: ScriptResponse | None = None


def write_fields(headers: Headers) -> str:
    """Names and values in turns, each on a line of its own: the form in which fields cross."""
    lines = [part for field in headers.raw for part in field]
    content = b"\n".join(lines)
    if content.count(b"\n") >= len(lines) > 0:  # no parser lets one into a value
        content = b"\n".join(part.replace(b"\n", b" ") for part in lines)
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("utf-8", "replace")


def read_fields(text: str, known: KnownFields = None) -> Headers:
    """Raises OperationFailed for names and values that may not be in a header."""
    if known is not None and known[0] == text:
        return known[1].copy()
    if not text:
        return Headers()
    lines = text.split("\n")
    if len(lines) % 2:
        raise OperationFailed("TypeError", "Invalid header value.")
    try:
        return Headers(list(zip(lines[::2], lines[1::2], strict=True)))
    except TypeError as error:
        raise OperationFailed("TypeError", str(error)) from error


class OperationFailed(Exception):
    """What an operation throws in the script: the name of the error's class and its text."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.name = name
        self.text = text


@dataclass(frozen=True, slots=True)
class Result:
    """What an operation gives: a text, and bytes beside it."""

    text: str = ""
    buffer: bytes | None = None

    @property
    def parts(self) -> Parts:
        """What `settle` of rt/host.js takes: no error, the text, the bytes."""
        return (None, self.text) if self.buffer is None else (None, self.text, self.buffer)


class EdgeOperations(Protocol):
    """What the script asks of the edge: `run` and `fetch` are waited for, `functions` answer at once."""

    async def run(self, name: str, text: str, buffer: bytes | None, invocation: Invocation, /) -> Parts: ...
    async def fetch(self, request: ScriptRequest, invocation: Invocation, /) -> Parts: ...
    def functions(self, find_invocation: Callable[[int], Invocation], /) -> dict[str, HostFunction]: ...
    def peek(self, name: str, key: str, cache_ttl: int | None, /) -> str | bool | None: ...
    def holds_bodies_of(self, invocation: int, /) -> bool: ...
    async def release_bodies(self, invocation: int, /) -> None: ...
