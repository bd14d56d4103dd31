"""Large values, split into rows of 64 KiB, so that they are stored and read in pieces.

A value gets its own number and is never changed afterwards: an entry is switched to it in the transaction that makes it
visible, and who still reads the former value finds its rows until a sweep removes them (see GRACE_SECONDS).
"""

import sqlite3
from typing import Final

from edgeworker.errors import StoreError
from edgeworker.kv.sqlite.schema import CHUNKS_PER_VALUE

CHUNK_BYTES: Final = 64 * 1024

# How long a large value that no entry points to stays: for those who still read it, and for a stream that stalls
# between two of its pieces.
GRACE_SECONDS: Final = 600


def begin(connection: sqlite3.Connection) -> int:
    """Makes room for a large value; returns its number. It is gone some time after its last `append`."""
    number = connection.execute("INSERT INTO large_values (unused_since) VALUES (0)").lastrowid
    assert number is not None
    return number


def append(
    connection: sqlite3.Connection, number: int, content: bytes | bytearray | memoryview, *, offset: int
) -> None:
    """`offset` is how many bytes are stored already, a multiple of CHUNK_BYTES.

    Raises StoreError if a sweep was there before.
    """
    stored = connection.execute(
        "UPDATE large_values SET size = ?, unused_since = 0 WHERE number = ?", (offset + len(content), number)
    )
    if not stored.rowcount:
        raise StoreError(
            f"A value's next piece came more than {GRACE_SECONDS} seconds after the last one; put it again."
        )
    view = memoryview(content)
    first = number * CHUNKS_PER_VALUE + offset // CHUNK_BYTES
    connection.executemany(
        "INSERT INTO chunks (number, content) VALUES (?, ?)",
        (
            (first + place, view[start : start + CHUNK_BYTES])
            for place, start in enumerate(range(0, len(content), CHUNK_BYTES))
        ),
    )


def keep(connection: sqlite3.Connection, number: int) -> None:
    """An entry points to it now. Raises StoreError if a sweep was there before."""
    if not connection.execute("UPDATE large_values SET unused_since = NULL WHERE number = ?", (number,)).rowcount:
        raise StoreError(f"A value's end came more than {GRACE_SECONDS} seconds after its last piece; put it again.")


def size(connection: sqlite3.Connection, number: int) -> int:
    """In bytes. Raises StoreError if a sweep was there before."""
    row = connection.execute("SELECT size FROM large_values WHERE number = ?", (number,)).fetchone()
    if row is None:
        raise _removed()
    found: int = row[0]
    return found


def count(size: int) -> int:
    """How many rows a value of `size` bytes has."""
    return -(-size // CHUNK_BYTES)


def read(connection: sqlite3.Connection, number: int, place: int) -> bytes:
    """One row. Raises StoreError if a sweep was there before."""
    chunk = (number * CHUNKS_PER_VALUE + place,)
    row = connection.execute("SELECT content FROM chunks WHERE number = ?", chunk).fetchone()
    if row is None:
        raise _removed()
    content: bytes = row[0]
    return content


def read_all(connection: sqlite3.Connection, number: int) -> bytes:
    rows = range(count(size(connection, number)))
    return b"".join([read(connection, number, place) for place in rows])


def sweep(connection: sqlite3.Connection, *, now: int, limit: int) -> int:
    """Removes up to `limit` rows of values that nobody has used for GRACE_SECONDS; returns how many."""
    connection.execute("UPDATE large_values SET unused_since = ? WHERE unused_since = 0", (now,))
    removed = 0
    unused = connection.execute(
        "SELECT number FROM large_values WHERE unused_since <= ? LIMIT ?", (now - GRACE_SECONDS, limit)
    ).fetchall()
    for (number,) in unused:
        first = number * CHUNKS_PER_VALUE
        removed += connection.execute(
            "DELETE FROM chunks WHERE number IN (SELECT number FROM chunks WHERE number >= ? AND number < ? LIMIT ?)",
            (first, first + CHUNKS_PER_VALUE, limit - removed),
        ).rowcount
        if removed >= limit:
            break
        removed += connection.execute("DELETE FROM large_values WHERE number = ?", (number,)).rowcount
    return removed


def _removed() -> StoreError:
    return StoreError(f"The value was replaced more than {GRACE_SECONDS} seconds ago while it was read; read it again.")
