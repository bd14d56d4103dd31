import asyncio
from collections.abc import AsyncIterator

import pytest

from edgeworker.server.origin_connection import OriginConnection
from edgeworker.server.origin_endpoint import IdleConnections, OriginEndpoint
from edgeworker.server.outbound_proxy import Proxy

HERE = OriginEndpoint("127.0.0.1", 80)


async def connected(port: int) -> OriginConnection:
    _, connection = await asyncio.get_running_loop().create_connection(
        lambda: OriginConnection("x", timeout_seconds=60, on_idle=lambda _: None, on_lost=lambda _: None),
        "127.0.0.1",
        port,
    )
    return connection


@pytest.fixture
async def port() -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.mark.parametrize(
    "other",
    [
        OriginEndpoint("127.0.0.2", 80),
        OriginEndpoint("127.0.0.1", 81),
        OriginEndpoint("127.0.0.1", 80, "127.0.0.1"),
        OriginEndpoint("127.0.0.1", 80, proxy=Proxy("127.0.0.1", 80)),
        OriginEndpoint("127.0.0.1", 80, unix_path="/run/x"),
    ],
    ids=str,
)
def test_endpoints_are_one_only_if_all_of_them_is_the_same(other: OriginEndpoint) -> None:
    same = OriginEndpoint("127.0.0.1", 80)

    assert {HERE: 1}.get(same) == 1
    assert {HERE: 1}.get(other) is None


async def test_the_connection_used_last_is_taken_first_and_none_twice(port: int) -> None:
    idle = IdleConnections()
    first, second = await connected(port), await connected(port)
    now = asyncio.get_running_loop().time()
    idle.put(HERE, first, now=now)
    idle.put(HERE, second, now=now)

    assert [idle.take(HERE), idle.take(HERE), idle.take(HERE)] == [second, first, None]
    first.abort()
    second.abort()


async def test_a_connection_is_not_used_after_what_its_origin_allows(port: int) -> None:
    idle = IdleConnections()
    connection = await connected(port)
    connection.idle_seconds = 5
    now = asyncio.get_running_loop().time()
    idle.put(HERE, connection, now=now - 5)

    assert idle.take(HERE) is None


async def test_a_sweep_cuts_what_has_waited_too_long_and_says_whether_others_are_left(port: int) -> None:
    idle = IdleConnections()
    old, fresh = await connected(port), await connected(port)
    idle.put(HERE, old, now=0)
    idle.put(HERE, fresh, now=30)

    assert idle.sweep(now=61)
    assert (old.is_usable, fresh.is_usable) == (False, True)
    assert not idle.sweep(now=100)


async def test_a_bounded_number_waits_for_each_endpoint(port: int) -> None:
    idle = IdleConnections()
    made = [await connected(port) for _ in range(257)]
    for connection in made:
        idle.put(HERE, connection, now=0)

    assert [connection.is_usable for connection in made].count(True) == 256
    idle.sweep(now=1000)


async def test_a_connection_that_was_lost_is_not_found_again(port: int) -> None:
    idle = IdleConnections()
    connection = await connected(port)
    idle.put(HERE, connection, now=asyncio.get_running_loop().time())
    idle.remove(HERE, connection)

    assert idle.take(HERE) is None
    connection.abort()
