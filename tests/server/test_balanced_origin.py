"""Several origins as one handler, over real sockets."""

import asyncio
import errno
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace

import pytest

from edgeworker.balancing.board import OriginBoard, OriginRecord
from edgeworker.balancing.settings import LoadBalancer, OriginServer, OriginTimeouts
from edgeworker.clock import SystemClock
from edgeworker.errors import OriginError
from edgeworker.messages import Body
from edgeworker.server import OriginClient
from edgeworker.server.balanced_origin import BalancedOrigin
from edgeworker.shared_counts import SharedCounts
from tests.cycles import no_error_keeps_itself
from tests.patience import PATIENCE_SECONDS
from tests.server.wires import ALL_ALLOWED, OK, Play, answering, call, head, origin, pieces, read

SILENT_SECONDS = 0.05
# Long enough for a connection: one that is given up before it is accepted is left to the garbage collector.
TOTAL_SECONDS = 0.5


@dataclass
class Balanced:
    handler: BalancedOrigin
    records: list[OriginRecord]
    connections: list[int]


@asynccontextmanager
async def balanced(
    *plays: Play | None, settings: LoadBalancer | None = None, timeouts: OriginTimeouts | None = None
) -> AsyncIterator[Balanced]:
    """One origin for each play, asked in their order; None is a port on which no one listens."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(origin(play or answering())) for play in plays]
        urls = [
            server.url if play else f"http://127.0.0.1:{_closed_port()}"
            for server, play in zip(servers, plays, strict=True)
        ]
        bases = {} if timeouts is None else dict.fromkeys(urls, timeouts)
        client = OriginClient(ALL_ALLOWED, SystemClock(), timeouts=bases)
        stack.push_async_callback(client.close)
        given = settings or LoadBalancer(())
        limits = given.origins or [OriginServer("")] * len(urls)
        configured = tuple(replace(one, url=url) for one, url in zip(limits, urls, strict=True))
        board = OriginBoard()
        handler = BalancedOrigin(replace(given, origins=configured), client.at, board, SystemClock(), lambda: 0.0)
        yield Balanced(handler, [one.record for one in handler.servers], [server.connections for server in servers])


def _closed_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await head(reader)


async def is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await head(reader)
    await reader.read()


async def stops_in_the_middle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await head(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    await reader.read()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_refused_connection_sends_any_request_to_another_origin(method: str) -> None:
    async with balanced(None, answering(OK)) as one:
        response = await one.handler.fetch(call(method, Body(b"order") if method == "POST" else None))

        assert (response.status, await read(response.body)) == (200, b"ok")
    assert [(record.requests, record.failures, record.retries) for record in one.records] == [(1, 1, 1), (1, 0, 0)]


@pytest.mark.parametrize("plays", [(None, answering(OK)), (None, None)], ids=["another one answers", "no one answers"])
async def test_an_origin_that_fails_leaves_no_cycle(plays: Sequence[Play | None]) -> None:
    async with balanced(*plays) as one:
        with no_error_keeps_itself(), suppress(OriginError):
            await read((await one.handler.fetch(call("GET"))).body)


async def test_the_body_is_sent_to_the_other_origin_too() -> None:
    received: list[bytes] = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        received.append(await reader.readexactly(5))
        writer.write(OK)

    for body in (Body(b"order"), Body(pieces(b"or", b"der"), length=5)):
        async with balanced(None, play) as one:
            response = await one.handler.fetch(call("POST", body))
            assert await read(response.body) == b"ok"

    assert received == [b"order", b"order"]


async def test_an_idempotent_request_that_got_no_answer_goes_to_another_origin() -> None:
    async with balanced(resets, answering(OK)) as one:
        assert (await one.handler.fetch(call("GET"))).status == 200


async def test_a_post_that_may_have_been_carried_out_is_not_sent_again() -> None:
    heads: list[bytes] = []

    async with balanced(resets, answering(OK, heads=heads)) as one:
        with pytest.raises(OriginError) as caught:
            await one.handler.fetch(call("POST", Body(b"order")))

    assert (caught.value.status, heads) == (520, [])


async def test_a_body_that_was_read_is_not_sent_again() -> None:
    heads: list[bytes] = []

    async def reads_some(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        await reader.readexactly(2)

    async with balanced(reads_some, answering(OK, heads=heads)) as one:
        with pytest.raises(OriginError):
            await one.handler.fetch(call("PUT", Body(pieces(b"ab", b"c"), length=3)))

    assert heads == []


async def test_no_more_origins_are_asked_than_retries_say() -> None:
    async with balanced(None, None, answering(OK), settings=LoadBalancer((), retries=1)) as one:
        with pytest.raises(OriginError) as caught:
            await one.handler.fetch(call())

    assert caught.value.status == 521
    assert [record.requests for record in one.records] == [1, 1, 0]


async def test_an_origin_that_failed_often_is_left_alone() -> None:
    settings = LoadBalancer((), max_failures=2, fail_seconds=PATIENCE_SECONDS)

    async with balanced(None, answering(*[OK] * 5), settings=settings) as one:
        for _ in range(5):
            await read((await one.handler.fetch(call())).body)

    assert [record.requests for record in one.records] == [2, 5]


@pytest.mark.parametrize(
    ("timeouts", "play", "status"),
    [
        (OriginTimeouts(PATIENCE_SECONDS, SILENT_SECONDS, PATIENCE_SECONDS), is_silent, 524),
        (OriginTimeouts(PATIENCE_SECONDS, PATIENCE_SECONDS, SILENT_SECONDS), stops_in_the_middle, 524),
    ],
    ids=["first byte", "idle"],
)
async def test_each_timeout_is_kept(timeouts: OriginTimeouts, play: Play, status: int) -> None:
    async with balanced(play, timeouts=timeouts) as one:
        with pytest.raises(OriginError) as caught:
            await read((await one.handler.fetch(call())).body)

    assert caught.value.status == status
    assert (one.records[0].failures, one.records[0].in_use) == (1, 0)


@pytest.mark.parametrize(
    ("play", "text"),
    [
        (is_silent, "load balancer  did not answer within 0.5 seconds"),
        (stops_in_the_middle, "the answer did not end within the total timeout"),
    ],
    ids=["no head", "half a body"],
)
async def test_the_total_timeout_covers_the_whole_answer(play: Play, text: str) -> None:
    async with balanced(play, settings=LoadBalancer((), total_timeout_seconds=TOTAL_SECONDS)) as one:
        with pytest.raises(OriginError) as caught:
            await read((await one.handler.fetch(call())).body)

    # On a slow machine the time may be over before the head has come.
    assert str(caught.value) in (text, "load balancer  did not answer within 0.5 seconds")
    assert caught.value.status == 524
    assert one.records[0].in_use == 0


async def test_an_origin_that_lets_the_total_timeout_pass_has_failed() -> None:
    """Else one that accepts and says nothing is asked for ever, where the total timeout is the shortest one."""
    settings = LoadBalancer((), total_timeout_seconds=SILENT_SECONDS, max_failures=1, fail_seconds=PATIENCE_SECONDS)
    async with balanced(is_silent, answering(OK), settings=settings) as one:
        with pytest.raises(OriginError):
            await one.handler.fetch(call())

        [silent, _] = one.records
        assert (silent.failures, silent.in_use, silent.health.left_alone_until > 0) == (1, 0, True)


async def test_a_client_that_sends_its_body_slowly_until_the_total_timeout_does_not_make_the_origin_sick() -> None:
    async def stalls() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.Event().wait()

    async with balanced(is_silent, settings=LoadBalancer((), total_timeout_seconds=SILENT_SECONDS)) as one:
        with pytest.raises(OriginError):
            await one.handler.fetch(call("POST", Body(stalls(), length=5)))

    assert (one.records[0].failures, one.records[0].in_use) == (0, 0)


async def test_a_client_that_takes_the_answer_slowly_does_not_make_the_origin_sick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else a few slow clients could take every origin out."""
    settings = LoadBalancer((), total_timeout_seconds=PATIENCE_SECONDS)
    async with balanced(stops_in_the_middle, settings=settings) as one:
        response = await one.handler.fetch(call())
        assert response.body is not None
        answer = response.body.stream()
        assert await anext(answer) == b"abc"
        loop = asyncio.get_running_loop()
        later = loop.time() + 2 * PATIENCE_SECONDS
        monkeypatch.setattr(loop, "time", lambda: later, raising=False)
        with pytest.raises(OriginError):
            await anext(answer)

    assert (one.records[0].failures, one.records[0].in_use) == (0, 0)


async def test_an_origin_that_never_ends_an_answer_is_left_alone() -> None:
    """A head alone does not end its row of failures."""

    async def cuts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")

    settings = LoadBalancer((), max_failures=2, fail_seconds=PATIENCE_SECONDS)
    async with balanced(cuts, answering(*[OK] * 3), settings=settings) as one:
        for _ in range(2):
            with pytest.raises(OriginError):
                await read((await one.handler.fetch(call())).body)
        for _ in range(3):
            assert await read((await one.handler.fetch(call())).body) == b"ok"

    assert [(record.requests, record.failures) for record in one.records] == [(2, 2), (3, 0)]


async def test_an_answer_that_came_whole_ends_the_row_of_failures() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
        if requests.pop(0) == "whole":
            writer.write(b"0\r\n\r\n")

    requests = ["cut", "whole", "cut"]
    settings = LoadBalancer((), max_failures=2, fail_seconds=PATIENCE_SECONDS)
    async with balanced(play, settings=settings) as one:
        for is_whole in (False, True, False):
            response = await one.handler.fetch(call())
            if is_whole:
                assert await read(response.body) == b"ok"
            else:
                with pytest.raises(OriginError):
                    await read(response.body)

        assert one.records[0].health.is_healthy(SystemClock().monotonic())


async def test_a_load_balancer_whose_origins_are_all_disabled_answers_as_if_they_were_down() -> None:
    async with balanced(answering(OK), settings=LoadBalancer((OriginServer("", enabled=False),))) as one:
        with pytest.raises(OriginError, match="has no enabled origin") as caught:
            await one.handler.fetch(call())

    assert caught.value.status == 521


def _narrow(count: int) -> Sequence[OriginServer]:
    return tuple(OriginServer("", max_connections=1) for _ in range(count))


async def test_an_origin_has_no_more_requests_under_way_than_it_may_have() -> None:
    async with balanced(stops_in_the_middle, stops_in_the_middle, settings=LoadBalancer(tuple(_narrow(2)))) as one:
        held = [await one.handler.fetch(call()) for _ in range(2)]
        with pytest.raises(OriginError) as caught:
            await one.handler.fetch(call())
        assert (caught.value.status, [record.in_use for record in one.records]) == (503, [1, 1])

        for response in held:
            await response.close()
        assert [record.in_use for record in one.records] == [0, 0]
        await (await one.handler.fetch(call())).close()


async def test_two_processes_at_the_same_moment_never_send_more_than_an_origin_may_have() -> None:
    shared = SharedCounts(processes=2)
    mine, other = (shared.of_process(slot) for slot in range(2))

    def other_takes_the_place() -> float:
        """Between the look at what is free and the counting."""
        other.change(name, 1)
        return 0.0

    async with balanced(answering(OK), settings=LoadBalancer(tuple(_narrow(1)))) as one:
        [record] = one.records
        record.shared = mine
        name = mine.name("requests to origins", record.balancer.encode(), record.url.encode())
        one.handler._random_value = other_takes_the_place
        with pytest.raises(OriginError) as caught:
            await one.handler.fetch(call())

        assert caught.value.status == 503
        assert (record.in_use, record.requests, mine.present(name)) == (0, 0, 1)
        other.change(name, -1)
        one.handler._random_value = lambda: 0.0
        await (await one.handler.fetch(call())).close()


async def test_a_client_that_leaves_frees_the_place_and_is_not_the_origins_failure() -> None:
    was_asked = asyncio.Event()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        was_asked.set()
        await reader.read()

    async with balanced(play, settings=LoadBalancer(tuple(_narrow(1)))) as one:
        asked = asyncio.ensure_future(one.handler.fetch(call()))
        await was_asked.wait()
        assert one.records[0].in_use == 1
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    assert (one.records[0].in_use, one.records[0].failures) == (0, 0)


async def test_a_client_that_stops_sending_its_body_does_not_make_the_origin_sick() -> None:
    """Else a few slow clients could take every origin out."""
    goes_on = asyncio.Event()

    async def stalls() -> AsyncIterator[bytes]:
        yield b"a"
        await goes_on.wait()

    settings = LoadBalancer((), max_failures=1, retries=0)
    timeouts = OriginTimeouts(PATIENCE_SECONDS, SILENT_SECONDS, PATIENCE_SECONDS)
    async with balanced(is_silent, settings=settings, timeouts=timeouts) as one:
        with pytest.raises(OriginError) as caught:
            await one.handler.fetch(call("POST", Body(stalls(), length=5)))

    assert caught.value.status == 524
    assert (one.records[0].failures, one.records[0].in_use) == (0, 0)
    assert one.records[0].health.is_healthy(SystemClock().monotonic())


async def test_an_edge_without_file_descriptors_does_not_call_the_origin_sick(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    async with balanced(answering(OK), settings=LoadBalancer((), max_failures=1)) as one:
        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", none_left, raising=False)
        with pytest.raises(OriginError, match="cannot be asked: this edge has no more file descriptors") as caught:
            await one.handler.fetch(call())

    assert (caught.value.status, one.records[0].failures) == (503, 0)
