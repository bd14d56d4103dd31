"""Named API tokens in `state.sqlite`: hashed at rest, expiring, revocable at once in every process.

A token is `ewt_<id>_<secret>`. The id is not secret: it finds the row, it is what `token list` shows and `token revoke`
takes. Of the secret only the SHA-256 is kept; it has 256 random bits, so a slow password hash would add nothing.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edgeworker.errors import ConfigError, StoreError
from edgeworker.state.database import Row, StateDatabase

PREFIX: Final = "ewt_"

_FIELDS: Final = "id, name, permissions, created_at, expires_at"


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

    Nothing is cached: each check reads the file, so a revocation by another process holds from the next call on. All
    methods raise StoreError.
    """

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    async def create(self, name: str, permissions: Sequence[str], *, now: int, expires_at: int | None) -> str:
        """The new token's text, which cannot be shown again.

        Raises:
            ConfigError: the name is taken or empty, or the expiry has passed.
        """
        if not name.strip():
            raise ConfigError("A token's name cannot be empty; it says whose token it is.")
        if expires_at is not None and expires_at <= now:
            raise ConfigError(f"A token that expires at {expires_at} has expired already: it is {now} now.")
        token_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        row = (token_id, name, hash_secret(secret), json.dumps(list(permissions)), now, expires_at)
        insert = "INSERT INTO api_tokens VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING RETURNING 1"
        if not await self._database.write(insert, row):
            raise ConfigError(f'There is a token named "{name}" already; revoke it or take another name.')
        return f"{PREFIX}{token_id}_{secret}"

    async def check(self, text: str, *, now: int) -> ApiToken | None:
        """The token with this text, if it is known and has not expired."""
        token_id, _, secret = text.removeprefix(PREFIX).partition("_")
        if not (text.startswith(PREFIX) and token_id and secret):
            return None
        rows = await self._database.read(f"SELECT {_FIELDS}, hash FROM api_tokens WHERE id = ?", (token_id,))
        if not rows:
            return None
        *fields, expected = rows[0]
        if not isinstance(expected, bytes) or not hmac.compare_digest(hash_secret(secret), expected):
            return None
        token = _token(fields)
        return token if token.expires_at is None or now < token.expires_at else None

    async def list(self) -> "list[ApiToken]":
        """Every token, the expired ones too, oldest first."""
        rows = await self._database.read(f"SELECT {_FIELDS} FROM api_tokens ORDER BY created_at, name")
        return [_token(row) for row in rows]

    async def revoke(self, id_or_name: str) -> ApiToken:
        """Remove a token. Raises ConfigError if there is none."""
        tokens = await self.list()
        for token in tokens:
            if id_or_name in (token.id, token.name):
                await self._database.write("DELETE FROM api_tokens WHERE id = ?", (token.id,))
                return token
        known = ", ".join(f'"{token.name}"' for token in tokens) or "none"
        raise ConfigError(f'There is no token with the name or id "{id_or_name}"; there are: {known}.')


def _token(row: Row) -> ApiToken:
    token_id, name, permissions, created_at, expires_at = row
    assert isinstance(created_at, int)
    assert expires_at is None or isinstance(expires_at, int)
    try:
        held = tuple(json.loads(str(permissions)))
    except (ValueError, TypeError, RecursionError) as error:
        raise StoreError(f"state.sqlite: the permissions of the API token {name!s} are not JSON: {error}") from None
    return ApiToken(str(token_id), str(name), held, created_at, expires_at)


def hash_secret(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
