import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.kv.sqlite import chunks
from edgeworker.kv.sqlite.chunks import CHUNK_BYTES, GRACE_SECONDS
from edgeworker.kv.sqlite.connection import connect_for_writing, create

VALUE = bytes(range(256)) * 1024


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    create(tmp_path / "kv.sqlite")
    with closing(connect_for_writing(tmp_path / "kv.sqlite", "normal")) as opened:
        yield opened


def _rows(connection: sqlite3.Connection) -> int:
    rows: int = connection.execute("SELECT count(*) FROM chunks").fetchone()[0]
    return rows


def _stored(connection: sqlite3.Connection) -> int:
    number = chunks.begin(connection)
    chunks.append(connection, number, VALUE, offset=0)
    return number


def _read(connection: sqlite3.Connection, number: int, *span: int) -> bytes:
    rows = connection.execute(chunks.CONTENT, chunks.span(number, *span)).fetchall()
    return b"".join(row[0] for row in rows)


def test_a_value_is_stored_in_rows_of_64_kib(connection: sqlite3.Connection) -> None:
    number = chunks.begin(connection)
    chunks.append(connection, number, VALUE, offset=0)
    chunks.append(connection, number, b"end", offset=len(VALUE))

    assert connection.execute(chunks.SIZE, (number,)).fetchone() == (len(VALUE) + 3,)
    assert _read(connection, number) == VALUE + b"end"
    assert _read(connection, number, 1, 1) == VALUE[CHUNK_BYTES : 2 * CHUNK_BYTES]
    assert _rows(connection) == 5


@pytest.mark.parametrize(("size", "rows"), [(0, 0), (1, 1), (CHUNK_BYTES, 1), (CHUNK_BYTES + 1, 2)])
def test_the_last_row_may_be_short(size: int, rows: int) -> None:
    assert chunks.count(size) == rows


def test_two_values_do_not_mix(connection: sqlite3.Connection) -> None:
    first, second = chunks.begin(connection), chunks.begin(connection)
    chunks.append(connection, second, b"2", offset=0)
    chunks.append(connection, first, b"1", offset=0)

    assert (_read(connection, first), _read(connection, second)) == (b"1", b"2")


def test_a_value_in_use_is_never_swept(connection: sqlite3.Connection) -> None:
    number = _stored(connection)
    chunks.keep(connection, number)

    assert chunks.sweep(connection, now=10**10, limit=100) == 0
    assert chunks.sweep(connection, now=2 * 10**10, limit=100) == 0
    assert _read(connection, number) == VALUE


def test_an_unused_value_is_swept_when_no_one_can_read_it_any_more(connection: sqlite3.Connection) -> None:
    number = _stored(connection)

    assert chunks.sweep(connection, now=1000, limit=100) == 0  # seen
    assert chunks.sweep(connection, now=1000 + GRACE_SECONDS - 1, limit=100) == 0
    assert _read(connection, number) == VALUE
    steps = [chunks.sweep(connection, now=1000 + GRACE_SECONDS, limit=2) for _ in range(4)]
    assert steps == [2, 2, 1, 0]  # four rows, then the value itself
    assert _rows(connection) == 0


def test_each_piece_of_a_stream_gives_it_more_time(connection: sqlite3.Connection) -> None:
    number = _stored(connection)
    chunks.sweep(connection, now=1000, limit=100)
    chunks.append(connection, number, b"end", offset=len(VALUE))
    chunks.sweep(connection, now=1000 + GRACE_SECONDS, limit=100)

    assert _read(connection, number) == VALUE + b"end"


def test_who_comes_after_the_sweep_is_told(connection: sqlite3.Connection) -> None:
    number = _stored(connection)
    chunks.sweep(connection, now=1000, limit=100)
    chunks.sweep(connection, now=1000 + GRACE_SECONDS, limit=100)

    with pytest.raises(StoreError, match="put it again"):
        chunks.append(connection, number, b"", offset=len(VALUE))
    with pytest.raises(StoreError, match="put it again"):
        chunks.keep(connection, number)
    assert _read(connection, number) == b""
    assert connection.execute(chunks.SIZE, (number,)).fetchone() is None
