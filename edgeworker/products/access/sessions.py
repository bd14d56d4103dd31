"""Who is logged in: global sessions, what they opened, and what was revoked. All of it is in the documents.

A `session` is a login at the team domain; a `grant` is one application token of it, found by the token's nonce. Both
are random and expire with what they stand for. A revocation is a document too, and part of each snapshot.
"""

import hashlib
import json
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from edgeworker.clock import Clock
from edgeworker.config import JSON
from edgeworker.products.access.config import MONTH_SECONDS, Application, Policy
from edgeworker.products.access.directory import Directory, Snapshot
from edgeworker.products.access.policy import Identity
from edgeworker.state import Conflict, Delete, Document, Put

# A token lives for a month at most, and so does what voids it.
_REVOKED_SECONDS: Final = MONTH_SECONDS + 86_400
_LETTERS: Final = string.ascii_letters + string.digits
NONCE_LENGTH: Final = 16
_MAX_EMAIL: Final = 254


@dataclass(frozen=True, slots=True)
class Session:
    """A login. `expires_at` is the end of the global session; its record may stay longer, for application tokens."""

    id: str
    identity: Identity
    expires_at: int
    user_generation: int
    population: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one application token stands for."""

    nonce: str
    session_id: str
    app_id: str
    app_generation: int
    policy_id: str
    binding_hash: str
    issued_at: int
    expires_at: int


def is_email(text: str) -> bool:
    """What goes into a header field and a log line: one "@", no spaces, nothing that a terminal or a parser reads."""
    name, at, domain = text.partition("@")
    return (
        bool(name and at and domain)
        and "@" not in domain
        and len(text) <= _MAX_EMAIL
        and text.isprintable()
        and not any(character in ' ,;"<>\\' for character in text)
    )


def new_nonce(length: int = NONCE_LENGTH) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def identity_json(identity: Identity) -> dict[str, JSON]:
    return {
        "email": identity.email,
        "user_uuid": identity.user_uuid,
        "provider_id": identity.provider_id,
        "provider_type": identity.provider_type,
        "name": identity.name,
        "groups": list(identity.groups),
        "oidc_fields": dict(identity.oidc_fields),
        "saml_attributes": dict(identity.saml_attributes),
        "custom": dict(identity.custom),
        "amr": list(identity.amr),
        "country": identity.country,
        "ip": identity.ip,
        "logged_in_at": identity.logged_in_at,
    }


def identity_of(value: Mapping[str, JSON]) -> Identity:
    return Identity(
        email=_read_text(value, "email"),
        user_uuid=_read_text(value, "user_uuid"),
        provider_id=_read_text(value, "provider_id"),
        provider_type=_read_text(value, "provider_type"),
        name=_read_text(value, "name"),
        groups=tuple(_read_list(value, "groups")),
        oidc_fields=_read_table(value, "oidc_fields"),
        saml_attributes=_read_table(value, "saml_attributes"),
        custom=_read_table(value, "custom"),
        amr=tuple(item for item in _read_list(value, "amr") if isinstance(item, str)),
        country=_read_text(value, "country"),
        ip=_read_text(value, "ip"),
        logged_in_at=_read_number(value, "logged_in_at"),
    )


def _read_text(value: Mapping[str, JSON], name: str) -> str:
    item = value.get(name)
    return item if isinstance(item, str) else ""


def _read_number(value: Mapping[str, JSON], name: str) -> int:
    item = value.get(name)
    return item if isinstance(item, int) and not isinstance(item, bool) else 0


def _read_list(value: Mapping[str, JSON], name: str) -> list[JSON]:
    item = value.get(name)
    return item if isinstance(item, list) else []


def _read_table(value: Mapping[str, JSON], name: str) -> dict[str, JSON]:
    item = value.get(name)
    return item if isinstance(item, dict) else {}


def email_key(email: str, population: str) -> str:
    """The id of a user's document."""
    return hashlib.sha256(json.dumps([population, email]).encode()).hexdigest()


class Sessions:
    """Reads and writes sessions, grants, users and revocations."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._documents = directory.documents
        self._clock = clock

    async def user_uuid(self, email: str, population: str = "") -> str:
        """The user with this address, made at the first login; each population has its own."""
        key = email_key(email, population)
        for _ in range(3):
            known = await self._documents.get("user", key)
            if known is not None:
                return _read_text(known.value, "uuid")
            uuid, now = _new_uuid(), self._clock.now()
            made: dict[str, JSON] = {"uuid": uuid, "email": email, "population": population, "created_at": now}
            try:
                await self._documents.put("user", key, made, if_revision=0)
            except Conflict:
                continue
            return uuid
        return _new_uuid()

    async def begin(self, identity: Identity, snapshot: Snapshot, population: str = "") -> Session:
        """A new global session. It has a new id in any case: one that a browser brought along is never taken over."""
        now = self._clock.now()
        session = Session(
            new_nonce(),
            identity,
            now + snapshot.organization.session_seconds,
            snapshot.revocations.user_generation(identity.user_uuid),
            population,
        )
        key = email_key(identity.email, population)
        known = await self._documents.get("user", key)
        seen: dict[str, JSON] = {
            "created_at": now if known is None else _read_number(known.value, "created_at"),
            "uuid": identity.user_uuid,
            "email": identity.email,
            "name": identity.name,
            "population": population,
            "last_login": now,
            "last_session": session.id,
            "last_identity": identity_json(identity),
        }
        await self._documents.write(
            [
                self._put_session(session, session.expires_at),
                Put("user", key, seen),
            ]
        )
        return session

    def _put_session(self, session: Session, kept_until: int) -> Put:
        value: dict[str, JSON] = {
            "identity": identity_json(session.identity),
            "expires_at": session.expires_at,
            "user_generation": session.user_generation,
            "population": session.population,
        }
        return Put("session", session.id, value, expires_at=kept_until)

    async def find(self, session_id: str, snapshot: Snapshot) -> Session | None:
        """A session that was not revoked. It may have ended for the team domain: look at `expires_at`."""
        if not session_id or session_id in snapshot.revocations.sessions:
            return None
        document = await self._documents.get("session", session_id)
        if document is None:
            return None
        session = _parse_session(document)
        if session.user_generation < snapshot.revocations.user_generation(session.identity.user_uuid):
            return None
        return session

    async def find_stored(self, session_id: str) -> Session | None:
        """A session's record, whether or not it was revoked: for a token that was verified already."""
        document = await self._documents.get("session", session_id)
        return None if document is None else _parse_session(document)

    async def keep_until(self, session: Session, moment: int) -> None:
        """The record of a login is needed as long as anything that it opened."""
        known = await self._documents.get("session", session.id)
        if known is not None and (known.expires_at or 0) < moment:
            await self._documents.write([self._put_session(session, moment)])

    async def open_application(
        self,
        session: Session,
        application: Application,
        policy: Policy,
        snapshot: Snapshot,
        *,
        seconds: int,
        binding: str = "",
    ) -> Grant:
        """Store a grant for an application token, with the nonce that the token has."""
        now = self._clock.now()
        grant = Grant(
            new_nonce() if not application.legacy_claims else secrets.token_hex(32),
            session.id,
            application.id,
            snapshot.revocations.app_generation(application.id),
            policy.id,
            hashlib.sha256(binding.encode()).hexdigest() if binding else "",
            now,
            now + seconds,
        )
        await self._documents.put("grant", grant.nonce, _grant_json(grant), expires_at=grant.expires_at)
        await self.keep_until(session, grant.expires_at)
        return grant

    async def find_grant(self, nonce: str) -> Grant | None:
        document = await self._documents.get("grant", nonce) if nonce else None
        if document is None:
            return None
        value = document.value
        return Grant(
            nonce,
            _read_text(value, "session"),
            _read_text(value, "app"),
            _read_number(value, "app_generation"),
            _read_text(value, "policy"),
            _read_text(value, "binding"),
            _read_number(value, "issued_at"),
            document.expires_at or 0,
        )

    async def find_granted(
        self, nonce: str, application: Application, snapshot: Snapshot
    ) -> tuple[Grant, Session] | None:
        """What an application token's nonce stands for, where neither it nor its login was revoked."""
        grant = await self.find_grant(nonce)
        if grant is None or grant.app_id != application.id:
            return None
        if grant.app_generation < snapshot.revocations.app_generation(application.id):
            return None
        session = await self.find(grant.session_id, snapshot)
        return None if session is None else (grant, session)

    async def end(self, session_id: str) -> None:
        """Logs out: nothing that the session opened counts any more, from the next request on in every process."""
        ends_at = self._clock.now() + _REVOKED_SECONDS
        await self._directory.commit(
            [Put("revocation", f"session:{session_id}", {}, expires_at=ends_at), Delete("session", session_id)]
        )

    async def refresh(self, session: Session, fresh: Identity, now: int) -> None:
        """The login goes on with what its provider says today; every process sees it with the next request."""
        old = session.identity
        identity = replace(
            fresh, user_uuid=old.user_uuid, ip=old.ip, country=fresh.country or old.country, logged_in_at=now
        )
        known = await self._documents.get("session", session.id)
        if known is not None:
            renewed = replace(session, identity=identity)
            await self._directory.commit([self._put_session(renewed, known.expires_at or session.expires_at)])

    async def revoke_user(self, user_uuid: str) -> None:
        await self._raise_generation(f"user:{user_uuid}")

    async def revoke_application(self, app_id: str) -> None:
        await self._raise_generation(f"app:{app_id}")

    async def _raise_generation(self, identifier: str) -> None:
        while True:  # who is in the way has revoked, too
            known = await self._documents.get("revocation", identifier)
            generation = 0 if known is None else _read_number(known.value, "generation")
            value: dict[str, JSON] = {"generation": generation + 1, "moment": self._clock.now()}
            put = Put(
                "revocation",
                identifier,
                value,
                if_revision=0 if known is None else known.revision,
                expires_at=self._clock.now() + _REVOKED_SECONDS,
            )
            try:
                await self._directory.commit([put])
            except Conflict:
                continue
            return


def _parse_session(document: Document) -> Session:
    value = document.value
    return Session(
        document.id,
        identity_of(_read_table(value, "identity")),
        _read_number(value, "expires_at"),
        _read_number(value, "user_generation"),
        _read_text(value, "population"),
    )


def _grant_json(grant: Grant) -> dict[str, JSON]:
    return {
        "session": grant.session_id,
        "app": grant.app_id,
        "app_generation": grant.app_generation,
        "policy": grant.policy_id,
        "binding": grant.binding_hash,
        "issued_at": grant.issued_at,
    }


def _new_uuid() -> str:
    text = secrets.token_hex(16)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
