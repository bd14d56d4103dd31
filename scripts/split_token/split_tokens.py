"""Split tokens: the KV key of one, and what its KV value must be. Pure.

A split token is the signature part of a JWT, as text. KV holds header and payload under the hash of that text. The
claims are checked by `verifier.claims`.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from typing import Final

from verifier import claims
from verifier.claims import Claims, MalformedToken

HASHES: Final = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}

ENCODINGS: Final[dict[str, Callable[[bytes], str]]] = {
    # base64 with padding is what the publishers write: 44 characters for SHA-256, "/" and "+" included.
    "base64": lambda digest: binascii.b2a_base64(digest, newline=False).decode("ascii"),
    "base64url": lambda digest: base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"),
    "hex": bytes.hex,
}

# Header and payload of one token; more would not fit into the Authorization field.
MAX_VALUE_LENGTH: Final = 16_384

_VALUE: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


class BadEntry(Exception):
    """The KV value is not header and payload of a JWT: a publisher errs, or another worker writes there."""


def is_whole_jwt(token: str) -> bool:
    """Whether `token`, a result of `claims.parse_bearer_credentials`, is a whole JWT."""
    return "." in token


def kv_key_of(token: str, *, hash_name: str = "sha256", encoding: str = "base64", prefix: str = "") -> str:
    """The KV key of a split token's header and payload: the hash of its text, not of the bytes that it encodes."""
    return prefix + ENCODINGS[encoding](HASHES[hash_name](token.encode("ascii")).digest())


def claims_of(value: str) -> Claims:
    """The claims of `header.payload`.

    The header is not decoded: nothing here depends on it, and the API reads it when it verifies the whole token.

    Raises:
        BadEntry: not exactly two base64url parts, or the payload is not one unambiguous JSON object.
    """
    if len(value) > MAX_VALUE_LENGTH:
        raise BadEntry(f"it is longer than {MAX_VALUE_LENGTH} characters")
    match = _VALUE.fullmatch(value)
    if match is None:
        raise BadEntry("it is not two base64url parts with a dot between them")
    header, payload = match.groups()
    if not claims.is_canonical_base64url(header):
        raise BadEntry("its header is not canonical base64url")
    try:
        return claims.decode_object(payload)
    except MalformedToken as error:
        raise BadEntry(str(error)) from None
