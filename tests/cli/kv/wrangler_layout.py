"""Makes the files that `wrangler dev` keeps its KV in, as wrangler 4.164 makes them."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path

Entries = Mapping[str, tuple[bytes, int | None, str | None]]

_TABLE = "CREATE TABLE _mf_entries (key TEXT PRIMARY KEY, blob_id TEXT NOT NULL, expiration INTEGER, metadata TEXT)"


def make_wrangler_state(root: Path, namespaces: Mapping[str, Entries]) -> None:
    """`namespaces`: id -> key -> (value, expiry in milliseconds, metadata as JSON)."""
    objects = root / "miniflare-KVNamespaceObject"
    objects.mkdir(parents=True)
    with closing(sqlite3.connect(objects / "metadata.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE _cf_ALARM (actor_id TEXT PRIMARY KEY)")
    for namespace_id, entries in namespaces.items():
        blobs = root / namespace_id / "blobs"
        blobs.mkdir(parents=True)
        file = objects / f"{sha256(namespace_id.encode()).hexdigest()}.sqlite"
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(_TABLE)
            for key, (value, expiration, metadata) in entries.items():
                blob_id = sha256(namespace_id.encode() + key.encode()).hexdigest()
                (blobs / blob_id).write_bytes(value)
                connection.execute("INSERT INTO _mf_entries VALUES (?, ?, ?, ?)", (key, blob_id, expiration, metadata))
