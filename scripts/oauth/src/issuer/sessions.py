"""Sessions of logged-in users, and what users consented to. Both are stored in TOKENS.

The id of a session is 256 random bits in a cookie. KV has only its digest, so reading KV gives no one a session.
"""

import json
import logging
from dataclasses import asdict, dataclass, replace
from typing import Final

from issuer import cookies, digests, records
from issuer.settings import IssuerSettings
from issuer.store_bindings import GuardedAtomic, GuardedNamespace

_log = logging.getLogger("oauth")

# KV takes one write per second and key, and a session is read far more often than its last use has to be stored.
NOTED_EVERY_SECONDS: Final = 60
MIN_TTL_SECONDS: Final = 60  # of KV
_MAX_ATOMIC_TTL_SECONDS: Final = 31_536_000

CONSENT_SECONDS: Final = 31_536_000


@dataclass(frozen=True, slots=True)
class LoginSession:
    """Times are epoch seconds. `auth_time` is when the password was given; for `epoch` see `end_marks`.

    `login_for` and `account_for` are digests of the authorization request for which the user logged in, or chose the
    account, in this session: this satisfies prompt=login, once.
    """

    user_id: str
    created_at: int
    seen_at: int
    auth_time: int
    login_for: str = ""
    account_for: str = ""
    epoch: str = ""

    def is_over(self, settings: IssuerSettings, now: int) -> bool:
        idle, absolute = settings.session_idle_seconds, settings.session_absolute_seconds
        return now >= min(self.seen_at + idle, self.created_at + absolute)


@dataclass(frozen=True, slots=True)
class Consent:
    """What a user allowed a client; `given_at` is in epoch seconds, 0 for no consent. For `epoch` see `end_marks`."""

    user_id: str
    client_id: str
    scope: tuple[str, ...] = ()
    resource: tuple[str, ...] = ()
    given_at: int = 0
    epoch: str = ""

    def covers(self, scope: tuple[str, ...], resource: tuple[str, ...]) -> bool:
        return set(scope) <= set(self.scope) and set(resource) <= set(self.resource)

    def with_more(self, scope: tuple[str, ...], resource: tuple[str, ...]) -> "Consent":
        return replace(
            self,
            scope=tuple(dict.fromkeys((*self.scope, *scope))),
            resource=tuple(dict.fromkeys((*self.resource, *resource))),
        )


class SessionStore:
    """Reads and writes both. Raises Unavailable."""

    def __init__(self, namespace: GuardedNamespace, atomic: GuardedAtomic | None, settings: IssuerSettings) -> None:
        self._namespace = namespace
        self._atomic = atomic
        self._settings = settings

    async def find(self, session_id: str | None, *, now: int) -> LoginSession | None:
        """The session of a cookie's value; None if it does not exist, was ended or is over. Stores that it was used."""
        if session_id is None:
            return None
        digest = digests.digest(session_id)
        session = _parse_session(await self._namespace.get(records.session_key(digest)))
        if session is None or session.is_over(self._settings, now) or await self._is_ended(digest):
            return None
        if now >= session.seen_at + min(NOTED_EVERY_SECONDS, self._settings.session_idle_seconds // 4):
            session = replace(session, seen_at=now)
            await self.put(session_id, session, now=now)
        return session

    async def start(self, user_id: str, *, login_for: str, epoch: str, now: int) -> tuple[str, LoginSession]:
        """(the new session's id, the session)."""
        session_id = cookies.new_secret()
        session = LoginSession(user_id, now, now, now, login_for=login_for, account_for=login_for, epoch=epoch)
        await self.put(session_id, session, now=now)
        return session_id, session

    async def put(self, session_id: str, session: LoginSession, *, now: int) -> None:
        rest = session.created_at + self._settings.session_absolute_seconds - now
        ttl = max(MIN_TTL_SECONDS, min(rest, self._settings.session_idle_seconds))
        value = json.dumps({"t": "session", **asdict(session)})
        await self._namespace.put(records.session_key(digests.digest(session_id)), value, ttl)

    async def end(self, session_id: str | None) -> None:
        """The mark comes first and outlives the session: a reader elsewhere may write back what it read before."""
        if session_id is None:
            return
        digest = digests.digest(session_id)
        key, ttl = records.ended_session_key(digest), self._settings.session_absolute_seconds
        if self._atomic is not None:
            await self._atomic.put_if_absent(key, "1", min(ttl, _MAX_ATOMIC_TTL_SECONDS))
        await self._namespace.put(key, "1", max(MIN_TTL_SECONDS, ttl))
        await self._namespace.delete(records.session_key(digest))

    async def _is_ended(self, digest: str) -> bool:
        key = records.ended_session_key(digest)
        if await self._namespace.get(key) is not None:
            return True
        return self._atomic is not None and await self._atomic.get(key) is not None

    async def consent(self, user_id: str, client_id: str, *, epoch: str) -> Consent:
        """An empty one if there is none of this epoch."""
        text = await self._namespace.get(records.consent_key(user_id, client_id))
        consent = _parse_consent(text, user_id, client_id)
        return consent if consent.epoch == epoch else Consent(user_id, client_id, epoch=epoch)

    async def remember(self, consent: Consent, *, now: int) -> None:
        value = json.dumps({"t": "consent", **asdict(replace(consent, given_at=now))})
        key = records.consent_key(consent.user_id, consent.client_id)
        await self._namespace.put(key, value, CONSENT_SECONDS)


def _parse_document(text: str | None, kind: str) -> dict[str, object]:
    """An entry of this kind; empty if there is none, or if it was not written here."""
    if text is None:
        return {}
    try:
        document = json.loads(text)
        if isinstance(document, dict) and document.pop("t", None) == kind:
            return document
    except (ValueError, RecursionError):
        pass
    _log.error("ALARM: an entry in TOKENS is not a record of kind %r", kind)
    return {}


def _parse_session(text: str | None) -> LoginSession | None:
    match _parse_document(text, "session"):
        case {
            "user_id": str(user_id),
            "created_at": int(created_at),
            "seen_at": int(seen_at),
            "auth_time": int(auth_time),
            "login_for": str(login_for),
            "account_for": str(account_for),
            "epoch": str(epoch),
        }:
            return LoginSession(user_id, created_at, seen_at, auth_time, login_for, account_for, epoch)
        case _:
            return None


def _parse_consent(text: str | None, user_id: str, client_id: str) -> Consent:
    match _parse_document(text, "consent"):
        case {
            "user_id": str(user),
            "client_id": str(client),
            "scope": list(scope),
            "resource": list(resource),
            "given_at": int(given_at),
            "epoch": str(epoch),
        }:
            texts = all(isinstance(item, str) for item in (*scope, *resource))
            if (user, client) == (user_id, client_id) and texts:
                return Consent(user_id, client_id, tuple(scope), tuple(resource), given_at, epoch)
        case _:
            pass
    return Consent(user_id, client_id)
