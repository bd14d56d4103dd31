"""Named API tokens in `state.sqlite`: hashed at rest, expiring, revocable at once in every process.

A token is `ewt_<id>_<secret>`. The id is no secret: it finds the row, it is what `token list` shows and `token revoke`
takes. Of the secret only the SHA-256 is kept; it has 256 random bits, so a slow password hash would add nothing.
"""

import hashlib
import hmac
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.errors import ConfigError, StoreError

FILE_NAME: Final = "state.sqlite"
PREFIX: Final = "ewt_"

_BUSY_TIMEOUT_SECONDS: Final = 5.0
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS api_tokens (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  hash BLOB NOT NULL,
  permissions TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER
) STRICT
"""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What is known of a token, never its secret. Times are epoch seconds; `expires_at` None is never."""

    id: str
    name: str
    permissions: tuple[str, ...]
    created_at: int
    expires_at: int | None


class ApiTokens:
    """The tokens of one data directory.

    Nothing is cached: each check reads the file, so a revocation by another process holds from the next call on. The
    file is made by the first `create`; until then there is no token.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME

    def create(self, name: str, permissions: Sequence[str], *, now: int, expires_at: int | None) -> str:
        """The new token's text, which cannot be shown again.

        Raises:
            ConfigError: the name is taken or empty, or the expiry has passed.
            StoreError: the file cannot be written.
        """
        if not name.strip():
            raise ConfigError("A token's name cannot be empty; it says whose token it is.")
        if expires_at is not None and expires_at <= now:
            raise ConfigError(f"A token that expires at {expires_at} has expired already: it is {now} now.")
        token_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        row = (token_id, name, _hash(secret), json.dumps(list(permissions)), now, expires_at)
        with self._open(create=True) as connection:
            try:
                connection.execute("INSERT INTO api_tokens VALUES (?, ?, ?, ?, ?, ?)", row)
            except sqlite3.IntegrityError:
                raise ConfigError(f'There is a token named "{name}" already; revoke it or take another name.') from None
        return f"{PREFIX}{token_id}_{secret}"

    def check(self, text: str, *, now: int) -> ApiToken | None:
        """The token with this text, if it is known and has not expired. Raises StoreError."""
        token_id, _, secret = text.removeprefix(PREFIX).partition("_")
        if not (text.startswith(PREFIX) and token_id and secret) or not self._path.exists():
            return None
        with self._open() as connection:
            row = connection.execute(f"SELECT {_FIELDS}, hash FROM api_tokens WHERE id = ?", (token_id,)).fetchone()
        if row is None or not hmac.compare_digest(_hash(secret), row[-1]):
            return None
        token = _token(row)
        return token if token.expires_at is None or now < token.expires_at else None

    def list(self) -> "list[ApiToken]":
        """Every token, the expired ones too, oldest first. Raises StoreError."""
        if not self._path.exists():
            return []
        with self._open() as connection:
            rows = connection.execute(f"SELECT {_FIELDS} FROM api_tokens ORDER BY created_at, name").fetchall()
        return [_token(row) for row in rows]

    def revoke(self, id_or_name: str) -> ApiToken:
        """Removes a token. Raises ConfigError where there is none, StoreError."""
        tokens = [token for token in self.list() if id_or_name in (token.id, token.name)]
        if not tokens:
            known = ", ".join(f'"{token.name}"' for token in self.list()) or "none"
            raise ConfigError(f'There is no token with the name or id "{id_or_name}"; there are: {known}.')
        with self._open() as connection:
            connection.execute("DELETE FROM api_tokens WHERE id = ?", (tokens[0].id,))
        return tokens[0]

    @contextmanager
    def _open(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are committed at the end of the block."""
        try:
            if create:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                # SQLite gives its own files the rights of the database, so these are the rights of all of them.
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            # Never made by looking: only `create` decides the file's rights.
            there = f"{self._path.absolute().as_uri()}?mode=rw"
            with closing(sqlite3.connect(there, uri=True, timeout=_BUSY_TIMEOUT_SECONDS)) as connection:
                connection.execute("PRAGMA synchronous = FULL")
                if create:
                    connection.execute("PRAGMA journal_mode = WAL")
                    connection.execute(_TABLE)
                with connection:
                    yield connection
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self._path}: {error}") from error


_FIELDS: Final = "id, name, permissions, created_at, expires_at"


def _token(row: tuple[str, str, str, int, int | None]) -> ApiToken:
    return ApiToken(row[0], row[1], tuple(json.loads(row[2])), row[3], row[4])


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
