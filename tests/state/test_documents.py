import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edgeworker.config import JSON
from edgeworker.errors import StoreError
from edgeworker.state import AtomicKey, Conflict, Delete, DocumentStore, Put, SQLiteState, State
from edgeworker.state.documents import MAX_VALUE_BYTES
from tests.kv.clocks import FakeClock
from tests.state.states import STATES


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1000)


@pytest.fixture(params=STATES)
async def state(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> AsyncIterator[State]:
    state = STATES[request.param](tmp_path, clock)
    yield state
    await state.close()


@pytest.fixture
def documents(state: State) -> DocumentStore:
    return state.documents("access")


async def test_a_document_is_what_was_put(documents: DocumentStore) -> None:
    value: dict[str, JSON] = {"name": "Ärger", "half a pair": "\ud800", "deep": [{"a": None, "b": 1.5}], "on": True}

    put = await documents.put("application", "a", value, expires_at=2000)

    assert await documents.get("application", "a") == put
    assert (put.kind, put.id, put.value, put.expires_at) == ("application", "a", value, 2000)
    assert await documents.get("policy", "a") is None


async def test_what_a_caller_changes_afterwards_changes_no_document(documents: DocumentStore) -> None:
    names: list[JSON] = ["a"]
    value: dict[str, JSON] = {"names": names}
    returned = await documents.put("k", "a", value)
    names.append("b")
    assert isinstance(returned.value["names"], list)
    returned.value["names"].append("c")

    found = await documents.get("k", "a")

    assert found is not None
    assert found.value == {"names": ["a"]}


async def test_a_list_has_the_documents_of_one_kind_by_id(documents: DocumentStore) -> None:
    for id in ("b", "a", "Z", "ä"):
        await documents.put("k", id, {"id": id})
    await documents.put("other", "c", {})

    assert [document.id for document in await documents.list("k")] == ["Z", "a", "b", "ä"]


async def test_spaces_do_not_see_each_other(state: State) -> None:
    access, shield = state.documents("access"), state.documents("api_shield")
    await access.put("k", "a", {"of": "access"})
    before = access.version()

    assert await shield.get("k", "a") is None
    assert await shield.list("k") == []
    await shield.put("k", "a", {"of": "shield"})
    await shield.delete("k", "a")

    assert access.version() == before
    assert await state.documents("access").get("k", "a") is not None


async def test_each_put_gives_a_new_revision_even_after_a_deletion(documents: DocumentStore) -> None:
    first = await documents.put("k", "a", {})
    second = await documents.put("k", "a", {})
    await documents.delete("k", "a")
    third = await documents.put("k", "a", {})

    assert first.revision < second.revision < third.revision


async def test_a_put_with_a_revision_wants_that_revision(documents: DocumentStore) -> None:
    first = await documents.put("k", "a", {"n": 1}, if_revision=0)
    second = await documents.put("k", "a", {"n": 2}, if_revision=first.revision)

    for revision in (0, first.revision, second.revision + 1):
        with pytest.raises(Conflict, match='k "a"'):
            await documents.put("k", "a", {"n": 3}, if_revision=revision)
    with pytest.raises(Conflict):
        await documents.put("k", "absent", {}, if_revision=second.revision)
    assert await documents.get("k", "a") == second


async def test_of_fifty_replacements_of_one_revision_one_wins(documents: DocumentStore) -> None:
    first = await documents.put("k", "a", {"n": 0})

    async def replace(number: int) -> bool:
        try:
            await documents.put("k", "a", {"n": number}, if_revision=first.revision)
        except Conflict:
            return False
        return True

    won = await asyncio.gather(*(replace(number) for number in range(1, 51)))

    found = await documents.get("k", "a")
    assert found is not None
    assert won.count(True) == 1
    assert found.value == {"n": won.index(True) + 1}


async def test_of_fifty_takes_one_wins(documents: DocumentStore) -> None:
    put = await documents.put("k", "a", {"n": 1})

    taken = await asyncio.gather(*(documents.take("k", "a") for _ in range(50)))

    assert [document for document in taken if document is not None] == [put]


async def test_a_document_is_gone_at_its_very_second(documents: DocumentStore, clock: FakeClock) -> None:
    await documents.put("k", "a", {}, expires_at=1100)
    clock.advance(99)
    assert await documents.get("k", "a") is not None
    clock.advance(1)

    assert await documents.get("k", "a") is None
    assert await documents.list("k") == []
    assert await documents.take("k", "a") is None
    assert not await documents.delete("k", "a")


async def test_a_document_that_has_expired_counts_as_absent(documents: DocumentStore, clock: FakeClock) -> None:
    old = await documents.put("k", "a", {"n": 1}, expires_at=1100)
    clock.advance(100)

    with pytest.raises(Conflict):
        await documents.put("k", "a", {"n": 2}, if_revision=old.revision)
    await documents.put("k", "a", {"n": 2}, if_revision=0)

    found = await documents.get("k", "a")
    assert found is not None
    assert (found.value, found.expires_at) == ({"n": 2}, None)


async def test_a_deletion_says_whether_there_was_a_document(documents: DocumentStore) -> None:
    await documents.put("k", "a", {})

    assert await documents.delete("k", "a")
    assert not await documents.delete("k", "a")


async def test_several_changes_happen_together_in_their_order(documents: DocumentStore) -> None:
    old = await documents.put("k", "a", {"n": 1})

    await documents.write(
        [Put("k", "a", {"n": 2}, if_revision=old.revision), Put("k", "b", {}), Delete("k", "b"), Put("k", "c", {})]
    )

    assert [(document.id, document.value) for document in await documents.list("k")] == [("a", {"n": 2}), ("c", {})]


async def test_of_several_changes_none_happens_if_one_conflicts(documents: DocumentStore) -> None:
    await documents.put("k", "a", {"n": 1})

    with pytest.raises(Conflict, match='"b"'):
        await documents.write([Delete("k", "a"), Put("k", "new", {}), Put("k", "b", {}, if_revision=7)])

    assert [(document.id, document.value) for document in await documents.list("k")] == [("a", {"n": 1})]


async def test_a_version_is_another_one_after_each_change_and_only_then(documents: DocumentStore, state: State) -> None:
    seen = [documents.version()]
    put = await documents.put("k", "a", {})
    seen.append(documents.version())
    await documents.put("k", "a", {}, if_revision=put.revision)
    seen.append(documents.version())
    await documents.write([Put("k", "b", {})])
    seen.append(documents.version())
    await documents.take("k", "b")
    seen.append(documents.version())
    await documents.delete("k", "a")
    seen.append(documents.version())

    assert len(set(seen)) == 6
    await documents.get("k", "a")
    await documents.delete("k", "a")
    assert documents.version() == seen[-1]
    assert state.documents("access").version() == seen[-1]


@pytest.mark.parametrize("value", [{"v": float("nan")}, {"v": float("inf")}])
async def test_what_json_cannot_say_is_refused(documents: DocumentStore, value: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        await documents.put("k", "a", dict(value))
    assert await documents.list("k") == []


async def test_a_value_that_is_too_large_is_refused(documents: DocumentStore) -> None:
    await documents.put("k", "a", {"v": "x" * (MAX_VALUE_BYTES - 100)})

    with pytest.raises(StoreError, match=f'k "b" has .* bytes, the most is {MAX_VALUE_BYTES}'):
        await documents.write([Put("k", "b", {"v": "x" * MAX_VALUE_BYTES})])


async def test_documents_that_expired_make_room(tmp_path: Path, clock: FakeClock) -> None:
    async with SQLiteState(tmp_path, clock) as state:
        documents = state.documents("access")
        for number in range(60):
            await documents.put("k", str(number), {"v": "x" * 10_000}, expires_at=1000 + number)
        clock.advance(3600)
        for number in range(10):
            await documents.put("later", str(number), {})

    # With what expired the file would still have 60 values of 10 kB, and SQLite would have grown for the new ones.
    async with SQLiteState(tmp_path, FakeClock(0)) as state:
        assert await state.documents("access").list("k") == []


OTHER_PROCESS = """
import asyncio, json, sys
from pathlib import Path
from edgeworker.clock import SystemClock
from edgeworker.state import SQLiteState

async def main():
    async with SQLiteState(Path(sys.argv[1]), SystemClock()) as state:
        documents = state.documents("access")
        found = await documents.get("session", "s")
        await documents.delete("session", "s")
        await documents.put("application", "b", {"from": "the other"})
        print(json.dumps(None if found is None else dict(found.value)))

asyncio.run(main())
"""


async def test_what_another_process_does_shows_at_once_in_the_version(tmp_path: Path, clock: FakeClock) -> None:
    async with SQLiteState(tmp_path, clock) as state:
        documents = state.documents("access")
        await documents.put("session", "s", {"user": "ann"})
        before = documents.version()

        other = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", OTHER_PROCESS, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
        )

        assert json.loads(other.stdout) == {"user": "ann"}
        assert documents.version() != before
        assert await documents.get("session", "s") is None
        found = await documents.get("application", "b")
        assert found is not None
        assert found.value == {"from": "the other"}


async def test_two_that_have_the_file_open_see_each_other(tmp_path: Path, clock: FakeClock) -> None:
    async with SQLiteState(tmp_path, clock) as one, SQLiteState(tmp_path, clock) as two:
        here, there = one.documents("access"), two.documents("access")
        versions = [there.version()]
        for number in range(5):
            await here.put("k", "a", {"n": number})
            versions.append(there.version())
            found = await there.get("k", "a")
            assert found is not None
            assert found.value == {"n": number}

        assert len(set(versions)) == 6
        # What happens exactly once in the same file changes no document.
        await one.atomic.put_if_absent(AtomicKey("", "code"), "v", now_ms=0, expires_at_ms=10)
        assert there.version() == versions[-1]
