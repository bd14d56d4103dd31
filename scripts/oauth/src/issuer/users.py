"""Users as KV keeps them: their records, and the keys under which these lie. Pure.

A record lies under the hash of the e-mail address, so that a listing of keys names nobody; a second entry leads from
the user's id to that key. The id is `sub` in every token: it never changes, and no client's id looks like it.
"""

import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from issuer import hashes, passwords

TAG: Final = "user"
ID_PREFIX: Final = "u_"
MAX_NAME: Final = 200

_ID: Final = re.compile(r"u_[A-Za-z0-9_-]{22}")
_MAX_CLAIMS: Final = 50

# Claims that the issuer itself says in a token or at userinfo; a record must not say them otherwise.
RESERVED_CLAIMS: Final = frozenset(
    {
        *("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "typ", "cnf", "act", "may_act"),
        *("auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "s_hash", "sid"),
        *("client_id", "scope", "scp", "active", "token_type", "username", "events"),
        *("email", "email_verified", "name"),
    }
)

# Local part and domain as a person writes them. Control and format characters (which turn the direction of text, or
# show nothing) are in neither; the domain may be international (RFC 6531).
_LOCAL: Final = re.compile(r'[^\s@"(),:;<>\[\\\]]+')
_LABEL: Final = re.compile(r"[^\W_](?:[^\W_]|[-_])*")
_MAX_EMAIL_BYTES: Final = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets
_MAX_LOCAL_BYTES: Final = 64


class BadUser(ValueError):
    """A user that cannot be kept. Each line of the text is one fault: field, value, what would be right."""


@dataclass(frozen=True, slots=True)
class User:
    """`created` is a moment in epoch seconds; `claims` are further ones for userinfo and ID tokens, as JSON values."""

    id: str
    email: str
    password: str = field(repr=False)  # a PHC string, see `passwords`
    created: int
    email_verified: bool = False
    name: str = ""
    disabled: bool = False
    claims: Mapping[str, object] = field(default_factory=dict)


def new(email: str, password: str, *, now: int, name: str = "", email_verified: bool = False) -> User:
    """A user with a fresh id. `password` is the hash that `passwords.make` gave.

    Raises:
        BadUser: with all faults.
    """
    made = {"id": new_id(), "email": email, "password": password, "created": now, "name": name}
    return parse({"t": TAG, **made, "email_verified": email_verified})


def new_id() -> str:
    return ID_PREFIX + secrets.token_urlsafe(16)


def normal_email(text: str) -> str:
    """The one spelling of an address: NFC, no space around it, the domain without case.

    The case of what stands before the @ is the receiving server's business (RFC 5321 section 2.4), so it is kept.

    Raises:
        BadUser: it is no address.
    """
    if len(text) > 4 * _MAX_EMAIL_BYTES:
        raise BadUser(f"email: {text[:40]!r}… is longer than {_MAX_EMAIL_BYTES} bytes")
    local, at, domain = unicodedata.normalize("NFC", text.strip(" \t\r\n")).rpartition("@")
    domain = unicodedata.normalize("NFC", domain.casefold())
    email = f"{local}@{domain}"
    if (
        not at
        or not _LOCAL.fullmatch(local)
        or any(unicodedata.category(character)[0] == "C" for character in email)
        or not all(_LABEL.fullmatch(label) and len(label) < 64 for label in domain.split("."))
        or len(local.encode()) > _MAX_LOCAL_BYTES
        or len(email.encode()) > _MAX_EMAIL_BYTES
    ):
        raise BadUser(f'email: {text!r} is not an address like "ann@example.com"')
    return email


def key(email: str) -> str:
    """The key of the record in USERS. Raises BadUser for what is no address."""
    return "u:" + hashes.digest(normal_email(email))


def id_key(user_id: str) -> str:
    """The key in USERS whose value is the record's key."""
    return "i:" + user_id


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def record(user: User) -> dict[str, object]:
    """What is kept, as JSON values; `parse` reads it."""
    return {
        "t": TAG,
        "id": user.id,
        "email": user.email,
        "email_verified": user.email_verified,
        "name": user.name,
        "password": user.password,
        "created": user.created,
        "disabled": user.disabled,
        "claims": dict(user.claims),
    }


def parse(kept: Mapping[str, object]) -> User:
    """The user of a record.

    Raises:
        BadUser: with all faults. The password's hash is never quoted.
    """
    faults: list[str] = []
    if kept.get("t") != TAG:
        faults.append(f't: {kept.get("t")!r} is not "{TAG}", so this is no user')
    faults += [f"{name}: there is no such field" for name in kept if name not in _FIELDS]
    user_id, email, name = (_text(kept, field_name, faults) for field_name in ("id", "email", "name"))
    if not is_id(user_id):
        faults.append(f'id: {user_id!r} is not "{ID_PREFIX}" with 22 characters of base64url behind it')
    try:
        email = normal_email(email)
    except BadUser as error:
        faults.append(str(error))
    if len(name) > MAX_NAME or any(unicodedata.category(character) == "Cc" for character in name):
        faults.append(f"name: {name[:40]!r} is not a text of at most {MAX_NAME} characters without control characters")
    created = kept.get("created")
    if isinstance(created, bool) or not isinstance(created, int) or created < 0:
        faults.append(f"created: {created!r} is not a moment in epoch seconds")
        created = 0
    user = User(
        id=user_id,
        email=email,
        password=_hash(kept, faults),
        created=created,
        email_verified=_flag(kept, "email_verified", faults),
        name=name,
        disabled=_flag(kept, "disabled", faults),
        claims=_claims(kept, faults),
    )
    if faults:
        raise BadUser("\n".join(faults))
    return user


_FIELDS: Final = frozenset({"t", "id", "email", "email_verified", "name", "password", "created", "disabled", "claims"})


def _text(kept: Mapping[str, object], name: str, faults: list[str]) -> str:
    value = kept.get(name, "")
    if isinstance(value, str):
        return value
    faults.append(f"{name}: {value!r} is not a text")
    return ""


def _flag(kept: Mapping[str, object], name: str, faults: list[str]) -> bool:
    value = kept.get(name, False)
    if not isinstance(value, bool):
        faults.append(f"{name}: {value!r} is neither true nor false")
    return value is True


def _hash(kept: Mapping[str, object], faults: list[str]) -> str:
    value = kept.get("password")
    try:
        passwords.check_hash(value if isinstance(value, str) else "")
    except passwords.BadHash as error:
        faults.append(f"password: {error}")
        return ""
    assert isinstance(value, str)
    return value


def _claims(kept: Mapping[str, object], faults: list[str]) -> Mapping[str, object]:
    value = kept.get("claims", {})
    if not isinstance(value, Mapping) or len(value) > _MAX_CLAIMS or not all(isinstance(name, str) for name in value):
        faults.append(f"claims: this is not an object with at most {_MAX_CLAIMS} members")
        return {}
    faults += [
        f"claims: {name!r} is what the issuer says itself; choose another name"
        for name in value
        if name in RESERVED_CLAIMS
    ]
    return dict(value)
