"""What workerd asks for the Cache API, and the answers that its binding understands.

Recorded from workerd 2026-07-30 and as miniflare answers: 504 is "not there", a PURGE that finds nothing is 404.
"""

from collections.abc import AsyncIterator
from typing import Final

from edgeworker.cache.store import CacheStore
from edgeworker.clock import Clock
from edgeworker.messages import Body, Headers, Request, Response
from edgeworker.runtime.webapi.cache import Cache
from edgeworker.runtime.webapi.fetch import Request as JSRequest
from edgeworker.runtime.webapi.fetch import Response as JSResponse
from edgeworker.runtime.webapi.ffi import JsException
from edgeworker.runtime.workerd.response_text import InvalidResponse, read_response

_NAMESPACE: Final = "CF-Cache-Namespace"
_IGNORED_FIELDS: Final = frozenset({b"cf-cache-namespace", b"cache-control", b"content-length", b"transfer-encoding"})


async def answer_cache(request: Request, store: CacheStore, clock: Clock) -> Response:
    namespace = request.headers.get(_NAMESPACE)
    cache = Cache(store, clock, "" if namespace is None else f"name:{namespace}")
    asked = JSRequest.over(request.replace(method="GET", headers=request.headers.without(_IGNORED_FIELDS), body=None))
    match request.method:
        case "GET":
            found = await cache.match(asked)
            if found is None:
                return Response(504, Headers({"CF-Cache-Status": "MISS"}))
            return found.core
        case "PUT":
            return await _put(request, asked, cache)
        case "PURGE":
            deleted = await cache.delete(asked)
            return Response(200 if deleted else 404)
        case _:
            return Response(405)


async def _put(request: Request, asked: JSRequest, cache: Cache) -> Response:
    pieces: AsyncIterator[bytes] = (Body(b"") if request.body is None else request.body).stream()
    try:
        response = await read_response(pieces)
        await cache.put(asked, JSResponse.over(response))
    except (InvalidResponse, JsException) as error:
        return Response(413, status_text=str(error).replace("\n", " ")[:200])
    return Response(204)
