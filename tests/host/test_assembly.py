import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.bindings import KVBinding
from edgeworker.clock import SystemClock
from edgeworker.config import Config, Worker
from edgeworker.errors import ScriptError
from edgeworker.host.assembly import Assembly
from edgeworker.kv.memory import MemoryStore
from edgeworker.messages import URL, Request, Response

SCRIPT = """\
import asyncio

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/slow"):
            while await self.env.NS.get("go") is None:
                await asyncio.sleep(0)
        if request.url.endswith("/later"):
            self.ctx.waitUntil(self.env.NS.put("later", "done"))
        return Response("%s")
"""


def _config(folder: Path, says: str) -> Config:
    (folder / "worker.py").write_text(SCRIPT % says)
    worker = Worker("w", folder / "worker.py", (KVBinding("NS", "ns"),))
    return Config(workers=(worker,), default_worker="w", default_on_every_host=True)


@asynccontextmanager
async def _assembly(config: Config, store: MemoryStore) -> AsyncIterator[Assembly]:
    assembly = await Assembly.open(config, store=store, clock=SystemClock())
    try:
        yield assembly
    finally:
        await assembly.close()


def _get(assembly: Assembly, path: str = "/") -> "asyncio.Task[Response]":
    return asyncio.ensure_future(assembly.fetch(Request("GET", URL.parse(f"http://example.com{path}"))))


async def _text(response: Response) -> str:
    assert response.body is not None
    return (await response.body.read()).decode()


async def _put(store: MemoryStore, key: str) -> None:
    from edgeworker.kv.namespace import KVNamespace

    await KVNamespace(store, "ns", SystemClock()).put(key, "1")


async def test_a_request_in_flight_finishes_on_the_edge_it_began_on(tmp_path: Path) -> None:
    store = MemoryStore()
    async with _assembly(_config(tmp_path, "old"), store) as assembly:
        slow = _get(assembly, "/slow")
        await asyncio.sleep(0)

        await assembly.reload(_config(tmp_path, "new"))

        assert await _text(await _get(assembly)) == "new"
        assert not slow.done()
        await _put(store, "go")
        assert await _text(await slow) == "old"


async def test_a_configuration_that_cannot_work_leaves_the_old_one_serving(tmp_path: Path) -> None:
    async with _assembly(_config(tmp_path, "old"), MemoryStore()) as assembly:
        broken = _config(tmp_path, "new")
        (tmp_path / "worker.py").write_text("def broken(:\n")

        with pytest.raises(ScriptError, match=r"worker\.py, line 1"):
            await assembly.reload(broken)

        assert await _text(await _get(assembly)) == "old"


async def test_requests_all_the_while_are_answered_while_it_is_reloaded(tmp_path: Path) -> None:
    async with _assembly(_config(tmp_path, "0"), MemoryStore()) as assembly:
        answers: list[str] = []
        answered, stop = asyncio.Event(), asyncio.Event()

        async def ask() -> None:
            while not stop.is_set():
                answers.append(await _text(await _get(assembly)))
                answered.set()

        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(ask())
            for number in range(1, 6):
                while answers.count(str(number - 1)) < 8:
                    answered.clear()
                    await answered.wait()
                await assembly.reload(_config(tmp_path, str(number)))
            stop.set()

    assert answers == sorted(answers)
    assert set(answers) >= {"0", "1", "2", "3", "4"}


async def test_closing_waits_for_what_was_given_to_wait_until(tmp_path: Path) -> None:
    store = MemoryStore()
    async with _assembly(_config(tmp_path, "w"), store) as assembly:
        await _get(assembly, "/later")

    entry = await store.get("ns", "later", now=0)
    assert entry is not None
    assert entry.value == b"done"


async def test_what_reloads_replaced_is_collected_once_it_is_closed_and_not_at_each_reload(tmp_path: Path) -> None:
    config = _config(tmp_path, "old")
    config = replace(config, limits=replace(config.limits, drain_timeout_seconds=0))
    async with _assembly(config, MemoryStore()) as assembly:
        collected = 0

        def collect() -> None:
            nonlocal collected
            collected += 1

        assembly.collect_replaced = collect
        slow = _get(assembly, "/slow")
        await asyncio.sleep(0)
        for _ in range(3):
            await assembly.reload(config)
        for _ in range(100):  # the second and the third are closed
            await asyncio.sleep(0)
        assert collected == 0, "a request is still in the first one"
        slow.cancel()
        for _ in range(100):
            await asyncio.sleep(0)

        assert collected == 1
