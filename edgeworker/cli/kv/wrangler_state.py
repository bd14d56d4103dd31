"""Reads the KV that `wrangler dev` keeps on the disk (.wrangler/state/v3/kv).

One SQLite file for each namespace says key, blob, expiry (milliseconds) and metadata; the values are files under
`<namespace id>/blobs`. Where its blobs are says which namespace a file belongs to.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from edgeworker.errors import ConfigError
from edgeworker.kv.namespace import KeyValuePair
from edgeworker.strict_json import loads

_OBJECTS: Final = "miniflare-KVNamespaceObject"
_BELOW: Final = ("", "v3/kv", "state/v3/kv", ".wrangler/state/v3/kv")
_LAYOUT: Final = "wrangler's local KV (.wrangler/state/v3/kv)"


def namespaces(directory: Path) -> list[str]:
    """The ids there are. `directory` may be the project's, .wrangler, .wrangler/state or the layout itself."""
    root = _root(directory)
    return sorted(path.parent.name for path in root.glob("*/blobs") if path.is_dir())


def entries(directory: Path, namespace_id: str) -> Iterator[KeyValuePair]:
    """The namespace's entries in the order of their keys. Raises ConfigError."""
    root = _root(directory)
    blobs = root / namespace_id / "blobs"
    if namespace_id not in namespaces(directory):
        there = ", ".join(namespaces(directory)) or "none"
        raise ConfigError(f'{root}: there is no namespace "{namespace_id}"; there are: {there}')
    for file in sorted((root / _OBJECTS).glob("*.sqlite")):
        yield from _entries_of(file, blobs)


def _root(directory: Path) -> Path:
    for below in _BELOW:
        if (directory / below / _OBJECTS).is_dir():
            return directory / below
    raise ConfigError(f"{directory}: {_LAYOUT} is not in there")


def _entries_of(file: Path, blobs: Path) -> Iterator[KeyValuePair]:
    """None where the file is another namespace's."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = '_mf_entries'").fetchone():
                return
            rows = connection.execute("SELECT key, blob_id, expiration, metadata FROM _mf_entries ORDER BY key")
            for key, blob_id, expiration, metadata in rows:
                blob = blobs / blob_id
                if not blob.is_file():
                    return
                yield KeyValuePair(
                    key,
                    blob.read_bytes(),
                    expiration=None if expiration is None else expiration // 1000,
                    metadata=None if metadata is None else loads(metadata, lone_surrogates=True),
                )
    except (sqlite3.Error, OSError, ValueError) as error:
        raise ConfigError(f"{file}: cannot be read as {_LAYOUT}: {error}") from error
