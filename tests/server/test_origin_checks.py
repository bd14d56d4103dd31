"""Active health checks, over real sockets."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from edgeworker.balancing.board import OriginBoard
from edgeworker.balancing.settings import HealthMonitor, LoadBalancer, OriginServer
from edgeworker.clock import SystemClock
from edgeworker.server.balanced_origin import BalancedServer
from edgeworker.server.origin_checks import check_for_ever, check_once
from edgeworker.testing.clock import MovableClock
from tests.patience import PATIENCE_SECONDS
from tests.server.wires import Play, answering, client, head, origin

# Long enough for a connection: one that is given up before it is accepted is left to the garbage collector.
BRIEF_SECONDS = 0.5
ANSWER = b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n"


def _one(url: str, at: Callable[[str], object], monitor: HealthMonitor, *, host: str = "") -> BalancedServer:
    server = OriginServer(url)
    balancer = LoadBalancer((server,), host, monitor, name="example.com", zone="example.com")
    handler = at(url)
    assert hasattr(handler, "fetch")
    return BalancedServer(balancer, server, handler, OriginBoard().record("example.com", url))


async def is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize(
    ("play", "monitor", "error"),
    [
        (answering(ANSWER % 200), HealthMonitor(), None),
        (answering(ANSWER % 204), HealthMonitor(expected_status="204"), None),
        (answering(ANSWER % 500), HealthMonitor(), "answered 500, not 2xx"),
        (answering(ANSWER % 302), HealthMonitor(), "answered 302, not 2xx"),
        (answering(b"nonsense\r\n\r\n"), HealthMonitor(), "is not HTTP"),
        (is_silent, HealthMonitor(timeout_seconds=BRIEF_SECONDS), "no answer within 0.5 seconds"),
    ],
    ids=["good", "another status", "server error", "redirect", "not HTTP", "silent"],
)
async def test_a_check_finds_out_whether_the_origin_answers_as_expected(
    play: Play, monitor: HealthMonitor, error: str | None
) -> None:
    async with origin(play) as server, client() as internet:
        seconds = BRIEF_SECONDS if play is is_silent else PATIENCE_SECONDS
        one = _one(server.url, internet.at, replace(monitor, timeout_seconds=seconds))
        await check_once(one, SystemClock())

    check = one.record.health.last_check
    assert check is not None
    assert (check.error is None) is (error is None)
    assert one.record.health.checked_healthy is (error is None)
    if error is not None and error != "is not HTTP":
        assert check.error == error


@pytest.mark.parametrize(
    ("host", "monitor", "sent"),
    [
        ("", HealthMonitor(path="/health?a=1"), b"GET /health?a=1 HTTP/1.1\r\nHost: example.com\r\n"),
        ("api.example.com", HealthMonitor(), b"GET / HTTP/1.1\r\nHost: api.example.com\r\n"),
        ("*.example.com", HealthMonitor(method="HEAD"), b"HEAD / HTTP/1.1\r\nHost: example.com\r\n"),
        ("", HealthMonitor(host="internal.test"), b"GET / HTTP/1.1\r\nHost: internal.test\r\n"),
    ],
)
async def test_a_check_asks_as_configured(host: str, monitor: HealthMonitor, sent: bytes) -> None:
    heads: list[bytes] = []
    async with origin(answering(ANSWER % 200, heads=heads)) as server, client() as internet:
        patient = replace(monitor, timeout_seconds=PATIENCE_SECONDS)
        await check_once(_one(server.url, internet.at, patient, host=host), SystemClock())

    assert heads[0].startswith(sent)
    assert b"user-agent: edgeworker-health-check\r\n" in heads[0]


async def test_each_origin_is_asked_once_in_an_interval_and_a_silent_one_delays_no_other() -> None:
    clock, heads, told = MovableClock(), list[bytes](), list[None]()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heads.append(await head(reader))
            writer.write(ANSWER % 200)

    was_asked = asyncio.Event()

    async def stays_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        was_asked.set()
        await reader.read()

    async with origin(play) as server, origin(stays_silent) as silent, client() as internet:
        monitor = HealthMonitor(interval_seconds=10, timeout_seconds=PATIENCE_SECONDS)
        asked = [_one(silent.url, internet.at, monitor), _one(server.url, internet.at, monitor)]
        running = asyncio.ensure_future(check_for_ever(lambda: asked, clock, lambda: told.append(None)))
        for number in range(1, 4):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(told) < number:
                    await asyncio.sleep(0)
                    clock.wake_next()
            assert len(heads) == number
            clock.advance(10)
        await was_asked.wait()
        running.cancel()
        await asyncio.wait([running])

    assert silent.connections == 1


async def test_an_origin_that_is_no_longer_configured_is_not_asked() -> None:
    clock, heads, told = MovableClock(), list[bytes](), asyncio.Event()
    async with origin(answering(*[ANSWER % 200] * 9, heads=heads)) as server, client() as internet:
        asked = [_one(server.url, internet.at, HealthMonitor(timeout_seconds=PATIENCE_SECONDS))]
        running = asyncio.ensure_future(check_for_ever(lambda: asked, clock, told.set))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await told.wait()
        asked.clear()
        for _ in range(20):
            clock.advance(10)
            clock.wake_next()
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])

    assert len(heads) == 1
