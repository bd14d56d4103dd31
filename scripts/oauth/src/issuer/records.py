"""The records in CODES and TOKENS and their keys. Pure.

A record is JSON with its kind as the member `t`, so that no record is mistaken for one of another kind. Times are epoch
seconds. Codes, tokens and session ids appear only as digests. `epoch` is explained in `end_marks`.
"""

import json
import logging
from dataclasses import asdict, dataclass, field
from typing import Final, TypeVar, get_type_hints

from issuer import digests

_log = logging.getLogger("oauth")

# No record of ours is nearly as long.
MAX_LENGTH: Final = 65_536

# Of the keys in TOKENS under which access tokens are.
ACCESS_PREFIX: Final = "a:"


@dataclass(frozen=True, slots=True)
class Code:
    """What an authorization code stands for.

    `redirect_uri_sent`: the authorization request named the redirect URI, so the token request must repeat it.
    `session` is the digest of the id of the session in which the user consented. A used code is kept and marked, so
    that a second use is noticed.
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
    epoch: str = ""
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
    epoch: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """One grant with a refresh token, and everything that a later refresh needs.

    `seal` is a key: every refresh token of this grant has an authentication code made with it, which distinguishes a
    token replaced long ago from an invented one. With the seal one can end this grant, nothing else. `current` and
    `previous` are digests of refresh tokens; if the ATOMIC binding exists, its entry takes precedence. `redirect_uri`
    is the one that the grant's code was sent to.
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
    epoch: str = ""
    redirect_uri: str | None = None


@dataclass(frozen=True, slots=True)
class GrantEntry:
    """The entry that lists a grant among those of its user."""

    grant_id: str
    client_id: str
    user_id: str
    scope: tuple[str, ...]
    created: int
    expires_at: int
    session: str | None = None


Record = Code | AccessToken | Family | GrantEntry
R = TypeVar("R", Code, AccessToken, Family, GrantEntry)

_KINDS: Final[dict[type[Record], str]] = {Code: "code", AccessToken: "access", Family: "family", GrantEntry: "grant"}


def dump(record: Record) -> str:
    return json.dumps({"t": _KINDS[type(record)], **asdict(record)}, separators=(",", ":"))


def load(kind: type[R], text: str) -> R | None:
    """The record, or None (and an alarm in the log) for text that `dump` did not write as this kind."""
    try:
        return _parse(kind, text)
    except (ValueError, RecursionError) as error:
        # The content may be anything, so it is not logged.
        _log.error("ALARM: an entry is not a record of kind %r: %s", _KINDS[kind], error)
        return None


def _parse(kind: type[R], text: str) -> R:
    if len(text) > MAX_LENGTH:
        raise ValueError(f"it is longer than {MAX_LENGTH} characters")
    document = json.loads(text)
    if not isinstance(document, dict) or document.pop("t", None) != _KINDS[kind]:
        raise ValueError("it is of another kind")
    known = get_type_hints(kind)
    if unknown := sorted(set(document) - set(known)):
        raise ValueError(f"it has unknown members: {', '.join(unknown)[:100]}")
    values: dict[str, object] = {name: _value(name, value, known[name]) for name, value in document.items()}
    try:
        return kind(**values)  # type: ignore[arg-type]  # `_value` checked each against its field
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
    elif type(value) is kind:  # bool is a subclass of int
        return value
    raise ValueError(f"its {name} is of the wrong type")


def code_key(code: str) -> str:
    """In CODES."""
    return "c:" + digests.digest(code)


def access_key(token: str) -> str:
    """In TOKENS, like all keys below; `token` is the text that the client received."""
    return ACCESS_PREFIX + digests.digest(token)


def family_key(grant_id: str) -> str:
    return "r:" + grant_id


def revoked_key(grant_id: str) -> str:
    """While this entry exists, nothing of the grant is valid. A separate entry, so that no late writer undoes it."""
    return "x:" + grant_id


def grant_key(user_id: str, grant_id: str) -> str:
    return f"g:{user_id}:{grant_id}"


def member_key(grant_id: str, token: str) -> str:
    """Lists a grant's access tokens: what follows `members_prefix` is the token's digest."""
    return members_prefix(grant_id) + digests.digest(token)


def members_prefix(grant_id: str) -> str:
    return f"m:{grant_id}:"


def session_key(session_digest: str) -> str:
    return "s:" + session_digest


def ended_session_key(session_digest: str) -> str:
    """While this entry exists, the session is over, also if a stale reader writes it back."""
    return "session-end:" + session_digest


def consent_key(user_id: str, client_id: str) -> str:
    return "consent:" + digests.digest_of_parts(user_id, client_id)
