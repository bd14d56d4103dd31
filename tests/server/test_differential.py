"""Requests that were bent at random, read by us and by other parsers: no one may see another request than we do.

A parser may refuse what another takes. What must not happen is that two of them take the same bytes for different
requests: that is how requests are smuggled past a listener.
"""

import asyncio
import random
from typing import Final

from edgeworker.config import Limits
from edgeworker.messages import Request, Response
from tests.patience import PATIENCE_SECONDS
from tests.server.other_parsers import PARSERS, Reading, fields_of, lines
from tests.server.wires import Answering, serving

CASES: Final = 2500
SEED: Final = 20261122
AT_ONCE: Final = 125

CORPUS: Final = [
    b"GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n",
    b"GET /a HTTP/1.0\r\nHost: a.example\r\nConnection: keep-alive\r\n\r\n",
    b"POST /b HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello",
    b"POST /c HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST /d HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-T: 1\r\n\r\n",
    b"POST /e HTTP/1.1\r\nHost: a.example\r\nContent-Length: 38\r\n\r\nGET /x HTTP/1.1\r\nHost: a.example\r\nX: y\r\n",
    b"GET http://a.example/f HTTP/1.1\r\nHost: a.example\r\nX-A: 1\r\nX-A: 2\r\nAuthorization: Bearer x\r\n\r\n",
    b"PUT /g HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\nTransfer-Encoding: identity\r\n\r\n",
    b"OPTIONS /h?q=1 HTTP/1.1\r\nHost: [::1]:8080\r\nConnection: x-a, keep-alive\r\nX-A: b\r\n\r\n",
]
LAST: Final = b"GET /last HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"
PIECES: Final = [
    *(bytes([code]) for code in (0, 9, 10, 11, 12, 13, 32, 34, 35, 43, 44, 45, 48, 58, 59, 61, 95, 127, 128, 160, 255)),
    *(b"\r\n", b"\n\r", b"\r\n ", b"\r\n\t", b"\r\n\r\n", b"0\r\n\r\n", b"0x5", b"+5", b"5 ", b" 5", b"00005", b"5,5"),
    *(b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n", b"content_length: 5\r\n"),
    *(b"Transfer-Encoding:\x0bchunked\r\n", b"Transfer-Encoding : chunked\r\n", b"Transfer-Encoding: x, chunked\r\n"),
    *(
        b"chunked",
        b"CHUNKED",
        b"gzip, chunked",
        b"identity",
        b"Host: b.example\r\n",
        b"HTTP/1.1",
        b"HTTP/1.0",
        b"HTTP/0.9",
    ),
    *(
        b"GET /y HTTP/1.1\r\nHost: b.example\r\n\r\n",
        b"POST",
        b"\xef\xbb\xbf",
        b"Connection: close\r\n",
        b"TRACE",
        b"/../",
    ),
]


def bend(rng: random.Random) -> bytes:
    """One to three requests of the corpus with one to three changes, and a good one at the end."""
    data = bytearray(b"".join(rng.choice(CORPUS) for _ in range(rng.randint(1, 3))))
    for _ in range(rng.randint(1, 2)):
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at:at] = rng.choice(PIECES)
            case 1:
                data[at : at + rng.randint(1, 4)] = b""
            case 2:
                data[at : at + 1] = rng.choice(PIECES)
            case _:
                lines = bytes(data).split(b"\r\n")
                lines.insert(rng.randrange(len(lines)), rng.choice(lines))
                data = bytearray(b"\r\n".join(lines))
        if not data:
            data = bytearray(b"\r\n")
    return bytes(data) + LAST


async def read_by_ourselves(cases: list[bytes]) -> list[Reading]:
    readings: dict[int, Reading] = {}

    async def answer(request: Request) -> Response:
        assert request.raw_target is not None
        body = b"" if request.body is None else await request.body.read()
        target = request.raw_target.encode("utf-8", "surrogateescape")
        seen = (request.method.encode(), target, fields_of(request.headers.raw), body)
        readings[request.client.port].requests.append(seen)
        return Response(200)

    async def one(port: int, pieces: list[bytes]) -> Reading:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        reading = readings[writer.get_extra_info("sockname")[1]] = Reading()
        for piece in pieces:
            if reader.at_eof() or writer.is_closing():
                break  # refused already
            writer.write(piece)
            await asyncio.sleep(0)  # the server, which is on the same loop, reads it by itself
        try:
            received = await reader.read(-1)
        except ConnectionError:
            received = b""  # it was closed while more was on its way
            reading.refused = True
        writer.close()
        statuses = [piece[:3] for piece in received.split(b"HTTP/1.1 ")[1:]]
        reading.refused |= any(status != b"200" for status in statuses) or len(statuses) != len(reading.requests)
        if not reading.requests or reading.requests[-1][1] != b"/last":
            reading.refused |= b"\r\nConnection: close\r\n" in received
        return reading

    # Bytes that wait for more are refused soon.
    limits = Limits(header_timeout_seconds=0.3, body_grace_seconds=0.3, keepalive_timeout_seconds=0.5)
    results: list[Reading] = []
    rng = random.Random(SEED)
    async with serving(Answering(answer), limits=limits) as (listener, _):
        for start in range(0, len(cases), AT_ONCE):
            async with asyncio.timeout(PATIENCE_SECONDS):
                batch = cases[start : start + AT_ONCE]
                results += await asyncio.gather(*(one(listener.port, split(rng, data)) for data in batch))
    return results


def split(rng: random.Random, data: bytes) -> list[bytes]:
    """As it may come over a network: whole, or cut after each line, or anywhere."""
    match rng.randrange(3):
        case 0:
            return [data]
        case 1:
            return lines(data)
        case _:
            cuts = sorted(rng.randrange(len(data)) for _ in range(4))
            return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def differ(ours: Reading, theirs: Reading) -> bool:
    """Whether the two took the same bytes for different requests."""
    shared = min(len(ours.requests), len(theirs.requests))
    if ours.requests[:shared] != theirs.requests[:shared]:
        return True
    # Who saw fewer must have refused what the other took for a request, or it took it for something else.
    if len(ours.requests) > shared:
        return not theirs.refused
    return len(theirs.requests) > shared and not ours.refused


async def test_no_other_parser_sees_another_request() -> None:
    rng = random.Random(SEED)
    cases = [bend(rng) for _ in range(CASES)]

    ours = await read_by_ourselves(cases)

    different = [
        (name, data, mine.requests, theirs.requests)
        for data, mine in zip(cases, ours, strict=True)
        for name, read in PARSERS.items()
        if differ(mine, theirs := read(data))
    ]
    assert different == []
    # Neither all nor none were read to the end, or this compares nothing.
    whole = sum(len(reading.requests) > 0 and reading.requests[-1][1] == b"/last" for reading in ours)
    assert CASES * 0.05 < whole < CASES * 0.95
