"""KV entries in one SQLite file that several processes may share."""

from edgeworker.kv.sqlite.store import SQLiteStore

__all__ = ["SQLiteStore"]
