"""A pipe behaves as a socket does."""

import asyncio

from edgeworker.testing import pipe


class End(asyncio.Protocol):
    """Notes what happens to it."""

    def __init__(self) -> None:
        self.received = b""
        self.events: list[str] = []
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, error: Exception | None) -> None:
        self.events.append("lost")

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")

    @property
    def pipe(self) -> asyncio.Transport:
        assert self.transport is not None
        return self.transport


def _connected() -> tuple[End, End]:
    client, server = End(), End()
    pipe.connect(client, server)
    return client, server


async def _turns() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


async def test_bytes_arrive_in_order_in_a_later_turn() -> None:
    client, server = _connected()

    client.pipe.write(b"a")
    client.pipe.writelines([b"b", bytearray(b"c")])
    server.pipe.write(b"z")

    assert server.received == b""
    await _turns()
    assert (server.received, client.received) == (b"abc", b"z")


async def test_each_end_knows_the_other_address() -> None:
    client, server = _connected()

    assert client.pipe.get_extra_info("peername") == ("192.0.2.2", 443)
    assert server.pipe.get_extra_info("peername") == ("192.0.2.1", 54321)


async def test_what_was_written_before_a_close_still_arrives() -> None:
    client, server = _connected()

    client.pipe.write(b"last words")
    client.pipe.close()
    client.pipe.write(b"too late")
    await _turns()

    assert (server.received, server.events, client.events) == (b"last words", ["lost"], ["lost"])
    assert server.pipe.is_closing()


async def test_an_abort_drops_what_has_not_arrived() -> None:
    client, server = _connected()

    client.pipe.write(b"lost words")
    client.pipe.abort()
    await _turns()

    assert (server.received, server.events) == (b"", ["lost"])


async def test_a_reader_that_pauses_holds_the_writer_back() -> None:
    client, server = _connected()

    server.pipe.pause_reading()
    client.pipe.write(b"x" * 100_000)
    await _turns()
    assert (server.received, client.events, server.pipe.is_reading()) == (b"", ["pause"], False)
    assert client.pipe.get_write_buffer_size() == 100_000

    server.pipe.resume_reading()
    await _turns()
    assert (len(server.received), client.events) == (100_000, ["pause", "resume"])


async def test_a_paused_reader_gets_the_rest_before_it_hears_of_the_end() -> None:
    client, server = _connected()
    server.pipe.pause_reading()

    client.pipe.write(b"rest")
    client.pipe.close()
    await _turns()
    assert server.events == []

    server.pipe.resume_reading()
    await _turns()
    assert (server.received, server.events) == (b"rest", ["lost"])
