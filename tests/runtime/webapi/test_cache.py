"""Texts and answers: recorded from miniflare; Vary is ours, see edgeworker/runtime/webapi/cache.py."""

import gzip

import brotli
import pytest

from edgeworker.messages import Headers
from edgeworker.messages import Response as CoreResponse
from tests.runtime.stage import Stage

IMPORTS = "import js\nfrom js import caches\n"
KEPT = """
cache = caches.default
url = "https://x.example/a?q"
def answer(body="kept", **headers):
    return js.Response.new(body, headers={"cache-control": "max-age=10", **headers})
async def shown(request, init=None):
    found = await cache.match(request, init)
    return None if found is None else f"{found.status} {await found.text()} {found.headers.get('cf-cache-status')}"
"""


async def test_what_was_put_is_matched_until_it_expires_by_the_edges_clock(stage: Stage) -> None:
    body = f"""{KEPT}
if request.method == "POST":
    await cache.put(url, Response("kept", headers={{"cache-control": "max-age=10"}}))
found = await cache.match(js.Request.new(url))
return Response("None" if found is None else f"{{await found.text()}} {{found.headers.get('age')}}")
"""
    stage.add_fetch(body, above=IMPORTS, fake_time=True)

    assert (await stage.get(method="POST")).text == "kept 0"
    stage.clock.advance(9)
    assert (await stage.get()).text == "kept 9"
    stage.clock.advance(1)
    assert (await stage.get()).text == "None"


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("await shown(url)", "200 kept HIT"),
        ("await shown(url + '#fragment')", "200 kept HIT"),
        ("await shown('https://x.example/a')", "None"),
        ("await shown(js.Request.new(url, method='POST'))", "None"),
        ("await shown(js.Request.new(url, method='POST'), {'ignoreMethod': True})", "200 kept HIT"),
        ("await shown(js.Request.new(url, headers={'if-none-match': '\"e\"'}))", "304  HIT"),
        ("await (await caches.open('n')).match(url)", "None"),
        ("await cache.delete(js.Request.new(url, method='POST'))", "False"),
        ("[await cache.delete(url), await cache.delete(url)]", "[True, False]"),
        ("(await cache.match(url)).headers.has('set-cookie')", "False"),
    ],
)
async def test_matching_and_deleting(stage: Stage, expression: str, answer: str) -> None:
    text = await stage.run(
        f"{KEPT}\nawait cache.put(url, answer(etag='\"e\"'))\nreturn Response(str({expression}))", above=IMPORTS
    )

    assert text == answer


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("js.Request.new(url, method='POST'), answer()", "Cannot cache response to non-GET request."),
        (
            "url, js.Response.new('x', status=206)",
            "Cannot cache response to a range request (206 Partial Content).",
        ),
        ("url, answer(vary='accept, *')", "Cannot cache response with 'Vary: *' header."),
        (
            "url, used",
            "Body has already been used. It can only be used once. Use tee() first if you need to read it twice.",
        ),
        ("url, 'text'", "Failed to execute 'put' on 'Cache': parameter 2 is not of type 'Response'."),
    ],
)
async def test_what_no_cache_can_keep_is_an_error(stage: Stage, arguments: str, error: str) -> None:
    text = await stage.run(
        f"""{KEPT}
used = answer()
await used.text()
try:
    await cache.put({arguments})
except Exception as error:
    return Response(str(error))
""",
        above=IMPORTS,
    )

    assert text == f"TypeError: {error}"


async def test_an_answer_that_is_not_to_be_kept_or_too_large_is_used_up_and_forgotten(stage: Stage) -> None:
    text = await stage.run(
        f"""{KEPT}
private = answer(**{{"cache-control": "private"}})
await cache.put(url, private)
await cache.put(url + "large", answer("x" * 9_000_000))
return Response(f"{{private.bodyUsed}} {{await shown(url)}} {{await shown(url + 'large')}}")
""",
        above=IMPORTS,
    )

    assert text == "True None None"


async def test_an_answer_counts_only_for_requests_with_the_same_fields(stage: Stage) -> None:
    text = await stage.run(
        f"""{KEPT}
def asked(language):
    return js.Request.new(url, headers={{"accept-language": language}})
await cache.put(asked("de"), answer("deutsch", vary="Accept-Language"))
return Response(f"{{await shown(asked('de'))}} {{await shown(asked('fr'))}}")
""",
        above=IMPORTS,
    )

    assert text == "200 deutsch HIT None"


@pytest.mark.parametrize("coding", ["gzip", "br", "foo"])
async def test_a_body_is_kept_in_the_coding_that_its_headers_name(stage: Stage, coding: str) -> None:
    put = KEPT + f"await cache.put(url, answer('hello', **{{'content-encoding': '{coding}'}}))\n"
    assert await stage.run(put + "return Response(await (await cache.match(url)).text())", above=IMPORTS) == "hello"

    stage.add_fetch(put + "return await cache.match(url)", above=IMPORTS)
    answer = await stage.get()
    decode = {"gzip": gzip.decompress, "br": brotli.decompress, "foo": bytes}[coding]

    assert answer.headers.get("content-encoding") == coding
    assert decode(answer.content) == b"hello"
    assert answer.headers.get("content-length") == str(len(answer.content))


async def test_a_fetched_body_is_kept_as_it_came_and_a_part_of_it_is_a_part_of_those_bytes(stage: Stage) -> None:
    packed = brotli.compress(b"hello")
    fields = {"content-encoding": "br", "cache-control": "max-age=60"}
    stage.origin.answer = lambda _: CoreResponse(200, Headers(fields), packed)
    put = KEPT + "await cache.put(url, await fetch(url))\n"

    assert await stage.run(put + "return Response(await (await cache.match(url)).text())", above=IMPORTS) == "hello"
    stage.add_fetch(put + "return await cache.match(url)", above=IMPORTS)
    assert (await stage.get()).content == packed
    part = "return await cache.match(js.Request.new(url, headers={'range': 'bytes=0-2'}))"
    stage.add_fetch(put + part, above=IMPORTS)
    assert (await stage.get()).content == packed[:3]
