"""What workerd keeps of KV is never older than what was written before the request."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edgeworker.kv.namespace import KVNamespace, KVReads
from edgeworker.kv.sqlite import SQLiteStore
from edgeworker.messages import URL, Request, Response
from edgeworker.runtime.contract.javascript import EnvNamespace
from edgeworker.runtime.workerd.kept_reads import QUIET_SECONDS, Expiries, KeptReads, KVState
from tests.kv.clocks import FakeClock
from tests.patience import PATIENCE_SECONDS
from tests.runtime.engines.stage import Stage, staged

ONE: KVState = (((b"1", 1),), 0)
TWO: KVState = (((b"2", 1),), 0)
NOW = 1_700_000_000


def test_the_child_keeps_what_it_reads_after_a_while_without_writes() -> None:
    kept = KeptReads()

    assert kept.decide(ONE, now=0.0) is None
    assert kept.decide(ONE, now=QUIET_SECONDS / 2) is None
    assert kept.decide(ONE, now=QUIET_SECONDS) is True


@pytest.mark.parametrize("changed", [TWO, (ONE[0], 1), None], ids=["written", "expired", "unknown"])
def test_the_child_forgets_before_the_next_request_once_something_changed(changed: KVState | None) -> None:
    kept = KeptReads()
    kept.decide(ONE, now=0.0)
    kept.told(keeps=True)

    assert kept.decide(changed, now=1.0) is False
    assert kept.decide(changed, now=1.0) is False  # until it was told
    kept.told(keeps=False)
    assert kept.decide(changed, now=1.0) is None


def test_writes_one_after_the_other_cost_one_message() -> None:
    kept = KeptReads()
    kept.decide(ONE, now=0.0)
    kept.told(keeps=True)
    assert kept.decide(TWO, now=1.0) is False
    kept.told(keeps=False)

    decided = [kept.decide((((b"%d" % number, 1),), 0), now=1.0 + number * QUIET_SECONDS / 2) for number in range(50)]

    assert decided == [None] * 50


def test_a_store_that_cannot_tell_of_writes_lets_nothing_be_kept() -> None:
    kept = KeptReads()

    assert [kept.decide(None, now=now) for now in (0.0, 10.0, 20.0)] == [None] * 3


def test_a_new_child_keeps_nothing() -> None:
    kept = KeptReads()
    kept.decide(ONE, now=0.0)
    kept.told(keeps=True)

    kept.begin_anew()

    assert kept.decide(TWO, now=1.0) is None


def test_what_expires_counts_once_when_the_first_has_expired() -> None:
    expiries = Expiries()
    for at in (None, 120, 100, 110):
        expiries.add(at)

    assert [expiries.count(now) for now in (99, 100, 130)] == [0, 1, 1]
    expiries.add(140)
    assert [expiries.count(now) for now in (139, 140)] == [1, 2]


SOURCE = """
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/write") {
      await env.KV.put("k", "own");
      return new Response(await env.KV.get("k"));
    }
    if (pathname === "/delete") {
      await env.KV.delete("k");
      return new Response(await env.KV.get("k"));
    }
    if (pathname === "/ask") {
      await env.KV.get("other"); // the first read may be from before
      await fetch("http://writes.test/");
    }
    return new Response(await env.KV.get("k"));
  },
};
"""


class Kept:
    """A worker that keeps `k`, whose value is "first"."""

    def __init__(self, stage: Stage, path: Path, clock: FakeClock, reads: KVReads) -> None:
        self.stage = stage
        self.store = SQLiteStore.open(path, durability="normal")  # as another process has it
        self.namespace = KVNamespace(self.store, "n", clock)
        self.clock = clock
        self._reads = reads

    async def wait_until_kept(self, expected: str) -> None:
        """Until a request is answered without a read at the edge."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                before = self._reads.found
                assert await self.stage.text("/") == expected
                if self._reads.found == before:
                    return
                await asyncio.sleep(QUIET_SECONDS / 4)


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    clock, reads = FakeClock(NOW), KVReads()
    store = SQLiteStore.open(tmp_path / "kv.sqlite", durability="normal")
    namespace = KVNamespace(store, "n", clock, reads)
    await namespace.put("k", "first", expiration=NOW + 3600)
    folder = tmp_path / "worker"
    folder.mkdir()
    async with staged("workerd", folder, SOURCE, {"KV": EnvNamespace(namespace)}, clock=clock) as stage:
        made = Kept(stage, tmp_path / "kv.sqlite", clock, reads)
        await made.wait_until_kept("first")
        yield made
        await made.store.close()
    await store.close()


@pytest.mark.node
async def test_a_write_of_another_process_is_seen_by_the_next_request(kept: Kept) -> None:
    for number in range(20):
        await kept.namespace.put("k", f"value {number}")

        assert await kept.stage.text("/") == f"value {number}"
    await kept.wait_until_kept("value 19")
    await kept.namespace.delete("k")
    assert await kept.stage.text("/") == ""


@pytest.mark.node
async def test_each_of_many_requests_at_once_sees_the_write_before_it(kept: Kept) -> None:
    for number in range(5):
        await kept.namespace.put("k", f"value {number}")

        seen = await asyncio.gather(*(kept.stage.text("/") for _ in range(20)))

        assert seen == [f"value {number}"] * 20
        await kept.wait_until_kept(f"value {number}")


@pytest.mark.node
async def test_what_is_kept_ends_with_its_expiry(kept: Kept) -> None:
    kept.clock.advance(3600)

    assert await kept.stage.text("/") == ""


@pytest.mark.node
@pytest.mark.parametrize(("path", "seen"), [("/write", "own"), ("/delete", "")])
async def test_a_request_sees_what_it_wrote_itself(path: str, seen: str, kept: Kept) -> None:
    assert await kept.stage.text(path) == seen
    assert await kept.stage.text("/") == seen


@pytest.mark.node
async def test_a_request_sees_what_was_written_through_what_it_asked(kept: Kept) -> None:
    class Writes:
        async def fetch(self, request: Request, /) -> Response:
            await kept.namespace.put("k", "by another way")
            return Response(204)

    response = await kept.stage.send(Request("GET", URL.parse("https://shop.example.com/ask")), Writes())

    assert response.body is not None
    assert await response.body.read() == b"by another way"
