"""Sessions of logged-in users, and what they consented to; both lie in TOKENS.

A session's id is 256 random bits in a cookie. KV has its hash only, so who reads KV logs in as nobody.
"""

import json
import logging
from dataclasses import asdict, dataclass, replace
from typing import Final, Protocol

from issuer import cookies, hashes, records
from issuer.settings import Settings

_log = logging.getLogger("oauth")

# KV takes one write a second of a key, and a session is read far more often than its use needs to be noted.
NOTED_EVERY_SECONDS: Final = 60
MIN_TTL_SECONDS: Final = 60  # of KV

CONSENT_SECONDS: Final = 31_536_000


class Namespace(Protocol):
    """What is used of a KV binding."""

    async def get(self, key: str) -> str | None: ...
    async def put(self, key: str, value: str, *, expirationTtl: int) -> object: ...
    async def delete(self, key: str) -> object: ...


@dataclass(frozen=True, slots=True)
class Session:
    """Moments are epoch seconds. `auth_time` is when the password was given.

    `login_for` and `account_for` are digests of the authorization request for which the user logged in, or chose the
    account, in this session: a request with prompt=login is content with that, once.
    """

    user_id: str
    created_at: int
    seen_at: int
    auth_time: int
    login_for: str = ""
    account_for: str = ""

    def is_over(self, settings: Settings, now: int) -> bool:
        idle, absolute = settings.session_idle_seconds, settings.session_absolute_seconds
        return now >= min(self.seen_at + idle, self.created_at + absolute)


@dataclass(frozen=True, slots=True)
class Consent:
    """What a user allowed a client; `given_at` is when that was, in epoch seconds."""

    user_id: str
    client_id: str
    scope: tuple[str, ...] = ()
    resource: tuple[str, ...] = ()
    given_at: int = 0

    def covers(self, scope: tuple[str, ...], resource: tuple[str, ...]) -> bool:
        return set(scope) <= set(self.scope) and set(resource) <= set(self.resource)

    def with_more(self, scope: tuple[str, ...], resource: tuple[str, ...]) -> "Consent":
        return replace(
            self,
            scope=tuple(dict.fromkeys((*self.scope, *scope))),
            resource=tuple(dict.fromkeys((*self.resource, *resource))),
        )


class Sessions:
    """Reads and writes them. What the namespace raises is raised."""

    def __init__(self, namespace: Namespace, settings: Settings) -> None:
        self._namespace = namespace
        self._settings = settings

    async def find(self, session_id: str | None, *, now: int) -> Session | None:
        """The session of a cookie's value, noted as used; None where it is none, or over."""
        if session_id is None:
            return None
        session = _session(await self._namespace.get(records.session_key(session_id)))
        if session is None or session.is_over(self._settings, now):
            return None
        if now >= session.seen_at + min(NOTED_EVERY_SECONDS, self._settings.session_idle_seconds // 4):
            session = replace(session, seen_at=now)
            await self.keep(session_id, session, now=now)
        return session

    async def start(self, user_id: str, *, login_for: str, now: int) -> tuple[str, Session]:
        """(a new session's id, the session)."""
        session_id = cookies.new_secret()
        session = Session(user_id, now, now, now, login_for=login_for, account_for=login_for)
        await self.keep(session_id, session, now=now)
        return session_id, session

    async def keep(self, session_id: str, session: Session, *, now: int) -> None:
        rest = session.created_at + self._settings.session_absolute_seconds - now
        ttl = max(MIN_TTL_SECONDS, min(rest, self._settings.session_idle_seconds))
        value = json.dumps({"t": "session", **asdict(session)})
        await self._namespace.put(records.session_key(session_id), value, expirationTtl=ttl)

    def digest(self, session_id: str) -> str:
        """What stands for the session in a code and in a grant."""
        return hashes.digest(session_id)

    async def end(self, session_id: str | None) -> None:
        if session_id is not None:
            await self._namespace.delete(records.session_key(session_id))

    async def consent(self, user_id: str, client_id: str) -> Consent:
        """An empty one where there is none."""
        text = await self._namespace.get(records.consent_key(user_id, client_id))
        consent = _consent(text, user_id, client_id)
        ended = await self._namespace.get(_end_key(user_id)) if consent.given_at else None
        if ended is not None and not (ended.isdecimal() and consent.given_at > int(ended)):
            return Consent(user_id, client_id)
        return consent

    async def forget_consents(self, user_id: str, *, now: int) -> None:
        """Every client has to ask again. Consents lie under hashes, so none is looked for: all until now are void."""
        await self._namespace.put(_end_key(user_id), str(now), expirationTtl=CONSENT_SECONDS)

    async def remember(self, consent: Consent, *, now: int) -> None:
        value = json.dumps({"t": "consent", **asdict(replace(consent, given_at=now))})
        key = records.consent_key(consent.user_id, consent.client_id)
        await self._namespace.put(key, value, expirationTtl=CONSENT_SECONDS)


def _end_key(user_id: str) -> str:
    return "consents-end:" + user_id


def _document(text: str | None, kind: str) -> dict[str, object]:
    """An entry of this kind; empty for none, and for what was not written here."""
    if text is None:
        return {}
    try:
        document = json.loads(text)
        if isinstance(document, dict) and document.pop("t", None) == kind:
            return document
    except (ValueError, RecursionError):
        pass
    _log.error("ALARM: an entry in TOKENS is no record of kind %r", kind)
    return {}


def _session(text: str | None) -> Session | None:
    match _document(text, "session"):
        case {
            "user_id": str(user_id),
            "created_at": int(created_at),
            "seen_at": int(seen_at),
            "auth_time": int(auth_time),
            "login_for": str(login_for),
            "account_for": str(account_for),
        }:
            return Session(user_id, created_at, seen_at, auth_time, login_for, account_for)
    return None


def _consent(text: str | None, user_id: str, client_id: str) -> Consent:
    match _document(text, "consent"):
        case {
            "user_id": str(user),
            "client_id": str(client),
            "scope": list(scope),
            "resource": list(resource),
            "given_at": int(given_at),
        }:
            texts = all(isinstance(item, str) for item in (*scope, *resource))
            if (user, client) == (user_id, client_id) and texts:
                return Consent(user_id, client_id, tuple(scope), tuple(resource), given_at)
    return Consent(user_id, client_id)
