"""Opaque tokens: OAuth's codes, access and refresh tokens. The documents hold only their hashes."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from edgeworker.clock import Clock
from edgeworker.config import JSON
from edgeworker.products.access.directory import Snapshot
from edgeworker.products.access.sessions import Session, Sessions
from edgeworker.state import DocumentStore

TokenKind = Literal["oauth_code", "oauth_access", "oauth_refresh", "saas_code", "saas_access", "saas_refresh"]


@dataclass(frozen=True, slots=True)
class OpaqueToken:
    """A valid token: neither its login nor the application's tokens were revoked since."""

    application_id: str
    session: Session
    value: Mapping[str, JSON]
    issued_at: int
    expires_at: int


class OpaqueTokens:
    def __init__(self, documents: DocumentStore, sessions: Sessions, clock: Clock) -> None:
        self._documents = documents
        self._sessions = sessions
        self._clock = clock

    async def issue(
        self,
        kind: TokenKind,
        session: Session,
        application_id: str,
        snapshot: Snapshot,
        *,
        seconds: int,
        prefix: str = "",
        value: Mapping[str, JSON] | None = None,
    ) -> str:
        """Issue a token. Its text is returned and not stored."""
        text = prefix + secrets.token_urlsafe(32)
        now = self._clock.now()
        stored: dict[str, JSON] = {
            **(value or {}),
            "session": session.id,
            "app": application_id,
            "generation": snapshot.revocations.app_generation(application_id),
            "issued_at": now,
        }
        await self._documents.put(kind, _hash_token(text), stored, expires_at=now + seconds)
        await self._sessions.keep_until(session, now + seconds)
        return text

    async def find(self, kind: TokenKind, text: str, snapshot: Snapshot) -> OpaqueToken | None:
        if not text:
            return None
        document = await self._documents.get(kind, _hash_token(text))
        return None if document is None else await self._check(document.value, document.expires_at, snapshot)

    async def take(self, kind: TokenKind, text: str, snapshot: Snapshot) -> OpaqueToken | None:
        """Find a token and delete it. If it is used several times at once, one use succeeds."""
        if not text:
            return None
        document = await self._documents.take(kind, _hash_token(text))
        return None if document is None else await self._check(document.value, document.expires_at, snapshot)

    async def revoke(self, kind: TokenKind, text: str) -> None:
        await self._documents.delete(kind, _hash_token(text))

    async def _check(self, value: Mapping[str, JSON], expires_at: int | None, snapshot: Snapshot) -> OpaqueToken | None:
        match value:
            case {"session": str(session_id), "app": str(app), "generation": int(generation), "issued_at": int(issued)}:
                if generation < snapshot.revocations.app_generation(app):
                    return None
                session = await self._sessions.find(session_id, snapshot)
                return None if session is None else OpaqueToken(app, session, value, issued, expires_at or 0)
            case _:
                return None


def _hash_token(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
