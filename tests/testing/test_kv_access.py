"""A test's own hand in KV."""

import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from edgeworker.config import JSON
from edgeworker.errors import KVError
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.namespace import KVNamespace
from edgeworker.testing.clock import MovableClock
from edgeworker.testing.engine import run_to_end
from edgeworker.testing.kv_access import Doing, KVAccess, T


def _at_once(work: Callable[[], Awaitable[T]], /) -> T:
    async def done() -> T:
        return await work()

    return run_to_end(done())


DOING: Doing = _at_once


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(1_700_000_000)


@pytest.fixture
def kv(clock: MovableClock) -> KVAccess:
    return KVAccess(KVNamespace(MemoryStore(), "tokens", clock), DOING)


def test_what_is_put_can_be_read_listed_and_deleted(kv: KVAccess) -> None:
    kv.put("b", "text", metadata={"n": 1})
    kv.put("a/1", b"\x00\xff")

    found = kv.find("b")
    assert found is not None
    assert (kv.get("b"), found.metadata, found.expires_at) == ("text", {"n": 1}, None)
    assert (kv.keys(), kv.keys("a/"), list(kv), len(kv)) == (["a/1", "b"], ["a/1"], ["a/1", "b"], 2)
    assert "b" in kv
    assert kv.get("c") is None

    kv.delete("b")
    kv.clear()
    assert len(kv) == 0


def test_all_pages_of_a_long_list_are_read(kv: KVAccess) -> None:
    kv.seed({f"{number:04}": "" for number in range(1001)})

    assert len(kv) == 1001


def test_an_entry_expires_by_the_clock(kv: KVAccess, clock: MovableClock) -> None:
    kv.put("k", "v", expiration_ttl=60)

    clock.advance(60)

    assert "k" not in kv


def test_rules_are_those_of_kv(kv: KVAccess) -> None:
    with pytest.raises(KVError, match="at least 60"):
        kv.put("k", "v", expiration_ttl=1)


def test_a_dict_is_seeded_with_json_for_what_is_not_text(kv: KVAccess) -> None:
    kv.seed({"a": "text", "b": b"bytes", "c": {"n": None}})

    assert [kv.get(key) for key in "abc"] == ["text", "bytes", '{"n": null}']


def test_a_folder_is_seeded_by_its_files(kv: KVAccess, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a.txt").write_bytes(b"\x01")
    (tmp_path / "b").write_text("B")

    kv.seed(tmp_path)

    assert (kv.keys(), kv.get("site/a.txt")) == (["b", "site/a.txt"], "\x01")


def test_a_file_is_an_object_or_wranglers_bulk_list(kv: KVAccess, tmp_path: Path, clock: MovableClock) -> None:
    (tmp_path / "object.json").write_text('{"a": "1"}')
    bulk = [
        {"key": "b", "value": "2", "expiration_ttl": 60, "metadata": {"m": 1}},
        {"key": "c", "value": base64.b64encode(b"3").decode(), "base64": True, "expiration": clock.now() + 90},
    ]
    (tmp_path / "bulk.json").write_text(json.dumps(bulk))

    kv.seed(tmp_path / "object.json")
    kv.seed(str(tmp_path / "bulk.json"))

    assert [kv.get(key) for key in "abc"] == ["1", "2", "3"]
    found = kv.find("b")
    assert found is not None
    assert (found.expires_at, found.metadata) == (clock.now() + 60, {"m": 1})


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (3, "neither an object nor a list"),
        ([1], r"seed.json\[0\]: not"),
        ([{"key": "a", "value": 1}], r"seed.json\[0\]: key and value must be text"),
        ([{"key": "a", "value": "*", "base64": True}], r"seed.json\[0\]: value is not base64"),
    ],
)
def test_a_file_that_is_neither_is_named(kv: KVAccess, tmp_path: Path, content: JSON, text: str) -> None:
    (tmp_path / "seed.json").write_text(json.dumps(content))

    with pytest.raises(ValueError, match=text):
        kv.seed(tmp_path / "seed.json")
