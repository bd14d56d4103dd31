"""Sends what `requests`, `urllib3`, `httpx`, `httpx2` and `aiohttp` ask for out by the `fetch()` of the script that
uses them.

So synchronous code of a script does not block the loop, its requests are subrequests like any other, and the outbound
policy holds for them. Cloudflare does the same, with the JavaScript fetch. `requests` stands on urllib3 (version 2).

A library is adapted where it is: the one that is installed, for all scripts, and copies in `python_modules/`. Callers
other than scripts (the edge's owner, in a test) go out as before.
"""

import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Final

from edgeworker import messages
from edgeworker.messages import Body, Headers
from edgeworker.runtime.python.aiohttp_library import adapt_aiohttp
from edgeworker.runtime.python.library_requests import (
    is_script,
    open_body,
    read_body,
    response_fields,
    send,
    send_and_wait,
)
from edgeworker.runtime.webapi.fetch_failure import FetchFailed

if TYPE_CHECKING:
    import httpx
    from urllib3.connection import HTTPSConnection as _Connection
    from urllib3.response import BaseHTTPResponse
else:
    _Connection = object

_adapted: Final[dict[str, ModuleType]] = {}
_BLOCKING: Final = frozenset({"http.client", "urllib.request", "xmlrpc.client"})  # of the standard library
_BLOCKING_LIBRARIES: Final = ("httpx", "httpx2", "requests", "urllib3")


def adapt_imported(name: str, prefix: str) -> bool:
    """After `import name` in a script: adapts libraries that are new, also copies under the script's `prefix`.

    Returns whether what was imported may ask for something without `await`.
    """
    top = name.partition(".")[0]
    for library_name, adapt in _ADAPT.items():
        for known_as in (library_name, prefix + library_name):
            library = sys.modules.get(known_as)
            # One that is being imported has not got all of its names yet; the import of its importer looks again.
            if library is None or _adapted.get(known_as) is library or not hasattr(library, _LAST_NAME[library_name]):
                continue
            _adapted[known_as] = library
            adapt(library)
    # Any library may stand on one of those, and where none is loaded, none does.
    return name in _BLOCKING or (
        top not in sys.stdlib_module_names and any(part in sys.modules for part in _BLOCKING_LIBRARIES)
    )


class _FetchConnection(_Connection):
    """In front of urllib3's own connection classes: for scripts it opens no socket."""

    _library: ModuleType
    _pending: tuple[str, str, Headers, Body | None] | None = None
    _reading: tuple[bool, bool] = (True, True)

    def connect(self) -> None:
        if not is_script():
            super().connect()
            return
        # The edge verifies certificates, with the configuration's authorities.
        self.is_verified = True

    def request(  # type: ignore[override]  # urllib3's parent has another signature than the standard library's
        self,
        method: str,
        url: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        chunked: bool = False,
        preload_content: bool = True,
        decode_content: bool = True,
        enforce_content_length: bool = True,
    ) -> None:
        if not is_script():
            super().request(
                method,
                url,
                body,  # type: ignore[arg-type]  # handed on as it came
                headers,
                chunked=chunked,
                preload_content=preload_content,
                decode_content=decode_content,
                enforce_content_length=enforce_content_length,
            )
            return
        scheme = "https" if isinstance(self, self._library.connection.HTTPSConnection) else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        target = url if "://" in url else f"{scheme}://{host}:{self.port}{url}"
        self._pending = (method, target, Headers((headers or {}).items()), read_body(body))
        self._reading = (preload_content, decode_content)

    def getresponse(self) -> "BaseHTTPResponse":  # type: ignore[override]  # the parent answers its subclass
        if self._pending is None:
            return super().getresponse()
        (method, url, headers, body), self._pending = self._pending, None
        seconds = self.timeout if isinstance(self.timeout, int | float) else None
        try:
            answer = send_and_wait(method, url, headers, body, seconds)
        except FetchFailed as error:
            raise self._library.exceptions.NewConnectionError(self, str(error)) from error
        preload, decode = self._reading
        response: BaseHTTPResponse = self._library.response.HTTPResponse(
            body=open_body(answer),
            # As http.client decodes them.
            headers=self._library.HTTPHeaderDict(
                [(name, value.decode("latin-1")) for name, value in response_fields(answer)]
            ),
            status=answer.status,
            version=11,
            version_string="HTTP/1.1",
            reason=answer.status_text,
            preload_content=preload,
            decode_content=decode,
            request_method=method,
            request_url=url,
        )
        return response


def _adapt_urllib3(urllib3: ModuleType) -> None:
    for pool in (urllib3.HTTPConnectionPool, urllib3.HTTPSConnectionPool):
        kind = pool.ConnectionCls
        pool.ConnectionCls = type(kind.__name__, (_FetchConnection, kind), {"_library": urllib3})


def _adapt_httpx(library: ModuleType) -> None:
    usual = library.HTTPTransport.handle_request
    usual_async = library.AsyncHTTPTransport.handle_async_request

    class Pieces(library.SyncByteStream):  # type: ignore[name-defined, misc]  # of the library's copy
        def __init__(self, answer: messages.Response) -> None:
            self._content = open_body(answer)

        def __iter__(self) -> Iterator[bytes]:
            while piece := self._content.read1(65536):
                yield piece

    class AsyncPieces(library.AsyncByteStream):  # type: ignore[name-defined, misc]
        def __init__(self, answer: messages.Response) -> None:
            self._body = answer.body
            self._pieces = None if answer.body is None else answer.body.stream()

        async def __aiter__(self) -> AsyncIterator[bytes]:
            """Goes on where an iteration before stopped: openai reads the rest after the last event."""
            if self._pieces is not None:
                async for piece in self._pieces:
                    yield piece

        async def aclose(self) -> None:
            if self._body is not None:
                await self._body.close()

    def response(answer: messages.Response, stream: object) -> "httpx.Response":
        fields = [(name.encode("ascii"), value) for name, value in response_fields(answer)]
        made: httpx.Response = library.Response(answer.status, headers=fields, stream=stream)
        return made

    def handle_request(self: object, request: "httpx.Request") -> "httpx.Response":
        if not is_script():
            plain: httpx.Response = usual(self, request)
            return plain
        body = read_body(request.read()) if request.headers.get("content-length") or _is_chunked(request) else None
        with _raise_httpx_errors(library, request):
            answer = send_and_wait(
                request.method, str(request.url), Headers(request.headers.multi_items()), body, _read_timeout(request)
            )
        return response(answer, Pieces(answer))

    async def handle_async_request(self: object, request: "httpx.Request") -> "httpx.Response":
        if not is_script():
            plain: httpx.Response = await usual_async(self, request)
            return plain
        body = (
            read_body(await request.aread()) if request.headers.get("content-length") or _is_chunked(request) else None
        )
        with _raise_httpx_errors(library, request):
            fields = Headers(request.headers.multi_items())
            answer = await send(request.method, str(request.url), fields, body, _read_timeout(request))
        return response(answer, AsyncPieces(answer))

    library.HTTPTransport.handle_request = handle_request
    library.AsyncHTTPTransport.handle_async_request = handle_async_request


def _is_chunked(request: "httpx.Request") -> bool:
    return "transfer-encoding" in request.headers


def _read_timeout(request: "httpx.Request") -> float | None:
    """The request's timeout for reading, in seconds."""
    timeouts = request.extensions.get("timeout", {})
    seconds = timeouts.get("read")
    return seconds if isinstance(seconds, int | float) else None


class _raise_httpx_errors:  # read as a statement: `with _raise_httpx_errors(httpx, request):`
    """httpx's exceptions for ours."""

    def __init__(self, library: ModuleType, request: "httpx.Request") -> None:
        self._library = library
        self._request = request

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        match error:
            case TimeoutError():
                raise self._library.ReadTimeout("The read operation timed out", request=self._request) from error
            case OSError():
                raise self._library.ConnectError(str(error), request=self._request) from error
            case _:
                pass


_ADAPT: Final[Mapping[str, Callable[[ModuleType], None]]] = {
    "aiohttp": adapt_aiohttp,
    "httpx": _adapt_httpx,
    "httpx2": _adapt_httpx,
    "urllib3": _adapt_urllib3,
}
# What a library defines last of what is needed here.
_LAST_NAME: Final = {
    "aiohttp": "TCPConnector",
    "httpx": "SyncByteStream",
    "httpx2": "SyncByteStream",
    "urllib3": "HTTPSConnectionPool",
}
