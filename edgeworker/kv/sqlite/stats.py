"""How much is in a KV database, for a person."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.kv.sqlite.connection import connect_for_reading, translated

_NAMESPACES: Final = """
SELECT namespace.id, namespace.title, count(entry.number),
    coalesce(sum(coalesce(large.size, length(entry.value))), 0),
    count(entry.expires_at), coalesce(sum(entry.expires_at <= ?), 0)
FROM namespaces AS namespace
    LEFT JOIN entries AS entry ON entry.namespace = namespace.number
    LEFT JOIN large_values AS large ON large.number = entry.large
GROUP BY namespace.number ORDER BY namespace.title
"""


@dataclass(frozen=True, slots=True)
class NamespaceStats:
    """`keys` counts those too that are `expired` and not swept yet; `expiring` are those with an expiry."""

    id: str
    title: str
    keys: int
    value_bytes: int
    expiring: int
    expired: int


@dataclass(frozen=True, slots=True)
class Stats:
    namespaces: tuple[NamespaceStats, ...]
    file_bytes: int
    log_bytes: int


def stats(path: Path, *, now: int) -> Stats:
    """Reads through every entry: seconds for a million of them. Raises StoreError."""
    with translated(path), closing(connect_for_reading(path, waits=True)) as connection:
        rows = connection.execute(_NAMESPACES, (now,)).fetchall()
        log = path.with_name(f"{path.name}-wal")
        return Stats(
            tuple(NamespaceStats(*row) for row in rows),
            path.stat().st_size,
            log.stat().st_size if log.exists() else 0,
        )
