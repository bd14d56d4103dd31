"""`caches`: JavaScript's Cache API over the edge's cache.

https://developers.cloudflare.com/workers/runtime-apis/cache/; texts and rules as miniflare answers, but for Vary, which
it does not look at: here an answer counts only for requests with the same fields.
"""

from collections.abc import AsyncIterator
from email.utils import formatdate
from typing import Final

from edgeworker import messages
from edgeworker.cache.ranges import Span, spans
from edgeworker.cache.rules import fresh_seconds, is_unchanged, kept_headers, varies_by
from edgeworker.cache.store import CachedHead, CachedResponse, CacheStore
from edgeworker.clock import Clock
from edgeworker.messages import Body, Headers, multipart
from edgeworker.runtime.webapi import body_init, encodings
from edgeworker.runtime.webapi.base import options, type_error
from edgeworker.runtime.webapi.fetch import Response, read_request_info
from edgeworker.runtime.webapi.surplus import javascript_class

_DEFAULT: Final = ""


@javascript_class
class Cache:
    def __init__(self, store: CacheStore, clock: Clock, name: str) -> None:
        self._store = store
        self._clock = clock
        self._name = name

    async def match(self, request: object, init: object = None, /, **keywords: object) -> Response | None:
        """The kept answer, None where there is none. 304 where the request's conditions say that it is known, 206 for
        a part of it, 416 for a part that it does not have."""
        asked = _request(request)
        if asked.method != "GET" and not options(init, keywords).get("ignoreMethod"):
            return None
        now = self._clock.now()
        found = await self._store.find(self._name, asked.url.href, asked.headers, now=now)
        if found is None:
            return None
        headers = found.head.headers.copy()
        headers.set("CF-Cache-Status", "HIT")
        age = headers.get("age") or "0"
        headers.set("Age", str(now - found.head.kept_at + (int(age) if age.isdecimal() else 0)))
        headers.set("Content-Length", str(found.length))
        if is_unchanged(headers, asked.headers):
            return _immutable(messages.Response(304, headers))
        parts = spans(asked.headers.get("range"), found.length)
        if parts is None:
            whole = messages.Response(found.head.status, headers, _body(found, (0, found.length)))
            return _immutable(whole, encoding=found.head.encoding)
        # A part of an encoded body can be passed on only.
        return _immutable(_partial(found, headers, parts), automatic=False)

    async def put(self, request: object, response: object, /) -> None:
        """Keeps the answer as long as its fields allow, which may be not at all. Its body is used up.

        Raises JsException (TypeError) for what no cache can keep.
        """
        asked, view = _request(request), _response(response)
        answer = view.core
        if asked.method != "GET":
            raise type_error("Cannot cache response to non-GET request.")
        if answer.status == 206:
            raise type_error("Cannot cache response to a range request (206 Partial Content).")
        if "*" in varies_by(answer.headers):
            raise type_error("Cannot cache response with 'Vary: *' header.")
        if answer.body is not None and answer.body.used:
            raise type_error(body_init.BODY_USED)
        # Kept as it would be sent: a script's own body in the coding that its headers name.
        answer = body_init.encode_as_declared(answer, view.encoding, automatic=view.automatic)
        now = self._clock.now()
        seconds = fresh_seconds(answer.status, answer.headers, asked.headers, now=now)
        body = Body(b"") if answer.body is None else answer.body
        if seconds == 0:
            async for _ in body.stream():
                pass
            return
        headers = kept_headers(answer.headers)
        headers.delete("content-length")
        headers.delete("cf-cache-status")
        if not headers.has("date"):
            headers.set("Date", formatdate(now, usegmt=True))
        head = CachedHead(answer.status, headers, now, now + seconds, encodings.find_coding(answer.headers))
        await self._store.put(self._name, asked.url.href, asked.headers, head, body.stream())
        await body.close()

    async def delete(self, request: object, init: object = None, /, **keywords: object) -> bool:
        asked = _request(request)
        if asked.method != "GET" and not options(init, keywords).get("ignoreMethod"):
            return False
        return await self._store.delete(self._name, asked.url.href, now=self._clock.now())


@javascript_class
class CacheStorage:
    """`caches.default` is one cache of the whole edge, as those with a name are."""

    def __init__(self, store: CacheStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.default = Cache(store, clock, _DEFAULT)

    async def open(self, name: object) -> Cache:
        return Cache(self._store, self._clock, f"name:{name}")


def _body(found: CachedResponse, span: Span) -> Body:
    if found.content is not None:
        return Body(found.content[span[0] : span[1]])
    return Body(found.read(*span), length=span[1] - span[0])


def _partial(found: CachedResponse, headers: Headers, parts: list[Span]) -> messages.Response:
    if not parts:
        told = {"Content-Range": f"bytes */{found.length}", "CF-Cache-Status": "HIT"}
        return messages.Response(416, Headers(told))
    if len(parts) == 1:
        [span] = parts
        headers.set("Content-Range", _content_range(span, found.length))
        headers.set("Content-Length", str(span[1] - span[0]))
        return messages.Response(206, headers, _body(found, span))
    boundary = multipart.make_boundary()
    kind = headers.get("content-type") or "application/octet-stream"
    headers.delete("content-length")
    headers.set("Content-Type", f"multipart/byteranges; boundary={boundary}")
    return messages.Response(206, headers, Body(_parts(found, parts, boundary, kind)))


async def _parts(found: CachedResponse, parts: list[Span], boundary: str, kind: str) -> AsyncIterator[bytes]:
    for span in parts:
        fields = {"Content-Type": kind, "Content-Range": _content_range(span, found.length)}
        yield multipart.write_part_head(boundary, fields)
        async for piece in found.read(*span):
            yield piece
        yield b"\r\n"
    yield multipart.write_end(boundary)


def _content_range(span: Span, length: int) -> str:
    return f"bytes {span[0]}-{span[1] - 1}/{length}"


def _request(request: object) -> messages.Request:
    return body_init.make_request(read_request_info(request), {})


def _immutable(core: messages.Response, *, encoding: str | None = None, automatic: bool = True) -> Response:
    view = Response.over(core, encoding=encoding, automatic=automatic)
    view._immutable = True
    return view


def _response(response: object) -> Response:
    view: object = getattr(response, "js_object", response)
    if not isinstance(view, Response):
        raise type_error("Failed to execute 'put' on 'Cache': parameter 2 is not of type 'Response'.")
    return view
