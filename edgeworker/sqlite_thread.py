"""An SQLite connection that works in a thread of its own, by aiosqlite."""

import logging
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiosqlite


async def open_in_thread(connect: Callable[[], sqlite3.Connection]) -> "aiosqlite.Connection":
    """`connect` runs in the thread. What it raises is raised here, and then there is no thread."""
    # It takes some milliseconds to import, and many edges and commands need none.
    import aiosqlite

    # It logs every statement with its parameters, and those are secrets.
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)
    failures: list[Exception] = []

    def try_to_connect() -> sqlite3.Connection:
        try:
            return connect()
        except Exception as error:  # noqa: BLE001  # it is raised below
            # aiosqlite would leave its thread running; that of an open connection can be ended.
            failures.append(error)
            return sqlite3.connect(":memory:")

    connection = await aiosqlite.Connection(try_to_connect, iter_chunk_size=64)
    if failures:
        await connection.close()
        raise failures[0]
    return connection
