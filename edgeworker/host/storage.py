"""The KV store of an edge as a configuration wants it: durable so far, seen at once or later."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from edgeworker.clock import Clock
from edgeworker.config import KVSettings
from edgeworker.host.datadir import DataDir
from edgeworker.kv.eventual import EventualStores
from edgeworker.kv.sqlite import SQLiteStore
from edgeworker.kv.sqlite.schema import SCHEMA as KV_SCHEMA
from edgeworker.kv.store import KVStore
from edgeworker.state import FILE_NAME as STATE_FILE
from edgeworker.state.schema import SCHEMA as STATE_SCHEMA


def check_databases(data: DataDir) -> None:
    """Before an edge says that it serves. Raises StoreError for a file of a newer version, or of another program."""
    KV_SCHEMA.check_file(data.kv_file)
    STATE_SCHEMA.check_file(data.path / STATE_FILE)


@dataclass(frozen=True, slots=True)
class Storage:
    """`edge` is the store as workers see it, `api` as the REST API does; they differ in eventual mode only."""

    whole: SQLiteStore
    edge: KVStore
    api: KVStore

    @classmethod
    def open(cls, file: Path, settings: KVSettings, clock: Clock) -> Self:
        """Raises StoreError for a file that cannot be used."""
        whole = SQLiteStore.open(file, durability=settings.durability or "normal")
        if settings.consistency == "strong":
            return cls(whole, whole, whole)
        stores = EventualStores(whole, clock, seed=settings.seed, delay_seconds=settings.visibility_delay_seconds)
        return cls(whole, stores.at("edge"), stores.at("api"))

    async def close(self) -> None:
        await self.whole.close()
