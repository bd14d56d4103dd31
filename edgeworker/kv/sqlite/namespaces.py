"""The namespaces of the KV database."""

from collections.abc import Iterable

from edgeworker.config import Namespace
from edgeworker.kv.sqlite import writes
from edgeworker.kv.sqlite.reader import Reader
from edgeworker.kv.sqlite.writer import Writer


class SQLiteNamespaces:
    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def all(self) -> list[Namespace]:
        return await self._reader.short("SELECT id, title FROM namespaces ORDER BY number", (), Namespace)

    async def get(self, namespace_id: str) -> Namespace | None:
        found = await self._reader.short("SELECT id, title FROM namespaces WHERE id = ?", (namespace_id,), Namespace)
        return found[0] if found else None

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
