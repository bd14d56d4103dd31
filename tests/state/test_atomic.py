import asyncio
import json
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.state import FILE_NAME, AtomicKey, AtomicStore, SQLiteState
from tests.kv.clocks import FakeClock
from tests.patience import PATIENCE_SECONDS
from tests.state.states import STATES

K = AtomicKey("", "k")


@pytest.fixture(params=STATES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AtomicStore]:
    state = STATES[request.param](tmp_path, FakeClock())
    yield state.atomic
    await state.close()


async def test_an_entry_is_gone_at_its_very_millisecond(store: AtomicStore) -> None:
    await store.put_if_absent(K, "v", now_ms=0, expires_at_ms=1000)

    assert await store.get(K, now_ms=999) == "v"
    assert await store.get(K, now_ms=1000) is None
    assert await store.take(K, now_ms=1000) is None


async def test_of_fifty_takes_at_once_one_wins(store: AtomicStore) -> None:
    await store.put_if_absent(K, "v", now_ms=0, expires_at_ms=1000)

    won = await asyncio.gather(*(store.take(K, now_ms=1) for _ in range(50)))

    assert sorted(won, key=str) == [None] * 49 + ["v"]


async def test_of_fifty_replacements_at_once_one_wins(store: AtomicStore) -> None:
    await store.put_if_absent(K, "0", now_ms=0, expires_at_ms=1000)

    won = await asyncio.gather(
        *(store.compare_and_put(K, "0", str(n), now_ms=1, expires_at_ms=1000) for n in range(1, 51))
    )

    assert won.count(True) == 1
    assert await store.get(K, now_ms=1) == str(won.index(True) + 1)


async def test_entries_that_expired_make_room(store: AtomicStore) -> None:
    for key in range(100):
        await store.put_if_absent(AtomicKey("", str(key)), "v", now_ms=key * 10, expires_at_ms=key * 10 + 15)

    assert await store.get(AtomicKey("", "99"), now_ms=1000) == "v"
    assert await store.get(AtomicKey("", "50"), now_ms=1000) is None


def test_every_code_is_taken_once_by_several_processes(tmp_path: Path) -> None:
    count, processes = 50, 4
    codes = [str(number) for number in range(count)]

    async def prepare() -> None:
        state = SQLiteState(tmp_path, FakeClock())
        for code in codes:
            await state.atomic.put_if_absent(AtomicKey("codes", code), code, now_ms=0, expires_at_ms=99)
            await state.atomic.put_if_absent(AtomicKey("tokens", code), "old", now_ms=0, expires_at_ms=99)
        await state.close()

    asyncio.run(prepare())
    script = Path(__file__).with_name("racing.py")
    racers = [
        subprocess.Popen(
            [sys.executable, str(script), str(tmp_path), str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(processes)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    won = [json.loads(racer.communicate(timeout=PATIENCE_SECONDS)[0]) for racer in racers]

    for what in ("taken", "put", "replaced"):
        assert sorted((item for one in won for item in one[what]), key=int) == codes, what


async def test_entries_survive_a_restart_beside_the_tokens_for_the_owner_only(tmp_path: Path) -> None:
    async with SQLiteState(tmp_path, FakeClock()) as first:
        await first.api_tokens.create("a", ["kv:read"], now=0, expires_at=None)
        await first.atomic.put_if_absent(K, "v", now_ms=0, expires_at_ms=1000)

    async with SQLiteState(tmp_path, FakeClock()) as second:
        assert await second.atomic.take(K, now_ms=1) == "v"
        assert [token.name for token in await second.api_tokens.list()] == ["a"]
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


async def test_a_file_that_is_not_a_database_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("this is not a database, and it is long enough to be read as one" * 20)

    async with SQLiteState(tmp_path, FakeClock()) as state:
        with pytest.raises(StoreError, match=r"state\.sqlite: file is not a database"):
            await state.atomic.take(K, now_ms=0)
