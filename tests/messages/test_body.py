from collections.abc import AsyncIterator

import pytest

from edgeworker.messages import Body, BodyTooLarge, BodyUsed


class _Source:
    """Pieces that come one by one, and whether they were given up."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)
        self.closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self.pieces:
            raise StopAsyncIteration
        return self.pieces.pop(0)

    async def aclose(self) -> None:
        self.closed = True


async def test_a_body_is_read_once() -> None:
    body = Body(b"abc")

    assert (body.length, body.complete, body.used) == (3, b"abc", False)
    assert await body.read() == b"abc"
    assert body.used
    with pytest.raises(BodyUsed):
        await body.read()
    with pytest.raises(BodyUsed):
        body.stream()


async def test_a_stream_hands_on_its_pieces() -> None:
    body = Body(_Source(b"a", b"bc"))

    assert body.length is None
    assert [piece async for piece in body.stream()] == [b"a", b"bc"]


async def test_reading_stops_at_the_limit_and_gives_the_source_up() -> None:
    source = _Source(b"aaaa", b"bbbb", b"cccc")

    with pytest.raises(BodyTooLarge):
        await Body(source).read(limit=6)

    assert source.closed
    assert source.pieces == [b"cccc"]


async def test_complete_bytes_have_the_limit_too() -> None:
    with pytest.raises(BodyTooLarge):
        await Body(b"1234567").read(limit=6)


async def test_close_gives_the_source_up() -> None:
    source = _Source(b"a")
    body = Body(source)

    await body.close()

    assert source.closed
    assert body.used


async def test_both_branches_of_a_tee_get_everything_in_any_order() -> None:
    first, second = Body(_Source(b"a", b"b", b"c"), length=3).tee()
    stream = second.stream()

    assert await anext(stream) == b"a"
    assert await first.read() == b"abc"
    assert [piece async for piece in stream] == [b"b", b"c"]
    assert (first.length, second.length) == (3, 3)


async def test_a_tee_of_bytes_is_two_bodies() -> None:
    first, second = Body(b"ab").tee()

    assert (await first.read(), await second.read()) == (b"ab", b"ab")


async def test_an_empty_body_streams_nothing() -> None:
    assert [piece async for piece in Body(b"").stream()] == []


def test_a_complete_body_is_taken_once() -> None:
    body = Body(b"abc")

    assert body.take_complete() == b"abc"
    assert body.used
    with pytest.raises(BodyUsed):
        body.take_complete()
