"""What a script reads of a body: decoded, whole, and not without limit."""

import gzip
import zlib
from collections.abc import AsyncIterator

import brotli
import pytest

from edgeworker.messages import Body, Response
from edgeworker.runtime.webapi import body_init, encodings
from edgeworker.runtime.webapi.ffi import JsException


def pack(content: bytes) -> bytes:
    """Brotli as small as at its usual quality, in a twentieth of the time."""
    packed: bytes = brotli.compress(content, quality=5)
    return packed


async def pieces(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for begin in range(0, len(content), size):
        yield content[begin : begin + size]


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(bytes(5_000_000))),
        ("gzip", gzip.compress(bytes(2_500_000)) * 2),  # two members: RFC 1952, section 2.2
        ("br", pack(bytes(5_000_000))),
        ("deflate", bytes(5_000_000)),  # workerd decodes no other coding
        (None, bytes(5_000_000)),
    ],
)
async def test_a_compressed_body_is_read_decoded(encoding: str | None, packed: bytes) -> None:
    assert await body_init.read(Response(200, body=Body(pieces(packed))), encoding) == bytes(5_000_000)


@pytest.mark.parametrize(
    ("encoding", "packed", "text"),
    [
        ("gzip", b"hello", "Gzip decompression failed."),
        ("gzip", gzip.compress(b"hello", mtime=0) + b"xx", "Gzip decompression failed."),
        ("gzip", gzip.compress(b"hello", mtime=0)[:-4], "Gzip compressed stream ended prematurely."),
        ("gzip", b"", "Gzip compressed stream ended prematurely."),
        ("br", b"\xff\xff\xff", "Brotli decompression failed."),
        ("br", brotli.compress(b"hello") + b"xx", "Brotli decompression failed."),
        ("br", brotli.compress(b"hello")[:-1], "Brotli compressed stream ended prematurely."),
    ],
)
async def test_a_body_that_is_not_in_its_coding_is_refused_with_workerds_text(
    encoding: str, packed: bytes, text: str
) -> None:
    with pytest.raises(JsException, match=f"^TypeError: {text}"):
        await body_init.read(Response(200, body=Body(pieces(packed))), encoding)


@pytest.mark.parametrize("encoding", [None, "gzip"])
async def test_h16_a_body_is_not_read_beyond_what_an_isolate_may_hold(encoding: str | None) -> None:
    closed = False

    async def endless() -> AsyncIterator[bytes]:
        nonlocal closed
        deflate = zlib.compressobj(wbits=31)
        try:
            while True:
                yield deflate.compress(bytes(100_000)) if encoding else bytes(100_000)
        finally:
            closed = True

    with pytest.raises(JsException, match=r"^TypeError: Memory limit would be exceeded before EOF\.$"):
        await body_init.read(Response(200, body=Body(endless())), encoding, limit=1_000_000)
    assert closed


@pytest.mark.parametrize(
    ("encoding", "bomb"),
    [("gzip", gzip.compress(bytes(50_000_000))), ("br", pack(bytes(50_000_000)))],
    ids=["gzip", "br"],
)
async def test_h16_a_piece_is_inflated_a_little_at_a_time(encoding: str, bomb: bytes) -> None:
    sizes = [len(piece) async for piece in encodings.decode(pieces(bomb, len(bomb)), encoding)]

    assert sum(sizes) == 50_000_000
    assert max(sizes) <= 1024 * 1024
