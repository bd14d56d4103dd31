"""Rows that were read lately, for as long as no process has written since: a point read in SQLite is two locks and
thirty thousand instructions."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final

from edgeworker.kv.sqlite.reader import Row
from edgeworker.kv.store import DataVersion
from edgeworker.sqlite_changes import RECHECK_SECONDS, ChangeMark

_MAX_BYTES: Final = 4 * 1024 * 1024
_MAX_VALUE_BYTES: Final = 8 * 1024
_ROW_BYTES: Final = 512  # what a row takes beside its value and metadata, rounded up

_Name = tuple[str, str]  # namespace id, key


class RecentRows:
    """`find`, and `add` in the same step of the loop if there was nothing: a row is as new as the last look at the
    mark.

    Every writer of ours changes the mark after its commit and before its caller knows of it, so what was acknowledged
    is never hidden. What a program wrote that knows no mark is seen after RECHECK_SECONDS.
    """

    __slots__ = ("_bytes", "_data_version", "_database", "_look_again_at", "_mark", "_rows", "_seen", "_version")

    def __init__(self, database: Path, data_version: Callable[[], int]) -> None:
        """`data_version` is that of the connection that rows are read on. Raises sqlite3.Error."""
        self._database = database
        self._data_version = data_version
        self._rows: dict[_Name, Row] = {}
        self._bytes = 0
        self._mark: ChangeMark | None = None
        self._seen = b""
        self._version = -1
        self._look_again_at = 0.0

    def find(self, name: _Name) -> Row | None:
        mark = self._mark
        if mark is None or mark.read() != self._seen or monotonic() >= self._look_again_at:
            self._look_again()
        return self._rows.get(name)

    def data_version(self) -> DataVersion | None:
        """Another one after each write; None while the mark or the database cannot be read."""
        mark = self._mark
        if mark is None or mark.read() != self._seen or monotonic() >= self._look_again_at:
            self._look_again()
        return (self._seen, self._version) if self._seen else None

    def add(self, name: _Name, row: Row) -> None:
        value, _, metadata, _ = row
        if self._mark is None or len(value) > _MAX_VALUE_BYTES:
            return
        self._bytes += _ROW_BYTES + len(value) + len(metadata or "")
        if self._bytes > _MAX_BYTES:
            self._forget()
        self._rows[name] = row

    def close(self) -> None:
        self._forget()
        if self._mark is not None:
            self._mark.close()
            self._mark = None
            self._seen = b""

    def _look_again(self) -> None:
        now = monotonic()
        if self._mark is None:
            if now < self._look_again_at:
                return
            self._look_again_at = now + RECHECK_SECONDS
            self._mark = ChangeMark.open(self._database)
            if self._mark is None:
                return
        seen = self._mark.read()  # that of before the other look: what is committed meanwhile is another one
        try:
            version = self._data_version()
        except sqlite3.Error:
            self._forget()
            self._seen = b""
            return
        if seen != self._seen or version != self._version:
            self._forget()
            self._seen, self._version = seen, version
        self._look_again_at = now + RECHECK_SECONDS

    def _forget(self) -> None:
        self._rows.clear()
        self._bytes = 0
