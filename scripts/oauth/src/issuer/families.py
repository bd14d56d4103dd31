"""Refresh tokens: their text, and what a family's next state is. Pure.

A refresh token is "grant.secret": 256 random bits and a code over them that is made with the family's seal. By the code
a token that was replaced, however long ago, is told from an invented one: only the former is reuse.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import replace
from typing import Final

from issuer import hashes
from issuer.records import Family

REVOKED: Final = "revoked"

_RANDOM_BYTES: Final = 32
_CODE_BYTES: Final = 16
_TOKEN: Final = re.compile(r"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{64})")


def new_grant_id() -> str:
    """128 random bits. The auth worker makes one with each code."""
    return hashes.encoded(secrets.token_bytes(16))


def new_seal() -> str:
    return hashes.encoded(secrets.token_bytes(32))


def new_token(grant_id: str, seal: str) -> str:
    random = secrets.token_bytes(_RANDOM_BYTES)
    return f"{grant_id}.{hashes.encoded(random + _code(seal, random))}"


def grant_of(token: str) -> str | None:
    """The grant that a refresh token names, or None for what is no refresh token."""
    match = _TOKEN.fullmatch(token)
    return None if match is None else match[1]


def was_issued(token: str, family: Family) -> bool:
    """Whether the token was made for this family, now or ever."""
    match = _TOKEN.fullmatch(token)
    if match is None or match[1] != family.grant_id:
        return False
    try:
        content = base64.urlsafe_b64decode(match[2])
    except binascii.Error:
        return False
    return hmac.compare_digest(_code(family.seal, content[:_RANDOM_BYTES]), content[_RANDOM_BYTES:])


def is_current(token: str, family: Family) -> bool:
    return hmac.compare_digest(hashes.digest(token), family.current)


def is_lost(token: str, family: Family, *, now: int, grace_seconds: int) -> bool:
    """Whether the client may not have received the answer to this token's use, and asks again."""
    previous = family.previous
    return (
        previous is not None
        and now < family.rotated_at + grace_seconds
        and hmac.compare_digest(hashes.digest(token), previous)
    )


def rotated(family: Family, used: str, token: str, *, now: int, idle_seconds: int) -> Family:
    """The family after `used` was replaced by `token`. The time of grace is not prolonged by asking again."""
    first = is_current(used, family)
    return replace(
        family,
        current=hashes.digest(token),
        previous=hashes.digest(used),
        rotated_at=now if first else family.rotated_at,
        expires_at=min(now + idle_seconds, family.absolute_expires_at),
    )


def state_of(family: Family) -> str:
    """What ATOMIC keeps: exactly what decides about the next use."""
    return f"{family.current} {family.previous or '-'} {family.rotated_at}"


def with_state(family: Family, state: str | None) -> Family | None:
    """The family with what ATOMIC says of it; None where it was revoked or is unknown there."""
    parts = (state or "").split(" ")
    if len(parts) != 3 or not parts[2].isdecimal():
        return None
    return replace(family, current=parts[0], previous=None if parts[1] == "-" else parts[1], rotated_at=int(parts[2]))


def _code(seal: str, random: bytes) -> bytes:
    return hmac.digest(seal.encode("ascii"), random, hashlib.sha256)[:_CODE_BYTES]
