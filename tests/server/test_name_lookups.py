"""Looking up the names of servers: how often the system is asked."""

import asyncio
import socket
from contextlib import suppress

import pytest

from edgeworker.server.name_lookups import NameLookups


class Resolver:
    """Stands in for the system's look-ups, which wait for `answers`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *addresses: str, error: Exception | None = None) -> None:
        self.asked: list[str] = []
        self.answers = asyncio.Event()
        self._addresses = addresses
        self._error = error
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self._getaddrinfo)

    async def _getaddrinfo(self, host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        self.asked.append(host)
        await self.answers.wait()
        if self._error is not None:
            raise self._error
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in self._addresses]


async def test_requests_at_the_same_time_share_one_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a silent name server keeps all threads of the system's look-ups with one name."""
    resolver, lookups = Resolver(monkeypatch, "192.0.2.1", "192.0.2.1", "192.0.2.2"), NameLookups()
    waiting = [asyncio.ensure_future(lookups.addresses("a.test", 80)) for _ in range(100)]
    other = asyncio.ensure_future(lookups.addresses("b.test", 80))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    resolver.answers.set()

    assert await asyncio.gather(*waiting) == [["192.0.2.1", "192.0.2.2"]] * 100
    await other
    assert sorted(resolver.asked) == ["a.test", "b.test"]


async def test_a_name_is_looked_up_again_by_the_next_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its addresses may have changed."""
    resolver, lookups = Resolver(monkeypatch, "192.0.2.1"), NameLookups()
    resolver.answers.set()
    await lookups.addresses("a.test", 80)
    await asyncio.sleep(0)
    await lookups.addresses("a.test", 80)

    assert resolver.asked == ["a.test", "a.test"]


async def test_one_that_gives_up_does_not_end_the_look_up_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver, lookups = Resolver(monkeypatch, "192.0.2.1"), NameLookups()
    first, second = (asyncio.ensure_future(lookups.addresses("a.test", 80)) for _ in range(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    resolver.answers.set()
    assert await second == ["192.0.2.1"]


@pytest.mark.parametrize("error", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")])
async def test_each_one_that_waits_gets_the_error(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    resolver, lookups = Resolver(monkeypatch, error=error), NameLookups()
    resolver.answers.set()
    results = await asyncio.gather(*(lookups.addresses("a.test", 80) for _ in range(2)), return_exceptions=True)

    assert [type(result) for result in results] == [OSError, OSError]
    assert results[0] is not results[1]


@pytest.mark.parametrize("address", ["192.0.2.1", "::1"])
async def test_an_address_is_not_looked_up(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    resolver = Resolver(monkeypatch)

    assert await NameLookups().addresses(address, 80) == [address]
    assert resolver.asked == []
