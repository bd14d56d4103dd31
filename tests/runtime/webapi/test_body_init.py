"""What a script reads of a body: decoded, whole, and not without limit."""

import gzip
import zlib
from collections.abc import AsyncIterator

import pytest

from edgeworker.messages import Body, Response
from edgeworker.runtime.webapi import body_init, encodings
from edgeworker.runtime.webapi.ffi import JsException


async def pieces(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for begin in range(0, len(content), size):
        yield content[begin : begin + size]


@pytest.mark.parametrize("packed", [gzip.compress(bytes(5_000_000)), zlib.compress(bytes(5_000_000))])
async def test_a_compressed_body_is_read_decoded(packed: bytes) -> None:
    assert await body_init.read(Response(200, body=Body(pieces(packed))), "gzip") == bytes(5_000_000)


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


async def test_h16_a_piece_is_inflated_a_little_at_a_time() -> None:
    bomb = gzip.compress(bytes(50_000_000))

    sizes = [len(piece) async for piece in encodings.decoded(pieces(bomb, len(bomb)), "gzip")]

    assert sum(sizes) == 50_000_000
    assert max(sizes) <= 1024 * 1024
