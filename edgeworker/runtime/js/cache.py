"""`caches`: JavaScript's Cache API over the edge's cache.

https://developers.cloudflare.com/workers/runtime-apis/cache/; texts and rules as miniflare answers, but for Vary, which
it does not look at: here an answer counts only for requests with the same fields.
"""

from email.utils import formatdate
from typing import Final

from edgeworker import messages
from edgeworker.cache.memory import MAX_ENTRY_BYTES, Cached, MemoryCache
from edgeworker.cache.rules import fresh_seconds, is_unchanged, kept_headers, varies_by
from edgeworker.clock import Clock
from edgeworker.messages.body import BodyTooLarge
from edgeworker.runtime import contents
from edgeworker.runtime.js.base import options, type_error
from edgeworker.runtime.js.fetch import Response, resource_of

_DEFAULT: Final = ""
_USED: Final = "Body has already been used. It can only be used once. Use tee() first if you need to read it twice."


class Cache:
    def __init__(self, cache: MemoryCache, clock: Clock, name: str) -> None:
        self._cache = cache
        self._clock = clock
        self._name = name

    async def match(self, request: object, init: object = None, /, **keywords: object) -> Response | None:
        """The kept answer, 304 where the request's conditions say that it is known; None where there is none."""
        asked = _request(request)
        if asked.method != "GET" and not options(init, keywords).get("ignoreMethod"):
            return None
        now = self._clock.now()
        found = self._cache.get(self._name, asked.url.href, asked.headers, now=now)
        if found is None:
            return None
        headers = found.headers.copy()
        headers.set("CF-Cache-Status", "HIT")
        age = headers.get("age") or "0"
        headers.set("Age", str(now - found.kept_at + (int(age) if age.isdecimal() else 0)))
        if is_unchanged(headers, asked.headers):
            return Response.over(messages.Response(304, headers))
        view = Response.over(messages.Response(found.status, headers, found.content))
        view.encoding = found.encoding
        return view

    async def put(self, request: object, response: object, /) -> None:
        """Keeps the answer as long as its fields allow, which may be not at all. Its body is used up.

        Raises JsException (TypeError) for what no cache can keep.
        """
        asked, answer = _request(request), _response(response)
        if asked.method != "GET":
            raise type_error("Cannot cache response to non-GET request.")
        if answer.status == 206:
            raise type_error("Cannot cache response to a range request (206 Partial Content).")
        if "*" in varies_by(answer.headers):
            raise type_error("Cannot cache response with 'Vary: *' header.")
        if answer.body is not None and answer.body.used:
            raise type_error(_USED)
        now = self._clock.now()
        seconds = fresh_seconds(answer.status, answer.headers, asked.headers, now=now)
        try:
            content = b"" if answer.body is None else await answer.body.read(limit=MAX_ENTRY_BYTES)
        except BodyTooLarge:
            return
        if seconds == 0:
            return
        headers = kept_headers(answer.headers)
        headers.set("Content-Length", str(len(content)))
        if not headers.has("date"):
            headers.set("Date", formatdate(now, usegmt=True))
        encoding = getattr(response, "encoding", None)
        entry = Cached(
            answer.status, headers, content, now, now + seconds, encoding if isinstance(encoding, str) else None
        )
        self._cache.put(self._name, asked.url.href, asked.headers, entry)

    async def delete(self, request: object, init: object = None, /, **keywords: object) -> bool:
        asked = _request(request)
        if asked.method != "GET" and not options(init, keywords).get("ignoreMethod"):
            return False
        return self._cache.delete(self._name, asked.url.href, now=self._clock.now())


class CacheStorage:
    """`caches.default` is one cache of the whole edge, as those with a name are."""

    def __init__(self, cache: MemoryCache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock
        self.default = Cache(cache, clock, _DEFAULT)

    async def open(self, name: object) -> Cache:
        return Cache(self._cache, self._clock, f"name:{name}")


def _request(request: object) -> messages.Request:
    return contents.make_request(resource_of(request), {})


def _response(response: object) -> messages.Response:
    core = getattr(response, "core", None)
    if not isinstance(core, messages.Response):
        raise type_error("Failed to execute 'put' on 'Cache': parameter 2 is not of type 'Response'.")
    return core
