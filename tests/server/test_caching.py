"""H23 on the wire: no one is given an answer that was made for someone else, and no one can poison one."""

from pathlib import Path

import pytest

from tests.server.chains import chain
from tests.server.wires import END, Answering, answering, exchange, hello, serving

# A script that keeps whatever it may: the worst case that the rules have to hold in.
CACHING = """\
from js import caches
from workers import Response, WorkerEntrypoint, fetch


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        found = await caches.default.match(request)
        if found is not None:
            return found
        answer = await fetch(request)
        await caches.default.put(request, answer.clone())
        return answer
"""


def answer(*fields: bytes, status: bytes = b"200 OK", body: bytes = b"first") -> bytes:
    lines = b"".join(field + b"\r\n" for field in fields)
    return b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, lines, len(body), body)


async def asked_twice(
    folder: Path,
    first: bytes,
    *fields: bytes,
    then: tuple[bytes, ...] = (),
    script: str = CACHING,
    path: bytes = b"/api",
) -> bytes:
    """The body of the second answer; the origin answers a second time with "second"."""
    heads: list[bytes] = []
    second = answer(b"Cache-Control: no-store", body=b"second")
    async with chain(folder, answering(first, second, heads=heads), script=script) as whole:
        for own in (fields, then):
            lines = b"".join(field + b"\r\n" for field in own)
            received = await exchange(whole.port, b"GET " + path + b" HTTP/1.1\r\nHost: a.example\r\n" + lines + END)
    assert all(b"evil" not in one for one in heads)
    return received.rpartition(b"\r\n\r\n")[2]


KEEP = b"Cache-Control: max-age=600"


async def test_h23_a_script_can_keep_what_may_be_kept(tmp_path: Path) -> None:
    assert await asked_twice(tmp_path, answer(KEEP)) == b"first"


@pytest.mark.parametrize("path", [b"/account/x.css", b"/account;x.css", b"/account%3Fx.css", b"/x.js", b"/api/a.png"])
async def test_h23_the_edge_keeps_nothing_by_itself_whatever_a_path_looks_like(tmp_path: Path, path: bytes) -> None:
    passing = CACHING[: CACHING.index("        found")] + "        return await fetch(request)\n"

    assert await asked_twice(tmp_path, answer(b"Cache-Control: public, max-age=600"), script=passing, path=path) == (
        b"second"
    )


@pytest.mark.parametrize(
    "first",
    [
        answer(KEEP, status=b"401 Unauthorized"),
        answer(KEEP, status=b"403 Forbidden"),
        answer(KEEP, status=b"429 Too Many Requests"),
        answer(KEEP, status=b"500 Internal Server Error"),
        answer(b"Cache-Control: private, max-age=600"),
        answer(b"Cache-Control: no-store, max-age=600"),
        answer(b"Cache-Control: no-cache, max-age=600"),
        answer(b"Cache-Control: max-age=600", b"Cache-Control: no-store"),
        answer(b"Cache-Control: s-maxage=0, max-age=600"),
        answer(KEEP, b"Set-Cookie: session=1"),
        answer(b"Expires: 0"),
        answer(b"X-Nothing: 1"),
    ],
)
async def test_h23_what_is_private_or_an_error_is_not_kept(tmp_path: Path, first: bytes) -> None:
    assert await asked_twice(tmp_path, first) == b"second"


@pytest.mark.parametrize(
    ("control", "body"),
    [(b"max-age=600", b"second"), (b"private, max-age=600", b"second"), (b"public, max-age=600", b"first")],
)
async def test_h23_the_answer_to_a_token_is_kept_only_if_it_says_that_it_is_for_everybody(
    tmp_path: Path, control: bytes, body: bytes
) -> None:
    token = b"Authorization: Bearer x"

    assert await asked_twice(tmp_path, answer(b"Cache-Control: " + control), token) == body


@pytest.mark.parametrize(
    ("fields", "then", "body"),
    [
        ((b"Accept-Language: de",), (b"Accept-Language: fr",), b"second"),
        ((b"Accept-Language: de",), (), b"second"),
        ((), (b"Accept-Language: de",), b"second"),
        ((b"Accept-Language: de",), (b"Accept-Language: de",), b"first"),
    ],
)
async def test_h23_an_answer_that_varies_is_for_the_same_fields_only(
    tmp_path: Path, fields: tuple[bytes, ...], then: tuple[bytes, ...], body: bytes
) -> None:
    assert await asked_twice(tmp_path, answer(KEEP, b"Vary: Accept-Language"), *fields, then=then) == body


@pytest.mark.parametrize(
    "field",
    [
        b"X-Forwarded-Host: evil.example",
        b"X_Forwarded_Host: evil.example",
        b"X-Forwarded-Scheme: evil",
        b"X-Forwarded-Proto: evil",
        b"X-Original-URL: /evil",
        b"X-Rewrite-URL: /evil",
        b"Forwarded: host=evil.example",
    ],
)
async def test_h23_what_an_answer_could_be_poisoned_with_does_not_reach_the_origin(
    tmp_path: Path, field: bytes
) -> None:
    assert await asked_twice(tmp_path, answer(KEEP), field) == b"first"


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: a@b\r\n" + END,
        b"GET /%00 HTTP/1.1\r\nHost: a.example\r\n" + END,
        b"GET /cdn-cgi/x HTTP/1.1\r\nHost: a.example\r\n" + END,
        b"GET /api HTTP/1.1\r\nHost: a.example\r\nAuthorization: a\r\nAuthorization: b\r\n" + END,
    ],
)
async def test_h23_the_edges_own_refusals_are_not_to_be_kept(tmp_path: Path, data: bytes) -> None:
    async with chain(tmp_path, answering()) as whole:
        received = await exchange(whole.port, data)

    assert not received.startswith(b"HTTP/1.1 2")
    assert b"no-store\r\n" in received.lower()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
async def test_h23_what_the_parser_refuses_is_not_to_be_kept(data: bytes) -> None:
    async with serving(Answering(hello)) as (listener, _):
        received = await exchange(listener.port, data)

    assert received.startswith(b"HTTP/1.1 4")
    assert b"no-store\r\n" in received.lower()
