"""Refresh tokens: their text, and the next state of a family. Pure but for randomness.

A refresh token is "grant.secret": 256 random bits and an authentication code of them, made with the family's seal. The
code distinguishes a token that was replaced, however long ago, from an invented one: only the former is reuse.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import replace
from typing import Final

from issuer import digests
from issuer.records import Family, GrantEntry

REVOKED: Final = "revoked"

_RANDOM_BYTES: Final = 32
_CODE_BYTES: Final = 16
_TOKEN: Final = re.compile(r"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{64})")


def new_grant_id() -> str:
    """128 random bits; the auth worker makes one for each code."""
    return digests.encoded(secrets.token_bytes(16))


def new_seal() -> str:
    return digests.encoded(secrets.token_bytes(32))


def new_token(grant_id: str, seal: str) -> str:
    random = secrets.token_bytes(_RANDOM_BYTES)
    return f"{grant_id}.{digests.encoded(random + _code(seal, random))}"


def grant_of(token: str) -> str | None:
    """The grant that a refresh token names; None for text that is not a refresh token."""
    match = _TOKEN.fullmatch(token)
    return None if match is None else match[1]


def was_issued(token: str, family: Family) -> bool:
    """Whether the token was ever issued for this family."""
    match = _TOKEN.fullmatch(token)
    if match is None or match[1] != family.grant_id:
        return False
    try:
        content = base64.urlsafe_b64decode(match[2])
    except binascii.Error:
        return False
    return hmac.compare_digest(_code(family.seal, content[:_RANDOM_BYTES]), content[_RANDOM_BYTES:])


def is_current(token: str, family: Family) -> bool:
    return hmac.compare_digest(digests.digest(token), family.current)


def is_lost(token: str, family: Family, *, now: int, grace_seconds: int) -> bool:
    """Whether the client may have missed the response to this token's use, and tries again."""
    previous = family.previous
    return (
        previous is not None
        and now < family.rotated_at + grace_seconds
        and hmac.compare_digest(digests.digest(token), previous)
    )


def rotate(family: Family, used: str, token: str, *, now: int, idle_seconds: int) -> Family:
    """The family after `token` replaced `used`. A second try does not prolong the grace period."""
    first = is_current(used, family)
    return replace(
        family,
        current=digests.digest(token),
        previous=digests.digest(used),
        rotated_at=now if first else family.rotated_at,
        expires_at=min(now + idle_seconds, family.absolute_expires_at),
    )


def state_of(family: Family) -> str:
    """The entry in ATOMIC: what decides about the next use."""
    return f"{family.current} {family.previous or '-'} {family.rotated_at}"


def with_state(family: Family, state: str | None) -> Family | None:
    """The family with its state in ATOMIC; None if it was revoked there or is unknown."""
    parts = (state or "").split(" ")
    if len(parts) != 3 or not parts[2].isdecimal():
        return None
    return replace(family, current=parts[0], previous=None if parts[1] == "-" else parts[1], rotated_at=int(parts[2]))


def grant_of_family(family: Family) -> GrantEntry:
    """The entry that lists it."""
    return GrantEntry(
        grant_id=family.grant_id,
        client_id=family.client_id,
        user_id=family.user_id,
        scope=family.scope,
        created=family.created,
        expires_at=family.expires_at,
        session=family.session,
    )


def _code(seal: str, random: bytes) -> bytes:
    return hmac.digest(seal.encode("ascii"), random, hashlib.sha256)[:_CODE_BYTES]
