"""Users: their records in KV, and the keys of these. Pure but for the randomness of ids.

A record's key is a digest of the e-mail address, so a list of keys reveals no address; a second entry maps the user's
id to that key. The id is `sub` in every token: it never changes, and no client's id looks like it.
"""

import json
import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from issuer import digests, passwords

TAG: Final = "user"
ID_PREFIX: Final = "u_"
MAX_NAME: Final = 200

_ID: Final = re.compile(r"u_[A-Za-z0-9_-]{22}")
_MAX_CLAIMS: Final = 50

# Claims that the issuer itself sets in tokens and at userinfo; a record must not override them.
RESERVED_CLAIMS: Final = frozenset(
    {
        *("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "typ", "cnf", "act", "may_act"),
        *("auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "s_hash", "sid"),
        *("client_id", "scope", "scp", "active", "token_type", "username", "events"),
        *("email", "email_verified", "name"),
    }
)

# Local part and domain as a person writes them; both may be international (RFC 6531). Control and format characters
# (invisible ones, and those that change the text direction) are refused in both.
_LOCAL: Final = re.compile(r'[^\s@"(),:;<>\[\\\]]+')
_MAX_EMAIL_BYTES: Final = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets
_MAX_LOCAL_BYTES: Final = 64


# Around and in what is typed with an East Asian input method.
_SPACES: Final = " \t\r\n\u3000"
_FULLWIDTH_AT: Final = "\uff20"
_IDEOGRAPHIC_STOP: Final = "\u3002"


class BadUser(ValueError):
    """Not a valid user. Each line of the text is one fault: field, value, what would be right."""


@dataclass(frozen=True, slots=True)
class User:
    """`created` is in epoch seconds; `claims` are further claims for userinfo and ID tokens, as JSON values."""

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
    """The address as it is stored and shown: NFC, without spaces around it, the domain in lower case and in Unicode.

    The case of the local part is kept, since the receiving server may distinguish it (RFC 5321 section 2.4). `account`
    says which addresses are one account.

    Raises:
        BadUser: it is not an address.
    """
    if len(text) > 4 * _MAX_EMAIL_BYTES:
        raise BadUser(f"email: {text[:40]!r}… is longer than {_MAX_EMAIL_BYTES} bytes")
    typed = unicodedata.normalize("NFC", text.strip(_SPACES))
    local, at, domain = typed.rpartition("@" if "@" in typed else _FULLWIDTH_AT)
    domain = _normal_domain(domain)
    email = f"{local}@{domain}"
    if (
        not at
        or not _LOCAL.fullmatch(local)
        or any(unicodedata.category(character)[0] == "C" for character in email)
        or not all(_is_label(label) for label in domain.split("."))
        or len(local.encode()) > _MAX_LOCAL_BYTES
        or len(email.encode()) > _MAX_EMAIL_BYTES
    ):
        raise BadUser(f'email: {text!r} is not an address like "ann@example.com"')
    return email


def _normal_domain(domain: str) -> str:
    """One form of a domain name: browsers send "xn--bcher-kva.example" for "Bücher.example" in an e-mail field."""
    folded = unicodedata.normalize("NFKC", domain).lower().replace(_IDEOGRAPHIC_STOP, ".")
    return ".".join(_decode_label(label) for label in folded.split("."))


def _decode_label(label: str) -> str:
    """The Unicode form of an A-label (RFC 5890); any other label as it is."""
    if not label.startswith("xn--") or not label.isascii():
        return label
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return label
    # Only if it encodes to the same label again: otherwise two different domains could be taken for one.
    if decoded.isascii() or unicodedata.normalize("NFKC", decoded).lower() != decoded:
        return label
    is_same = "xn--" + decoded.encode("punycode").decode("ascii") == label
    return decoded if is_same and _is_label(decoded) else label


def _is_label(label: str) -> bool:
    """Letters with their marks, digits, "-" and "_"; the first is a letter or digit. Many scripts need marks."""
    kinds = [unicodedata.category(character)[0] for character in label]
    return (
        0 < len(label) < 64
        and kinds[0] in "LN"
        and all(kind in "LMN" or character in "-_" for kind, character in zip(kinds, label, strict=True))
    )


def account(email: str) -> str:
    """What identifies the account: the address without case and without differences of Unicode forms.

    The local part is folded as RFC 8265 folds user names. Few mail servers distinguish its case, but people type it
    differently.

    Raises:
        BadUser: it is not an address.
    """
    local, _, domain = normal_email(email).rpartition("@")
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", local).lower())
    return f"{folded}@{domain}"


def key(email: str) -> str:
    """The key of the record in USERS. Raises BadUser if it is not an address."""
    return "u:" + digests.digest(account(email))


def keys(email: str) -> tuple[str, ...]:
    """`key`, then the key that earlier versions used, which distinguished the case of the local part.

    Always two, so that a search takes as long for every address. Raises BadUser.
    """
    typed = unicodedata.normalize("NFC", email.strip(" \t\r\n"))
    local, _, domain = typed.rpartition("@")
    earlier = f"{local}@{unicodedata.normalize('NFC', domain.casefold())}"
    return key(email), "u:" + digests.digest(earlier)


def id_key(user_id: str) -> str:
    """The key in USERS whose value is the record's key."""
    return "i:" + user_id


def renewed_key(user_id: str) -> str:
    """In USERS: the hash that a login made of the same password with today's costs."""
    return "hash:" + user_id


def renewed_record(user: User, renewed: str) -> str:
    return json.dumps({"t": "hash", "of": digests.digest(user.password), "hash": renewed}, separators=(",", ":"))


def renewed_hash(user: User, text: str | None) -> str:
    """The hash in a `renewed_record`; the user's own if there is none, or if the password was changed since."""
    try:
        document = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return user.password
    match document:
        case {"t": "hash", "of": str(of), "hash": str(renewed)} if of == digests.digest(user.password):
            try:
                passwords.check_hash(renewed)
            except passwords.BadHash:
                return user.password
            return renewed
    return user.password


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def record(user: User) -> dict[str, object]:
    """The record, as JSON values, of which `parse` makes this user again."""
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


def parse(stored: Mapping[str, object]) -> User:
    """The user of a record.

    Raises:
        BadUser: with all faults. The password's hash is never quoted.
    """
    faults: list[str] = []
    if stored.get("t") != TAG:
        faults.append(f't: {stored.get("t")!r} is not "{TAG}", so this is not a user')
    faults += [f"{name}: there is no such field" for name in stored if name not in _FIELDS]
    user_id, email, name = (_text(stored, field_name, faults) for field_name in ("id", "email", "name"))
    if not is_id(user_id):
        faults.append(f'id: {user_id!r} is not "{ID_PREFIX}" followed by 22 characters of base64url')
    try:
        email = normal_email(email)
    except BadUser as error:
        faults.append(str(error))
    if len(name) > MAX_NAME or any(unicodedata.category(character) == "Cc" for character in name):
        faults.append(f"name: {name[:40]!r} is not a text of at most {MAX_NAME} characters without control characters")
    created = stored.get("created")
    if isinstance(created, bool) or not isinstance(created, int) or created < 0:
        faults.append(f"created: {created!r} is not a number of epoch seconds")
        created = 0
    user = User(
        id=user_id,
        email=email,
        password=_hash(stored, faults),
        created=created,
        email_verified=_flag(stored, "email_verified", faults),
        name=name,
        disabled=_flag(stored, "disabled", faults),
        claims=_claims(stored, faults),
    )
    if faults:
        raise BadUser("\n".join(faults))
    return user


_FIELDS: Final = frozenset({"t", "id", "email", "email_verified", "name", "password", "created", "disabled", "claims"})


def _text(stored: Mapping[str, object], name: str, faults: list[str]) -> str:
    value = stored.get(name, "")
    if isinstance(value, str):
        return value
    faults.append(f"{name}: {value!r} is not a string")
    return ""


def _flag(stored: Mapping[str, object], name: str, faults: list[str]) -> bool:
    value = stored.get(name, False)
    if not isinstance(value, bool):
        faults.append(f"{name}: {value!r} is neither true nor false")
    return value is True


def _hash(stored: Mapping[str, object], faults: list[str]) -> str:
    value = stored.get("password")
    try:
        passwords.check_hash(value if isinstance(value, str) else "")
    except passwords.BadHash as error:
        faults.append(f"password: {error}")
        return ""
    assert isinstance(value, str)
    return value


def _claims(stored: Mapping[str, object], faults: list[str]) -> Mapping[str, object]:
    value = stored.get("claims", {})
    if not isinstance(value, Mapping) or len(value) > _MAX_CLAIMS or not all(isinstance(name, str) for name in value):
        faults.append(f"claims: this is not an object with at most {_MAX_CLAIMS} members")
        return {}
    faults += [
        f"claims: {name!r} is what the issuer says itself; choose another name"
        for name in value
        if name in RESERVED_CLAIMS
    ]
    return dict(value)
