"""Runs a WSGI application (Flask, Django) for one request, in a thread. Source: https://peps.python.org/pep-3333/

The body of the request is read from the loop as the application asks for it, and pieces of the response leave as they
are made. `environ` is that of workers/wsgi.py in workers-runtime-sdk 1.9.5.
"""

import io
import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Protocol, runtime_checkable
from urllib.parse import unquote_to_bytes

from edgeworker import messages
from edgeworker.runtime.python import run_sync_stack
from edgeworker.runtime.python.gateway import DEFAULT_OPTIONS, Options, build_response, decode_value, unwrap_request
from edgeworker.runtime.python.sync_body import SyncBody
from edgeworker.runtime.webapi import body_init
from edgeworker.runtime.webapi.fetch import Response as JSResponse

_log: Final = logging.getLogger(__name__)

Environ = dict[str, object]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | None
StartResponse = Callable[..., Callable[[bytes], None]]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


@runtime_checkable
class _ClosableResult(Protocol):
    def close(self) -> None: ...


async def fetch(
    app: Application, req: object, env: object, ctx: object = None, *, options: Options | None = None
) -> JSResponse:
    """The application's response. Raises what it raises, RuntimeError where it does not call start_response."""
    request = unwrap_request(req)
    if request.body is not None and request.body.length is None:
        # CGI knows no body without a length: frameworks would read none of it.
        request = request.replace(body=messages.Body(await body_init.read(request, None)))
    call = _Call(app, build_environ(request, env), copy_context())
    await run_sync_stack.in_thread(call.begin, call.context)
    assert call.status is not None
    code, _, reason = call.status.partition(" ")
    body = messages.Body(_pieces(call))
    headers = [(name, _decode_native(value)) for name, value in call.headers]
    response = build_response(int(code), headers, body, reason=reason, options=options or DEFAULT_OPTIONS)
    if response.core.body is None:
        await run_sync_stack.in_thread(call.close, call.context)
    return response


@dataclass(slots=True)
class _Call:
    """One call of an application; its methods run in a thread, one after the other."""

    app: Application
    environ: Environ
    context: Context  # the invocation's: the body may be read outside of it
    status: str | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    _written: list[bytes] = field(default_factory=list)
    _result: Iterable[bytes] = ()
    _chunks: Iterator[bytes] = field(default_factory=lambda: iter(()))

    def begin(self) -> None:
        """Up to the first piece of the body: an application may call start_response as late as there."""
        try:
            self._result = self.app(self.environ, self._start_response)
            self._chunks = iter(self._result)
            first = self._next()
        except BaseException:
            self.close()
            raise
        if self.status is None:
            self.close()
            raise RuntimeError("The WSGI application did not call start_response()")
        self._written.extend([] if first is None else [first])

    def next(self) -> bytes | None:
        """The next piece, or None at the end."""
        return self._written.pop(0) if self._written else self._next()

    def close(self) -> None:
        if isinstance(self._result, _ClosableResult):
            self._result.close()

    def _next(self) -> bytes | None:
        return next((chunk for chunk in self._chunks if chunk), None)

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo = None
    ) -> Callable[[bytes], None]:
        if exc_info is not None and self._written:
            raise exc_info[1].with_traceback(exc_info[2])
        if exc_info is None and self.status is not None:
            raise AssertionError("start_response() called more than once")
        self.status, self.headers = status, headers
        return self._written.append


def _decode_native(value: str) -> str:
    """PEP 3333's native strings hold bytes as characters of latin-1; what cannot be such bytes is text already."""
    try:
        return decode_value(value.encode("latin-1"))
    except UnicodeEncodeError:
        return value


async def _pieces(call: _Call) -> AsyncIterator[bytes]:
    try:
        while (piece := await run_sync_stack.in_thread(call.next, call.context)) is not None:
            yield piece
    except Exception:
        _log.exception("WSGI application failed after its response had started")
        raise
    finally:
        await run_sync_stack.in_thread(call.close, call.context)


def build_environ(request: messages.Request, env: object) -> Environ:
    url = request.url
    body = io.BytesIO() if request.body is None else io.BufferedReader(SyncBody(request.body.stream()))
    environ: Environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        # PEP 3333 wants bytes as characters of latin-1, here and in header fields.
        "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
        "QUERY_STRING": url.query[1:],
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": str(url.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "workers.env": env,
    }
    if request.body is not None:
        environ["CONTENT_LENGTH"] = str(request.body.length)
    for name, value in request.headers.entries_of_bytes():
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        # "x_user" comes after "x-user", and must not take its place: who sets the one may not know of the other.
        if "_" not in name or key not in environ:
            environ[key] = value.decode("latin-1")
    return environ
