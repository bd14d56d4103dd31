import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edgeworker.config import Namespace
from edgeworker.kv.sqlite import writes
from edgeworker.kv.sqlite.chunks import CHUNK_BYTES
from edgeworker.kv.sqlite.connection import connect_for_writing, create
from edgeworker.kv.store import Entry

LARGE = Entry(b"x" * (CHUNK_BYTES + 1))


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    create(tmp_path / "kv.sqlite")
    with closing(connect_for_writing(tmp_path / "kv.sqlite", "normal")) as opened:
        yield opened


def _unused(connection: sqlite3.Connection) -> list[int | None]:
    return [since for (since,) in connection.execute("SELECT unused_since FROM large_values ORDER BY number")]


def test_a_value_of_64_kib_lies_in_its_entry(connection: sqlite3.Connection) -> None:
    writes.put(connection, "ns", "k", Entry(b"x" * CHUNK_BYTES))

    assert _unused(connection) == []


def test_what_replaces_a_large_value_gives_its_room_up(connection: sqlite3.Connection) -> None:
    writes.put(connection, "ns", "k", LARGE)
    assert _unused(connection) == [None]

    writes.put(connection, "ns", "k", LARGE)
    assert _unused(connection) == [0, None]
    writes.put(connection, "ns", "k", Entry(b"small"))
    assert _unused(connection) == [0, 0]


def test_deleting_and_expiring_give_the_room_up(connection: sqlite3.Connection) -> None:
    writes.put(connection, "ns", "deleted", LARGE)
    writes.put(connection, "ns", "expires", Entry(LARGE.value, expires_at=100))
    writes.delete(connection, "ns", ["deleted"])
    assert _unused(connection) == [0, None]

    writes.sweep(connection, now=100, limit=10)
    assert _unused(connection) == [100, 100]  # and the same sweep saw it


def test_a_deleted_namespace_is_emptied_in_small_steps(connection: sqlite3.Connection) -> None:
    writes.put_many(connection, "ns", [(str(number), Entry(b"")) for number in range(5)])
    writes.put(connection, "other", "k", Entry(b""))
    writes.delete_namespace(connection, "ns")
    assert connection.execute("SELECT count(*) FROM entries").fetchone() == (6,)

    assert [writes.sweep(connection, now=0, limit=2) for _ in range(5)] == [2, 2, 2, 0, 0]
    assert connection.execute("SELECT count(*) FROM entries").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM deleted_namespaces").fetchone() == (0,)


def test_deleted_namespaces_are_emptied_one_after_the_other(connection: sqlite3.Connection) -> None:
    for namespace_id in ("a", "b"):
        writes.put_many(connection, namespace_id, [(str(number), Entry(b"")) for number in range(3)])
        writes.delete_namespace(connection, namespace_id)

    assert [writes.sweep(connection, now=0, limit=2) for _ in range(6)] == [2, 2, 2, 2, 0, 0]
    assert connection.execute("SELECT count(*) FROM entries").fetchone() == (0,)


def test_a_namespace_made_again_is_another_one(connection: sqlite3.Connection) -> None:
    writes.create_namespace(connection, Namespace("ns", "title"))
    before = connection.execute("SELECT number FROM namespaces").fetchone()
    writes.delete_namespace(connection, "ns")
    writes.create_namespace(connection, Namespace("ns", "title"))

    assert connection.execute("SELECT number FROM namespaces").fetchone() != before
