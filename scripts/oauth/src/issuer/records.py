"""What lies in CODES and TOKENS: its form, and under which key. Pure.

A record is JSON with its kind as the member `t`, so that nothing read under a wrong key is taken for something else.
Moments are epoch seconds. Codes, tokens and session ids appear as their digests only.
"""

import json
import logging
from dataclasses import asdict, dataclass, field, fields
from typing import Final, TypeVar

from issuer import hashes

_log = logging.getLogger("oauth")

# Nothing that is written here comes near to this; what is longer was not written here.
MAX_LENGTH: Final = 65_536


@dataclass(frozen=True, slots=True)
class Code:
    """What an authorization code stands for.

    `redirect_uri_sent`: whether the authorization request named it, so that the token request must repeat it. `session`
    is the digest of the session id that the user consented in. A code that was used stays, marked, so that its second
    use is seen.
    """

    client_id: str
    user_id: str
    grant_id: str
    redirect_uri: str
    redirect_uri_sent: bool
    scope: tuple[str, ...]
    expires_at: int
    auth_time: int
    nonce: str | None = None
    code_challenge: str | None = None
    resource: tuple[str, ...] = ()
    acr: str | None = None
    amr: tuple[str, ...] = ()
    session: str | None = None
    used: bool = False


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An issued access token, under the digest of the text that the client received.

    `sub` is the user's id, or the client's where no user is involved. `format` is "split", "jwt" or "opaque";
    `publish_key` is the key of the part in SPLIT.
    """

    client_id: str
    sub: str
    scope: tuple[str, ...]
    audience: tuple[str, ...]
    format: str
    jti: str
    issued_at: int
    expires_at: int
    user_id: str | None = None
    grant_id: str | None = None
    publish_key: str | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """One grant with a refresh token, and everything that a later refresh needs.

    `seal` is a key: every refresh token of this grant carries a code made with it, so that one that was replaced long
    ago is told from an invented one. Whoever reads it here can end this grant and nothing else. `current` and
    `previous` are digests of refresh tokens; where the ATOMIC binding exists, its entry decides instead of them.
    """

    grant_id: str
    client_id: str
    user_id: str
    scope: tuple[str, ...]
    resource: tuple[str, ...]
    seal: str = field(repr=False)
    current: str
    created: int
    rotated_at: int
    auth_time: int
    expires_at: int
    absolute_expires_at: int
    previous: str | None = None
    nonce: str | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    session: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """The entry that lists a user's grants."""

    grant_id: str
    client_id: str
    user_id: str
    scope: tuple[str, ...]
    created: int
    expires_at: int
    session: str | None = None


Record = Code | AccessToken | Family | Grant
R = TypeVar("R", Code, AccessToken, Family, Grant)

_KINDS: Final[dict[type[Record], str]] = {Code: "code", AccessToken: "access", Family: "family", Grant: "grant"}


def dump(record: Record) -> str:
    return json.dumps({"t": _KINDS[type(record)], **asdict(record)}, separators=(",", ":"))


def load(kind: type[R], text: str) -> R | None:
    """The record, or None for what was not written by `dump` as this kind; the log has an alarm then."""
    try:
        return _parsed(kind, text)
    except (ValueError, RecursionError) as error:
        # The content stays out of the log: it may be anything.
        _log.error("ALARM: an entry is no record of kind %r: %s", _KINDS[kind], error)
        return None


def _parsed(kind: type[R], text: str) -> R:
    if len(text) > MAX_LENGTH:
        raise ValueError(f"it is longer than {MAX_LENGTH} characters")
    document = json.loads(text)
    if not isinstance(document, dict) or document.pop("t", None) != _KINDS[kind]:
        raise ValueError("it is of another kind")
    known = {member.name: member.type for member in fields(kind)}
    if unknown := sorted(set(document) - set(known)):
        raise ValueError(f"it has unknown members: {', '.join(unknown)[:100]}")
    values = {name: _value(name, value, known[name]) for name, value in document.items()}
    try:
        return kind(**values)
    except TypeError:
        raise ValueError("it lacks members") from None


def _value(name: str, value: object, kind: object) -> object:
    """`kind` is a field's annotation."""
    if kind == tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
    elif value is None:
        if kind in (str | None, int | None):
            return None
    elif kind in (str, str | None):
        if isinstance(value, str):
            return value
    elif type(value) is kind:  # True is an int, and is none here
        return value
    raise ValueError(f"its {name} is of the wrong type")


def code_key(code: str) -> str:
    """In CODES."""
    return "c:" + hashes.digest(code)


def access_key(token: str) -> str:
    """In TOKENS, as are all keys below; `token` is the text that the client received."""
    return "a:" + hashes.digest(token)


def family_key(grant_id: str) -> str:
    return "r:" + grant_id


def revoked_key(grant_id: str) -> str:
    """While this entry exists nothing of the grant is valid. An own entry, so that no late writer undoes it."""
    return "x:" + grant_id


def grant_key(user_id: str, grant_id: str) -> str:
    return f"g:{user_id}:{grant_id}"


def member_key(grant_id: str, token: str) -> str:
    """Lists a grant's access tokens: everything after the prefix of `members_prefix` is the token's digest."""
    return members_prefix(grant_id) + hashes.digest(token)


def members_prefix(grant_id: str) -> str:
    return f"m:{grant_id}:"


def session_key(session_id: str) -> str:
    return "s:" + hashes.digest(session_id)


def consent_key(user_id: str, client_id: str) -> str:
    return "consent:" + hashes.joined(user_id, client_id)
