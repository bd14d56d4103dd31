"""The Cache API as miniflare answered; recorded by record_cache.mjs."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from edgeworker.cache.disk import DiskCache
from edgeworker.cache.memory import MemoryCache
from edgeworker.runtime.webapi.cache import Cache
from edgeworker.runtime.webapi.fetch import Request, Response
from edgeworker.runtime.webapi.ffi import JsException
from tests.kv.clocks import FakeClock

CASES = json.loads((Path(__file__).parent / "cases" / "cache.json").read_text(encoding="utf-8"))["cases"]
NOW = 1_790_000_000
NOT_THERE = {"value": None}
# Ours on purpose: (case, step) and why.
DIFFERENT: Mapping[tuple[str, int], str] = {
    ("vary", 2): "an answer counts only for requests with the same fields (RFC 9111, section 4.1)",
    ("both conditions", 1): "If-None-Match wins over If-Modified-Since (RFC 9110, section 13.2.2)",
    ("set-cookie that is private", 1): "Cache-Control stays as it was written",
    ("put with content-encoding", 1): "what is no gzip cannot be decoded",
    ("cache-control MAX-AGE=60", 1): "directives have no case (RFC 9111, section 5.2)",
    # https://developers.cloudflare.com/workers/runtime-apis/cache/#put
    ("cache-control stale-while-revalidate=60", 1): "Cloudflare does not look at it in put() and match()",
}


async def answered(cache: Cache, step: list[object]) -> object:
    method, url, init, *more = step
    try:
        request = Request.new(url, init)
        if method == "put":
            assert isinstance(more[0], dict)
            options = {name: value for name, value in more[0].items() if name != "body"}
            await cache.put(request, Response.new(more[0].get("body"), options))
            return NOT_THERE
        if method == "delete":
            return {"value": await cache.delete(request, *more)}
        found = await cache.match(request, *more)
        if found is None:
            return NOT_THERE
        headers = [list(pair) for pair in found.headers.core.entries() if pair[0] != "date"]
        return {"status": found.status, "headers": headers, "body": await found.text()}
    except JsException as error:
        return {"error": error.name, "message": error.message}


def without_boundary(answer: object) -> object:
    """Its name is new each time, and so is the line that ends the last part."""
    text = re.sub(r"(miniflare|edgeworker)-boundary-(?:[0-9a-f]{32}|[0-9a-f-]{36})", "BOUNDARY", json.dumps(answer))
    answer = json.loads(text)
    if isinstance(answer, dict) and "BOUNDARY" in text:
        answer["headers"] = [pair for pair in answer["headers"] if pair[0] != "content-length"]
    return answer


@pytest.mark.parametrize("kind", ["memory", "disk"])
@pytest.mark.parametrize("name", CASES)
async def test_the_cache_answers_as_miniflare(name: str, kind: str, tmp_path: Path) -> None:
    store = MemoryCache() if kind == "memory" else DiskCache(tmp_path)
    cache = Cache(store, FakeClock(NOW), "")
    for number, (step, expected) in enumerate(zip(CASES[name]["steps"], CASES[name]["answers"], strict=True)):
        ours = without_boundary(await answered(cache, step))
        if (name, number) in DIFFERENT:
            assert ours != without_boundary(expected), "this is no difference any more"
        else:
            assert ours == without_boundary(expected), step
