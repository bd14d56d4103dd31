"""Everything that a data directory holds as one file, and back again.

The file is a copy of the KV database with one more table: the other database, the API token, the published workers and,
where they are wanted, the keys of products and of the local authority. A backup of before has no such table, and is KV
alone.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from edgeworker.errors import StoreError
from edgeworker.files import draft_of, make_folder
from edgeworker.kv.sqlite import backup as kv_backup
from edgeworker.publishing.version_store import FOLDER as PUBLISHED_FOLDER
from edgeworker.publishing.version_store import VersionStore
from edgeworker.state import FILE_NAME as STATE_FILE
from edgeworker.state.schema import SCHEMA as STATE_SCHEMA

KV_FILE: Final = "kv.sqlite"
TOKEN_FILE: Final = "api-token"
KEY_FOLDERS: Final = ("secrets", "tls", "acme")

_TABLE: Final = "edgeworker_backup"
_PUBLISHED_INDEX: Final = f"{PUBLISHED_FOLDER}/index.json"
# Unpacked versions are made of these again.
_PUBLISHED_FILE: Final = re.compile(r"workers/(?:index\.json|[a-z0-9_][a-z0-9_-]*/[0-9a-f-]{36}\.zip)")
_KEY_FILE: Final = re.compile(rf"(?:{'|'.join(KEY_FOLDERS)})(?:/(?!\.{{1,2}}(?:/|$))[A-Za-z0-9._-]+)+")


def backup_directory(data: Path, to: Path, *, keys: bool = False) -> int:
    """One moment's state of each file, also while an edge runs; returns the size in bytes. The file has mode 0600.

    Raises StoreError: `to` is there already, there is no KV database, or a file cannot be read or written.
    """

    def complete(draft: Path) -> None:
        try:
            with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
                connection.execute(f"CREATE TABLE {_TABLE} (name TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT")
                connection.executemany(f"INSERT INTO {_TABLE} VALUES (?, ?)", _contents(data, keys=keys))
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{to}: the backup cannot be completed: {error}") from error

    return kv_backup.backup(data / KV_FILE, to, complete=complete)


def restore_directory(file: Path, data: Path) -> list[str]:
    """Makes a data directory what the backup holds; returns the names of what was written. `data` must exist.

    State and published workers that the backup does not have are removed; one of KV alone leaves them as they are.

    Raises StoreError: the backup is damaged, of a newer version, or an edge runs on `data`, which KV's file tells.
    """
    found = _read_contents(file)
    contents = found or {}
    if STATE_FILE in contents:
        _check_state(contents[STATE_FILE], data)
    kv_backup.restore(file, data / KV_FILE)
    if found is not None:
        # SQLite would play a log that was left behind into whatever database has its name.
        _remove(data, [f"{STATE_FILE}-wal", f"{STATE_FILE}-shm"])
        _remove(data, [name for name in (STATE_FILE, _PUBLISHED_INDEX) if name not in contents])
    for name, content in contents.items():
        _write(data / name, content)
    with closing(sqlite3.connect(data / KV_FILE, isolation_level=None)) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {_TABLE}")
        connection.execute("VACUUM")
    return [KV_FILE, *contents]


def existing_files(data: Path) -> list[str]:
    """What a restore would replace."""
    return [name for name in (KV_FILE, STATE_FILE, TOKEN_FILE, _PUBLISHED_INDEX) if (data / name).exists()]


def _contents(data: Path, *, keys: bool) -> Iterator[tuple[str, bytes]]:
    if (data / STATE_FILE).exists():
        yield STATE_FILE, _copy_of_database(data / STATE_FILE)
    if (data / TOKEN_FILE).exists():
        yield TOKEN_FILE, (data / TOKEN_FILE).read_bytes()
    published = VersionStore(data)
    with published.unchanged():
        for file in sorted([*published.folder.glob("*/*.zip"), *published.folder.glob("index.json")]):
            yield file.relative_to(data).as_posix(), file.read_bytes()
    for folder in KEY_FOLDERS if keys else ():
        for file in sorted((data / folder).rglob("*")):
            if file.is_file() and not file.is_symlink():
                yield file.relative_to(data).as_posix(), file.read_bytes()


def _copy_of_database(path: Path) -> bytes:
    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as reading,
        closing(sqlite3.connect(":memory:", isolation_level=None)) as copy,
    ):
        STATE_SCHEMA.is_current(reading, path)  # raises for what is another program's, or a newer version's
        reading.backup(copy)
        content = copy.serialize()
    # Bytes 18 and 19 say "WAL", which a file that stands alone should not. https://www.sqlite.org/fileformat.html
    return content[:18] + b"\1\1" + content[20:]


def _read_contents(file: Path) -> dict[str, bytes] | None:
    """Only what belongs into a data directory: the file may come from anywhere. None: a backup of KV alone."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, isolation_level=None)) as connection:
            tables = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (_TABLE,)).fetchall()
            if not tables:
                return None
            rows = connection.execute(f"SELECT name, content FROM {_TABLE}").fetchall()
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{file}: is not a backup: {error}") from error
    for name, content in rows:
        belongs = name in (STATE_FILE, TOKEN_FILE) or _KEY_FILE.fullmatch(name) or _PUBLISHED_FILE.fullmatch(name)
        if not isinstance(content, bytes) or not belongs:
            raise StoreError(f'{file}: "{name}" does not belong into a data directory, so nothing was restored')
    return dict(rows)


def _check_state(content: bytes, data: Path) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        try:
            connection.deserialize(content)
            STATE_SCHEMA.is_current(connection, data / STATE_FILE)
            faults = connection.execute("PRAGMA quick_check(1)").fetchall()
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{STATE_FILE} in the backup is damaged: {error}") from error
    if faults != [("ok",)]:
        raise StoreError(f"{STATE_FILE} in the backup is damaged: {faults[0][0]}")


def _remove(data: Path, names: list[str]) -> None:
    for name in names:
        try:
            (data / name).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{data / name}: cannot be removed: {error.strerror}") from error


def _write(place: Path, content: bytes) -> None:
    try:
        make_folder(place.parent)
        with draft_of(place) as draft:
            draft.file.write(content)
    except OSError as error:
        raise StoreError(f"{place}: cannot be written: {error.strerror}") from error
