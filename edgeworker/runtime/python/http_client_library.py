"""Sends what http.client asks for, and with it urllib.request and xmlrpc.client, out by a script's `fetch()`."""

import io
from http.client import HTTPConnection, HTTPSConnection
from typing import Final

from edgeworker import messages
from edgeworker.runtime.python import library_requests
from edgeworker.runtime.python.request_wire import WrittenRequest, write_head

_usual: Final = HTTPConnection.connect
_usual_tls: Final = HTTPSConnection.connect


class _FetchSocket:
    """What http.client uses of a socket: it writes a request, and reads an answer from a file."""

    def __init__(self, origin: str, seconds: float | None) -> None:
        self._request = WrittenRequest(origin)
        self._seconds = seconds
        self._answer: messages.Response | None = None
        self._timeout: TimeoutError | None = None

    def sendall(self, content: bytes) -> None:
        """Raises OSError as a connection does that cannot be opened. A timeout comes later, when the answer is read."""
        request = self._request
        request.feed(bytes(content))
        if not request.is_whole:
            return
        try:
            self._answer = library_requests.send_and_wait(
                request.method, request.url, request.headers, request.body, self._seconds
            )
        except TimeoutError as error:
            self._timeout = error

    def makefile(self, *_args: object, **_options: object) -> io.BufferedIOBase:
        if self._answer is None:
            error = self._timeout or OSError("the request's body is shorter than its Content-Length")
            return io.BufferedReader(_Broken(error))
        return io.BufferedReader(_Joined(write_head(self._answer), library_requests.open_body(self._answer)))

    def settimeout(self, seconds: float | None) -> None:
        self._seconds = seconds

    def setsockopt(self, *_args: object) -> None:
        """There is no socket."""

    def close(self) -> None:
        """There is no socket."""


class _Broken(io.RawIOBase):
    """Fails when it is read: http.client leaves a half-made response behind where opening it fails."""

    def __init__(self, error: OSError) -> None:
        self._error = error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed's Buffer has no length
        raise self._error


class _Joined(io.RawIOBase):
    """A head, and the body behind it."""

    def __init__(self, head: bytes, body: io.BufferedIOBase) -> None:
        self._head = head
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed's Buffer has no length
        if not self._head:
            self._head = self._body.read1(len(buffer))
        count = min(len(buffer), len(self._head))
        buffer[:count] = self._head[:count]
        self._head = self._head[count:]
        return count


def install() -> None:
    """While scripts are loaded; may be called again."""
    setattr(HTTPConnection, "connect", _connect)  # noqa: B010  # mypy takes no assignment to a method
    setattr(HTTPSConnection, "connect", _connect_tls)  # noqa: B010


def uninstall() -> None:
    setattr(HTTPConnection, "connect", _usual)  # noqa: B010
    setattr(HTTPSConnection, "connect", _usual_tls)  # noqa: B010


def _connect(self: HTTPConnection) -> None:
    if not _opens_for_script(self):
        _usual(self)


def _connect_tls(self: HTTPSConnection) -> None:
    if not _opens_for_script(self):
        _usual_tls(self)


def _opens_for_script(connection: HTTPConnection) -> bool:
    """Gives the connection of a script its `sock`. A subclass with a `connect` of its own wants a real one."""
    if type(connection).connect not in (_connect, _connect_tls) or not library_requests.is_script():
        return False
    # With a tunnel, `host` is a proxy's.
    tunnel: object = getattr(connection, "_tunnel_host", None)
    host = tunnel if isinstance(tunnel, str) else connection.host
    port = getattr(connection, "_tunnel_port", None) if isinstance(tunnel, str) else connection.port
    scheme = "https" if isinstance(connection, HTTPSConnection) else "http"
    seconds = connection.timeout if isinstance(connection.timeout, int | float) else None
    origin = f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
    setattr(connection, "sock", _FetchSocket(origin, seconds))  # noqa: B010  # not a socket
    return True
