"""What is let in: attacks with the bytes as an attacker sends them. H-numbers are those of the attack list."""

import asyncio
import gzip

import pytest

from edgeworker.config import Limits
from edgeworker.messages import Request, Response
from tests.patience import PATIENCE_SECONDS
from tests.server.wires import END, GET, POST, Answering, exchange, reading, serving, status_of, to_end

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        # H1
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Content-Length: 5\r\nContent-Length: 0\r\n\r\n" + SMUGGLED,
        POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde" + SMUGGLED,
        POST + b"Content-Length: 5, 5\r\n\r\nabcde" + SMUGGLED,
        POST + b"Content-Length: +5\r\n\r\nabcde" + SMUGGLED,
        POST + b"Content-Length: -5\r\n\r\nabcde" + SMUGGLED,
        POST + b"Content-Length: 0x5\r\n\r\nabcde" + SMUGGLED,
        POST + b"Content-Length: 5 5\r\n\r\nabcde" + SMUGGLED,
        POST + b"Content-Length: \xd9\xa5\r\n\r\nabcde" + SMUGGLED,
        POST + b"Content-Length: 99999999999999999999\r\n\r\nabcde" + SMUGGLED,
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        b"GET / HTTP/1.1\nHost: a.example\n\n" + SMUGGLED,
        GET + b"X: a\r\n folded\r\n\r\n" + SMUGGLED,
        GET + b"X : a\r\n\r\n" + SMUGGLED,
        GET + b" X: a\r\n\r\n" + SMUGGLED,
        GET + b"X: a\0b\r\n\r\n" + SMUGGLED,
        GET + b"X\0: a\r\n\r\n" + SMUGGLED,
        GET + b"X: a\rb\r\n\r\n" + SMUGGLED,
        GET + b": a\r\n\r\n" + SMUGGLED,
        GET + b"X\r\n\r\n" + SMUGGLED,
        # H2
        b"POST / HTTP/1.0\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        b"POST / HTTP/1.0\r\nHost: a.example\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        + SMUGGLED,
        # H3, H5
        b"GET / HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n\r\n" + SMUGGLED,
        b"GET / HTTP/1.1\r\n\r\n" + SMUGGLED,
        b"GET / HTTP/1.0\r\n\r\n" + SMUGGLED,
        # H8
        b"get / HTTP/1.1\r\nHost: a.example\r\n\r\n" + SMUGGLED,
        b"FOO / HTTP/1.1\r\nHost: a.example\r\n\r\n" + SMUGGLED,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + SMUGGLED,
        b"GET / HTTP/1.1 \r\nHost: a.example\r\n\r\n" + SMUGGLED,
        b"GET / x HTTP/1.1\r\nHost: a.example\r\n\r\n" + SMUGGLED,
        b"GET /\r\nHost: a.example\r\n\r\n" + SMUGGLED,
        b"GET * HTTP/1.1\r\nHost: a.example\r\n\r\n" + SMUGGLED,
        b"GET x HTTP/1.1\r\nHost: a.example\r\n\r\n" + SMUGGLED,
    ],
)
async def test_h1_h2_what_is_not_exactly_http_is_a_400_and_the_connection_ends(data: bytes) -> None:
    status, requests, received = await status_of(data)

    assert status == 400
    assert requests == []
    assert received.count(b"HTTP/1.1 ") == 1
    assert b"\r\nConnection: close\r\n" in received


@pytest.mark.parametrize(
    "body",
    [
        b"3\nabc\n0\n\n",
        b"3\r\nabcde\r\n0\r\n\r\n",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b"3;a\nb\r\nabc\r\n0\r\n\r\n",
        b"-1\r\n\r\n",
        b" 3\r\nabc\r\n0\r\n\r\n",
        b"ffffffffffffffffff\r\nabc",
        b"\r\n",
        b"3 \r\nabc\r\n0\r\n\r\n",
    ],
)
async def test_h1_a_broken_chunk_ends_the_connection_and_is_never_a_whole_body(body: bytes) -> None:
    async def answer(request: Request) -> Response:
        assert request.body is not None
        return Response(200, body=await request.body.read())

    handler = Answering(answer)
    async with serving(handler) as (listener, _):
        received = await exchange(listener.port, POST + b"Transfer-Encoding: chunked\r\n\r\n" + body + SMUGGLED)

    assert received.startswith(b"HTTP/1.1 400 ")
    assert [request.url.path for request in handler.requests] in ([], ["/"])


@pytest.mark.parametrize(
    "name", [b"Authorization", b"Cf-Access-Token", b"CF-Access-Client-Id", b"CF-Access-Client-Secret"]
)
async def test_h3_a_credential_that_comes_twice_is_refused(name: bytes) -> None:
    assert (await status_of(GET + name + b": a\r\n" + name.upper() + b": b\r\n" + END))[0] == 400


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        # H4
        (b"http://a.example/x", b"a.example", 200),
        (b"http://A.example/x", b"a.EXAMPLE", 200),
        (b"http://a.example", b"a.example", 200),
        (b"http://a.example?q", b"a.example", 200),
        (b"http://b.example/", b"a.example", 421),
        (b"http://a.example:81/", b"a.example", 421),
        (b"http://a.example:80/", b"a.example", 421),
        (b"http://u@a.example/", b"a.example", 421),
        (b"https://a.example/", b"a.example", 421),
        (b"http:///x", b"a.example", 400),
        (b"//b.example/x", b"a.example", 200),
        # H5
        (b"/", b"a@b", 400),
        (b"/", b"a.example/b", 400),
        (b"/", b"a.example:99999", 400),
        (b"/", b"a.example:", 400),
        (b"/", b"a.example:8 0", 400),
        (b"/", b"a.example, b.example", 400),
        (b"/", b"a..example", 400),
        (b"/", b"", 400),
        (b"/", b"[::1%25eth0]", 400),
        (b"/", b"[::1", 400),
        (b"/", b"a\\b", 400),
        (b"/", b"a%00b", 400),
        (b"/", b"a#b", 400),
        (b"/", b"a_b.example", 200),
        (b"/", b"a.example.", 200),
        (b"/", b"A.EXAMPLE", 200),
        (b"/", b"[::1]:8080", 200),
    ],
)
async def test_h4_h5_the_host_is_exactly_one_name(target: bytes, host: bytes, status: int) -> None:
    got, requests, _ = await status_of(b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\n" + END)

    assert got == status
    if target.startswith((b"//", b"http://a")) and status == 200:
        assert requests[0].url.hostname == "a.example"
    if host in (b"a.example.", b"A.EXAMPLE"):
        assert requests[0].url.hostname == "a.example"


@pytest.mark.parametrize("line", [b"TRACE /", b"CONNECT /", b"CONNECT a.example:443"])
async def test_h8_methods_for_proxies_are_refused(line: bytes) -> None:
    data = line + b" HTTP/1.1\r\nHost: a.example\r\n" + END

    status, requests, received = await status_of(data + SMUGGLED)

    assert status == 405
    assert received.count(b"HTTP/1.1 ") == 1
    if line.startswith(b"CONNECT"):
        assert requests == []
        assert b"\r\nAllow: GET, HEAD, " in received


async def test_options_about_the_server_are_answered_without_a_handler() -> None:
    data = b"OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n"

    status, requests, received = await status_of(data + GET + END)

    assert status == 204
    assert b"\r\nAllow: GET, HEAD, " in received
    assert b"\r\nCF-Ray: " in received
    assert [request.url.path for request in requests] == ["/"]


async def test_options_about_the_server_need_a_host_as_any_request() -> None:
    assert (await status_of(b"OPTIONS * HTTP/1.1\r\n" + END))[0] == 400


async def test_h12_trailers_are_dropped() -> None:
    bodies: list[bytes] = []

    async def answer(request: Request) -> Response:
        assert request.body is not None
        bodies.append(await request.body.read())
        return Response(200, body=str(request.headers.get("authorization")).encode())

    async with serving(Answering(answer)) as (listener, _):
        received = await exchange(
            listener.port,
            POST + b"Transfer-Encoding: chunked\r\n" + END + b"2\r\nab\r\n0\r\nAuthorization: Bearer x\r\n\r\n",
        )

    assert bodies == [b"ab"]
    assert received.endswith(b"\r\n\r\nNone")


@pytest.mark.parametrize("pipelined", [True, False])
async def test_h12_a_trailer_does_not_become_a_field_of_the_next_request(pipelined: bool) -> None:
    trailers = b"X-A: b\r\nAuthorization: Bearer evil\r\n"
    first = POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n" + trailers + b"\r\n"
    handler = Answering(reading_if_any)
    async with serving(handler) as (listener, _), asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(first + (GET + END if pipelined else b""))
        await reader.readuntil(b"\r\n\r\n")
        if not pipelined:
            writer.write(GET + END)
        await reader.read()
        writer.close()

    assert [request.method for request in handler.requests] == ["POST", "GET"]
    assert not any(request.headers.has("x-a") or request.headers.has("authorization") for request in handler.requests)


async def test_a_chunked_body_without_trailers_keeps_its_connection() -> None:
    handler = Answering(reading_if_any)
    async with serving(handler) as (listener, _), asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n2")
        writer.write(GET + END)
        assert (await reader.read()).startswith(b"HTTP/1.1 200 OK\r\n")
        writer.close()

    assert len(handler.requests) == 2


async def reading_if_any(request: Request) -> Response:
    return Response(200) if request.body is None else await reading(request)


async def test_h15_an_endless_chunked_body_is_stopped_at_the_limit() -> None:
    async with (
        serving(Answering(reading), limits=Limits(body_bytes=1000)) as (listener, _),
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(20):
            writer.write(b"64\r\n" + bytes(100) + b"\r\n")
        received = await to_end(reader)
        writer.close()

    assert received.startswith(b"HTTP/1.1 413 ")


async def test_h15_a_body_shorter_than_its_length_is_not_a_whole_one() -> None:
    begun = asyncio.Event()

    async def answer(request: Request) -> Response:
        begun.set()
        return await reading(request)

    async with serving(Answering(answer)) as (listener, summaries), asyncio.timeout(PATIENCE_SECONDS):
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(POST + b"Content-Length: 5\r\n\r\nabc")
        await begun.wait()
        writer.close()

    assert [summary.status for summary in summaries] in ([], [400], [499])


async def test_h16_a_compressed_body_is_passed_on_as_it_is() -> None:
    bomb = gzip.compress(bytes(4 * 1024 * 1024))
    async with serving(Answering(reading)) as (listener, _):
        received = await exchange(
            listener.port, POST + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n" % len(bomb) + END + bomb
        )

    assert received.endswith(b"\r\n\r\n%d" % len(bomb))
