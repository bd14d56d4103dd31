"""What passes through: a client, the listener, and an origin, byte for byte. H-numbers are those of the attack list."""

import asyncio
import gzip
from pathlib import Path

import pytest

from edgeworker.admission import MAX_LOOPS, admit
from edgeworker.messages import Request, Response
from tests.server.chains import chain
from tests.server.wires import (
    END,
    GET,
    OK,
    Answering,
    answering,
    client,
    exchange,
    head,
    origin,
    serving,
    status_of,
)


async def passed_through(data: bytes, answer: bytes) -> tuple[bytes, bytes]:
    """The head that the origin got for `data`, and what the client got for the origin's `answer`."""
    heads: list[bytes] = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await head(reader))
        writer.write(answer)

    async with origin(play) as server, client() as internet:
        behind = internet.at(server.url)

        async def forward(request: Request) -> Response:
            result = admit(request, ray="0123456789abcdef-LHR")
            assert isinstance(result, Request)
            return await behind.fetch(result)

        async with serving(Answering(forward)) as (listener, _):
            received = await exchange(listener.port, data)
    return heads[0], received


@pytest.mark.parametrize(
    ("target", "canonical"),
    [
        (b"/a/%2e%2e/b", b"/b"),
        (b"/a/.%2E/b", b"/b"),
        (b"/a/../../b", b"/b"),
        (b"/a/./b/.", b"/a/b/"),
        (b"//a", b"//a"),
        (b"/a%2Fb", b"/a%2Fb"),
        (b"/a\\..\\b", b"/b"),
        (b"/a;x=1/b", b"/a;x=1/b"),
        (b"/%00", b"/%00"),
        (b"/%zz", b"/%zz"),
        (b"/%c0%af", b"/%C0%AF"),  # the edge refuses it; see test_one_path.py
        (b"/\xc3\xa4", b"/%C3%A4"),
        (b"/\xff", b"/%FF"),
        (b"/A/b", b"/A/b"),
        (b"/a?b=../c", b"/a?b=../c"),
        (b"/api/..%2fadmin", b"/api/..%2Fadmin"),
    ],
)
async def test_h6_one_canonical_path_is_what_everybody_sees(target: bytes, canonical: bytes) -> None:
    heads: list[bytes] = []
    seen: list[str] = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await head(reader))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with origin(play) as server, client() as internet:
        behind = internet.at(server.url)

        async def answer(request: Request) -> Response:
            seen.append(request.url.target)
            return await behind.fetch(request)

        async with serving(Answering(answer)) as (listener, _):
            received = await exchange(listener.port, b"GET " + target + b" HTTP/1.1\r\nHost: a.example\r\n" + END)

    if received.startswith(b"HTTP/1.1 400 "):
        assert target in (b"/\xc3\xa4", b"/\xff")  # the parser may refuse bytes that no URL has
    else:
        assert seen == [canonical.decode()]
        assert heads[0].startswith(b"GET " + canonical + b" HTTP/1.1\r\n")


async def test_h10_bytes_above_ascii_go_through_as_they_are() -> None:
    sent, received = await passed_through(
        GET + b"X-Bytes: \xff\xe9\x80\r\n" + END, b"HTTP/1.1 200 OK\r\nX-Bytes: \xff\xe9\r\nContent-Length: 0\r\n\r\n"
    )

    assert b"\r\nX-Bytes: \xff\xe9\x80\r\n" in sent
    assert b"\r\nX-Bytes: \xff\xe9\r\n" in received


async def test_h10_an_authorization_with_such_bytes_is_refused() -> None:
    assert (await status_of(GET + b"Authorization: Bearer \xff\r\n" + END))[0] == 400


async def test_h11_hop_by_hop_fields_stay_behind_and_cannot_remove_what_the_edge_sets() -> None:
    sent, _ = await passed_through(
        GET
        + b"Connection: close, authorization, cf-connecting-ip, x-named\r\nX-Named: 1\r\nKeep-Alive: 1\r\n"
        + b"TE: trailers\r\nTrailer: x\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nProxy-Authorization: Basic x\r\n\r\n",
        OK,
    )

    lowered = sent.lower()
    for name in (b"connection", b"x-named", b"keep-alive", b"te", b"trailer", b"upgrade", b"proxy-authorization"):
        assert b"\r\n" + name + b":" not in lowered, name
    assert b"\r\ncf-connecting-ip: 127.0.0.1\r\n" in lowered


async def test_h13_what_only_an_edge_may_say_is_set_by_the_edge() -> None:
    forged = (
        b"Cf-Access-Jwt-Assertion: f\r\nCf_Access_Jwt_Assertion: f\r\nCF-Connecting-IP: 6.6.6.6\r\n"
        b"cf_connecting_ip: 6.6.6.6\r\n"
        b"X-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nTrue-Client-IP: 6.6.6.6\r\n"
        b"CF-Worker: evil\r\nForwarded: for=6.6.6.6\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\n"
        b"CF-Ray: f\r\n"
    )
    sent, _ = await passed_through(GET + forged + END, OK)

    assert b"6.6.6.6" not in sent
    assert b"evil" not in sent
    assert b"Assertion" not in sent
    assert b"\r\nX-Forwarded-For: 127.0.0.1\r\n" in sent
    assert b"\r\nX-Forwarded-Proto: http\r\n" in sent
    assert b'\r\nCF-Visitor: {"scheme":"http"}\r\n' in sent
    assert b"\r\nCDN-Loop: cloudflare; loops=1\r\n" in sent


async def test_h17_a_compressed_answer_is_passed_on_as_it_is() -> None:
    packed = gzip.compress(bytes(100_000))
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed
    _, received = await passed_through(GET + END, answer)

    assert b"\r\nContent-Encoding: gzip\r\n" in received
    assert received.endswith(b"\r\n\r\n" + packed)


async def test_h22_a_redirect_of_the_origin_goes_to_the_client() -> None:
    location = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    sent, received = await passed_through(GET + b"Authorization: Bearer x\r\n" + END, location)

    assert b"\r\nAuthorization: Bearer x\r\n" in sent
    assert received.startswith(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n")


async def test_h25_hop_by_hop_fields_of_the_origin_stay_behind() -> None:
    _, received = await passed_through(
        GET + END,
        b"HTTP/1.1 200 OK\r\nConnection: x-secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\n"
        b"Upgrade: h2c\r\nTrailer: x\r\nProxy-Authenticate: Basic\r\n"
        b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok",
    )

    lowered = received.lower()
    for name in (b"x-secret", b"keep-alive", b"upgrade", b"trailer", b"proxy-authenticate"):
        assert b"\r\n" + name + b":" not in lowered, name
    assert b"\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n" in received


@pytest.mark.parametrize(
    ("end", "answer"),
    [
        (b"\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
        (b"\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        (END, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n"),
    ],
)
async def test_h25_an_answer_that_the_origin_does_not_complete_does_not_look_complete(
    end: bytes, answer: bytes
) -> None:
    _, received = await passed_through(GET + end, answer)

    if received.startswith(b"HTTP/1.1 200 "):
        assert b"0\r\n\r\n" not in received
        assert (b"Content-Length: 9\r\n" in received) != (b"Transfer-Encoding: chunked\r\n" in received)
    else:
        assert received.startswith(b"HTTP/1.1 500 ")  # it was seen before anything was sent


async def test_h21_a_request_that_came_through_the_edge_too_often_ends(tmp_path: Path) -> None:
    async with chain(tmp_path, answering(OK)) as whole:
        for loops, status in ((b"loops=15", b"200"), (b"loops=16", b"508"), (b"loops=9999999", b"508")):
            field = b"CDN-Loop: other, cloudflare; " + loops + b"\r\n"
            assert (await exchange(whole.port, GET + field + END)).startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize("path", [b"/", b"/api"])
async def test_h21_an_origin_that_asks_the_edge_again_ends_as_a_loop(tmp_path: Path, path: bytes) -> None:
    ports: list[int] = []

    async def back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        again = (await head(reader)).removesuffix(b"\r\n") + END
        writer.write(await exchange(ports[0], again))

    async with chain(tmp_path, back) as whole:
        ports.append(whole.port)
        received = await exchange(whole.port, b"GET " + path + b" HTTP/1.1\r\nHost: a.example\r\n" + END)

        assert received.startswith(b"HTTP/1.1 508 ")
        assert whole.origin.connections == MAX_LOOPS


@pytest.mark.parametrize("method", [b"GET", b"DELETE", b"OPTIONS"])
@pytest.mark.parametrize("chunked", [False, True])
async def test_h1_what_an_origin_does_not_read_of_a_body_is_not_put_before_the_next_request(
    tmp_path: Path, method: bytes, chunked: bool
) -> None:
    async def careless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            target = (await head(reader)).split(b"\r\n\r\n")[0].split(b" ")[1]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(target), target))

    body = b"GET /smuggled HTTP/1.1\r\nX: "
    framing = b"Content-Length: %d\r\n" % len(body)
    if chunked:
        framing, body = b"Transfer-Encoding: chunked\r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    async with chain(tmp_path, careless) as whole:
        await exchange(whole.port, method + b" /a HTTP/1.1\r\nHost: a.example\r\n" + framing + END + body)
        received = await exchange(whole.port, b"GET /victim HTTP/1.1\r\nHost: a.example\r\n" + END)

    assert received.endswith(b"\r\n\r\n/victim")
