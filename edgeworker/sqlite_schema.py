"""How an older SQLite file of ours becomes a newer one: numbered migrations."""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.errors import StoreError

_PRIMARY_CODE: Final = 0xFF  # the lower byte of SQLite's extended result codes
_RETRY_SECONDS: Final = 0.001


@dataclass(frozen=True, slots=True)
class SQLiteSchema:
    """The tables of one kind of file. `contents` says what such a file holds, for messages.

    Each of `migrations` leads from one version to the next; a released one never changes. A file has its version in
    `user_version` and `application_id` in its own place. Files of a release from before the first migration have
    neither; they are known by `unversioned_tables`.
    """

    application_id: int
    contents: str
    migrations: tuple[tuple[str, ...], ...]
    unversioned_tables: frozenset[str] = frozenset()

    @property
    def version(self) -> int:
        return len(self.migrations)

    def is_current(self, connection: sqlite3.Connection, path: Path) -> bool:
        """Whether `migrate` has nothing to do. Changes nothing; raises StoreError for what `migrate` refuses."""
        return self._version_of(connection, path) == self.version

    def check_file(self, path: Path) -> None:
        """Raise StoreError for what `migrate` refuses. No file is right, and one that cannot be read is told when it is
        used: it may be busy."""
        try:
            if path.exists():
                with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                    self.is_current(connection, path)
        except (sqlite3.Error, OSError):
            pass

    def prepare(self, connection: sqlite3.Connection, path: Path, *, busy_seconds: float) -> None:
        """Bring the file to WAL and to the newest version, where it is not. Waits up to `busy_seconds` for another
        process that does the same.

        Raises:
            StoreError: as `migrate`.
            sqlite3.Error: it is still locked, or what else SQLite has to say.
        """
        # First: a file that is not ours is left exactly as it was, and one that is up to date needs no lock.
        is_current = self.is_current(connection, path)
        if not is_current or connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            _use_wal(connection, busy_seconds)
            self.migrate(connection, path)

    def migrate(self, connection: sqlite3.Connection, path: Path) -> None:
        """Bring the file to the newest version, in one transaction; a new file gets all of it.

        Raises:
            StoreError: it is a database of something else, or of a newer edgeworker. The file is left as it is.
        """
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = self._version_of(connection, path)
            for statements in self.migrations[version:]:
                for statement in statements:
                    connection.execute(statement)
            if version < self.version:
                connection.execute(f"PRAGMA application_id = {self.application_id}")
                connection.execute(f"PRAGMA user_version = {self.version}")
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise

    def _version_of(self, connection: sqlite3.Connection, path: Path) -> int:
        # The tables first: another process may be making them just now, and its one commit brings them and the id.
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        is_unversioned = application == 0 and version == 0 and tables <= self.unversioned_tables
        if tables and application != self.application_id and not is_unversioned:
            raise StoreError(
                f"{path} is an SQLite database, but not one of {self.contents}; name another file or data directory."
            )
        if version > self.version:
            raise StoreError(
                f"{path} was written by a newer edgeworker (its schema is {version}, this one knows up to "
                f"{self.version}); use that version, or another data directory."
            )
        return version


def _use_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """For this statement SQLite does not always wait, whatever the connection's timeout is: two processes that begin
    with a new file at once would wait for each other. https://www.sqlite.org/c3ref/busy_handler.html
    """
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY_CODE != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return
