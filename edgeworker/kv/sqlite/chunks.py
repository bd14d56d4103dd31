"""Large values, split into rows of 64 KiB, so that they are stored and read in pieces.

A value gets its own number and is never changed afterwards: an entry is switched to it in the transaction that makes it
visible, and a reader of the former value finds its rows until a sweep removes them (see GRACE_SECONDS).
"""

import sqlite3
from typing import Final

from edgeworker.errors import StoreError
from edgeworker.kv.sqlite.schema import CHUNKS_PER_VALUE

CHUNK_BYTES: Final = 64 * 1024

# How long a large value that no entry points to stays: for readers that have begun, and for a stream that stalls
# between two of its pieces.
GRACE_SECONDS: Final = 600


# How a value is read: its size, and rows of it in their order.
SIZE: Final = "SELECT size FROM large_values WHERE number = ?"
CONTENT: Final = "SELECT content FROM chunks WHERE number >= ? AND number < ? ORDER BY number"


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


def count(size: int) -> int:
    """How many rows a value of `size` bytes has."""
    return -(-size // CHUNK_BYTES)


def span(number: int, first: int = 0, most: int = CHUNKS_PER_VALUE) -> tuple[int, int]:
    """The parameters of CONTENT for at most `most` rows from the row `first` on."""
    return number * CHUNKS_PER_VALUE + first, number * CHUNKS_PER_VALUE + min(first + most, CHUNKS_PER_VALUE)


def removed() -> StoreError:
    """For a reader that finds less than there was when it began: a sweep was there before."""
    return StoreError(f"The value was replaced more than {GRACE_SECONDS} seconds ago while it was read; read it again.")


def sweep(connection: sqlite3.Connection, *, now: int, limit: int) -> int:
    """Removes up to `limit` rows of values that no one has used for GRACE_SECONDS; returns how many."""
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
