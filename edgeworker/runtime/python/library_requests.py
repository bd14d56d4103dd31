"""What the adapters of HTTP libraries share: a request of a library sent as a `fetch()` of the script that uses it."""

import asyncio
import io
from collections.abc import Iterable
from typing import Final, Protocol

from edgeworker import messages
from edgeworker.messages import URL, Body, Headers
from edgeworker.runtime.contract import current_invocation
from edgeworker.runtime.contract.script_frames import calling_script
from edgeworker.runtime.python import run_sync_stack
from edgeworker.runtime.python.sync_body import SyncBody
from edgeworker.runtime.webapi import perform_fetch

Fields = Iterable[tuple[str, str]]

# The origin's side of the edge writes these itself.
_CONNECTION_FIELDS: Final = frozenset({b"connection", b"content-length", b"host", b"keep-alive", b"transfer-encoding"})
_NO_WAITING: Final = (
    "a synchronous HTTP request works in a handler and in what it calls: import the library at the top of the script, "
    "and use it in fetch(), scheduled() or what they call"
)


class Seconds(Protocol):
    def __float__(self) -> float: ...


def is_script() -> bool:
    """Whether the calling code works for a script."""
    return calling_script() is not None


async def send(
    method: str, url: str, headers: Headers, body: Body | None, seconds: Seconds | None
) -> messages.Response:
    """Raises OSError, of which TimeoutError is one."""
    fields = headers.without(_CONNECTION_FIELDS)
    request = messages.Request(method.upper(), URL.parse(url), fields, body, redirect="manual")
    async with asyncio.timeout(None if seconds is None else float(seconds)):
        return (await perform_fetch.perform(request, current_invocation.current())).response


def send_and_wait(
    method: str, url: str, headers: Headers, body: Body | None, seconds: Seconds | None
) -> messages.Response:
    try:
        return run_sync_stack.run_sync(send(method, url, headers, body, seconds))
    except run_sync_stack.CannotWait:
        if (script := calling_script()) is not None:
            script.waits = True  # a library deep within imports another: the next request can wait
        raise RuntimeError(_NO_WAITING) from None


def read_body(body: object) -> Body | None:
    """What the libraries take as a body, read: they may give text, bytes, a file, or pieces."""
    match body:
        case None:
            return None
        case str():
            return Body(body.encode())
        case bytes() | bytearray() | memoryview():
            return Body(bytes(body))
        case io.IOBase():
            read: object = body.read()
            return read_body(read)
        case Iterable():
            return Body(b"".join(piece.encode() if isinstance(piece, str) else bytes(piece) for piece in body))
        case _:
            raise TypeError(f"a body is text, bytes, a file or pieces of these, not {type(body).__name__}")


def open_body(answer: messages.Response) -> io.BufferedIOBase:
    return io.BytesIO() if answer.body is None else io.BufferedReader(SyncBody(answer.body.stream()))


def response_fields(answer: messages.Response) -> list[tuple[str, bytes]]:
    return [(name, value) for name, value in answer.headers.entries_of_bytes() if name != "transfer-encoding"]
