"""The namespaces of the KV database."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from edgeworker.config import Namespace
from edgeworker.kv.sqlite import writes
from edgeworker.kv.sqlite.connection import translated
from edgeworker.kv.sqlite.writer import Writer


class SQLiteNamespaces:
    def __init__(self, reading: sqlite3.Connection, writer: Writer, path: Path) -> None:
        self._reading = reading
        self._writer = writer
        self._path = path

    async def all(self) -> list[Namespace]:
        with translated(self._path):
            rows = self._reading.execute("SELECT id, title FROM namespaces ORDER BY number").fetchall()
        return [Namespace(*row) for row in rows]

    async def get(self, namespace_id: str) -> Namespace | None:
        with translated(self._path):
            row = self._reading.execute("SELECT id, title FROM namespaces WHERE id = ?", (namespace_id,)).fetchone()
        return None if row is None else Namespace(*row)

    async def create(self, namespace: Namespace) -> None:
        await self._writer.run(lambda connection: writes.create_namespace(connection, namespace))

    async def register(self, namespaces: Iterable[Namespace]) -> None:
        new = [namespace for namespace in namespaces if await self.get(namespace.id) is None]
        if new:
            await self._writer.run(lambda connection: writes.register_namespaces(connection, new))

    async def rename(self, namespace_id: str, title: str) -> None:
        await self._writer.run(lambda connection: writes.rename_namespace(connection, namespace_id, title))

    async def delete(self, namespace_id: str) -> None:
        await self._writer.run(lambda connection: writes.delete_namespace(connection, namespace_id))
