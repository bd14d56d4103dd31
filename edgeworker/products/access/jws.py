"""JSON Web Tokens as Access signs and reads them: compact, RS256, `kid` always. Pure.

Written for one algorithm and one form, because a general reader accepts what no token of ours has: padding, members
that come twice, numbers as text, another `alg`. Sources: RFC 7515, RFC 7519, RFC 8725.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from edgeworker.config import JSON
from edgeworker.strict_json import InvalidJSON, loads

MAX_TOKEN_BYTES: Final = 16_384
_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]{2,})\.([A-Za-z0-9_-]{2,})\.([A-Za-z0-9_-]{300,700})")
_MAX_EXPIRY: Final = 2**40


class InvalidToken(ValueError):
    """Why a token is not one. The text is for a person and holds no part of the token."""


@dataclass(frozen=True, slots=True)
class SignedToken:
    """What a token says, before anyone looked at its signature."""

    kid: str
    claims: Mapping[str, JSON]
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def sign(claims: Mapping[str, JSON], key: rsa.RSAPrivateKey, kid: str) -> str:
    signed = f"{_encode_segment({'alg': 'RS256', 'kid': kid, 'typ': 'JWT'})}.{_encode_segment(claims)}"
    signature = key.sign(signed.encode(), padding.PKCS1v15(), SHA256())
    return f"{signed}.{encode_base64url(signature)}"


def parse(text: str) -> SignedToken:
    """Raises InvalidToken for everything but the one form of our own tokens."""
    if len(text) > MAX_TOKEN_BYTES:
        raise InvalidToken(f"the token is longer than {MAX_TOKEN_BYTES} bytes")
    match = _COMPACT.fullmatch(text)
    if match is None:
        raise InvalidToken("the token is not three base64url segments")
    header = _parse_object(_decode_base64url(match[1]), "header")
    claims = _parse_object(_decode_base64url(match[2]), "payload")
    if header.get("alg") != "RS256":
        raise InvalidToken("the token's alg is not RS256")
    if header.get("typ", "JWT") != "JWT":
        raise InvalidToken("the token's typ is not JWT")
    if not header.keys() <= {"alg", "kid", "typ"}:
        raise InvalidToken("the token's header has a member that Access does not write")
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise InvalidToken("the token's header has no kid")
    return SignedToken(kid, claims, f"{match[1]}.{match[2]}".encode(), _decode_base64url(match[3]))


def verify(token: SignedToken, key: rsa.RSAPublicKey) -> None:
    """Raises InvalidToken."""
    try:
        key.verify(token.signature, token.signed, padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        raise InvalidToken("the token's signature is wrong") from None


def moment(claims: Mapping[str, JSON], name: str) -> int:
    """A required claim that is a time in whole seconds. Raises InvalidToken."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_EXPIRY:
        raise InvalidToken(f"the token's {name} is not a time in seconds")
    return value


def text(claims: Mapping[str, JSON], name: str) -> str:
    """A claim that is text; "" where it is missing. Raises InvalidToken."""
    value = claims.get(name, "")
    if not isinstance(value, str):
        raise InvalidToken(f"the token's {name} is not a text")
    return value


def audiences(claims: Mapping[str, JSON]) -> tuple[str, ...]:
    match claims.get("aud"):
        case str(one):
            return (one,)
        case list(several):
            return tuple(item for item in several if isinstance(item, str))
        case _:
            return ()


def encode_base64url(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _encode_segment(value: Mapping[str, JSON]) -> str:
    return encode_base64url(json.dumps(dict(value), separators=(",", ":")).encode())


def _decode_base64url(segment: str) -> bytes:
    try:
        data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError):
        raise InvalidToken("a segment of the token is not base64url") from None
    if encode_base64url(data) != segment:  # bits beyond the last byte: two texts for one token
        raise InvalidToken("a segment of the token is not base64url in its one form")
    return data


def _parse_object(data: bytes, name: str) -> dict[str, JSON]:
    try:
        value = loads(data, unique_names=True)
    except InvalidJSON:
        raise InvalidToken(f"the token's {name} is not a JSON object") from None
    if not isinstance(value, dict):
        raise InvalidToken(f"the token's {name} is not a JSON object")
    return value
