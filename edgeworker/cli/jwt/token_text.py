"""A token as text: its parts, what they decode to, what is odd about it, and which KV entry it has. Pure."""

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Final

from edgeworker import strict_json
from edgeworker.errors import ConfigError

_PART: Final = re.compile(r"[A-Za-z0-9_-]+")
_MAX_LENGTH: Final = 1_048_576

Object = dict[str, object]


@dataclass(frozen=True, slots=True)
class EntryKey:
    """How the gateway makes a KV key of a split token: its settings TOKEN_HASH, KEY_ENCODING and KEY_PREFIX."""

    hash: str = "sha256"
    encoding: str = "base64"
    prefix: str = ""

    def of(self, signature: str) -> str:
        digest = hashlib.new(self.hash, signature.encode("ascii")).digest()
        match self.encoding:
            case "hex":
                text = digest.hex()
            case "base64url":
                text = base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
            case _:
                text = base64.b64encode(digest).decode("ascii")
        return self.prefix + text


@dataclass(frozen=True, slots=True)
class Token:
    """A whole JWT, a KV value (no signature) or a split token (nothing but the signature)."""

    header: str | None = field(repr=False)
    payload: str | None = field(repr=False)
    signature: str | None = field(repr=False)

    @property
    def kind(self) -> str:
        if self.signature is None:
            return "KV value (header and payload)"
        return "split token (signature)" if self.payload is None else "whole JWT"

    @property
    def value(self) -> str | None:
        """What is published, where it is there."""
        return None if self.payload is None else f"{self.header}.{self.payload}"


@dataclass(frozen=True, slots=True)
class Decoded:
    """`odd` says in words what a careful reader would refuse."""

    header: Object
    claims: Object
    odd: tuple[str, ...]


def parse(text: str) -> Token:
    """Raises ConfigError for text of any other kind. The error does not quote the token."""
    token = text.strip()
    if token[:7].lower() == "bearer ":
        token = token[7:].strip()
    if not token:
        raise ConfigError("The token is empty: give it as an argument, as @FILE or on standard input.")
    if len(token) > _MAX_LENGTH:
        raise ConfigError(f"The token has {len(token)} characters; more than {_MAX_LENGTH} are not read.")
    parts = token.split(".")
    for number, part in enumerate(parts, 1):
        if not _PART.fullmatch(part):
            what = "is empty" if not part else "has characters that base64url does not have"
            raise ConfigError(f"Part {number} of {len(parts)} of the token {what}.")
    match parts:
        case [signature]:
            return Token(None, None, signature)
        case [header, payload]:
            return Token(header, payload, None)
        case [header, payload, signature]:
            return Token(header, payload, signature)
        case _:
            raise ConfigError(
                f"The token has {len(parts)} parts. A JWT has three, a KV value two, a split token one"
                + (" (five parts are an encrypted JWT, which cannot be split)." if len(parts) == 5 else ".")
            )


def decode(token: Token) -> Decoded:
    """Header and claims. Raises ConfigError for a part that is not a JSON object."""
    assert token.header is not None
    assert token.payload is not None
    odd: list[str] = []
    header = _object("header", token.header, odd)
    claims = _object("payload", token.payload, odd)
    for name in ("exp", "nbf", "iat"):
        value = claims.get(name)
        if name in claims and (isinstance(value, bool) or not isinstance(value, int | float)):
            odd.append(f"{name} is not a number: {json.dumps(value)}")
    if "exp" not in claims:
        odd.append("there is no exp: the gateway refuses it")
    if str(header.get("alg", "none")).lower() == "none":
        odd.append("alg is none: it is not signed")
    return Decoded(header, claims, tuple(odd))


def _object(name: str, part: str, odd: list[str]) -> Object:
    def members(pairs: list[tuple[str, object]]) -> Object:
        found = dict(pairs)
        if len(found) != len(pairs):
            seen: set[str] = set()
            for member, _ in pairs:
                if member in seen:
                    odd.append(f'{name}: "{member}" is there more than once; readers differ on which one counts')
                seen.add(member)
        return found

    try:
        content = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        strict_json.loads(content, lone_surrogates=True)  # its words for what is wrong
        decoded = json.loads(content, object_pairs_hook=members)
    except (binascii.Error, ValueError) as error:
        raise ConfigError(f"The {name} of the token is not base64url of JSON: {error}") from None
    if base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii") != part:
        odd.append(f"{name}: not canonical base64url (unused bits are set)")
    if not isinstance(decoded, dict):
        raise ConfigError(f"The {name} of the token is JSON, but not an object.")
    return decoded
