"""What a split token is, and where its other part lies. Pure.

A split token is the third part of a JWT, as text. KV holds the first two parts under the hash of that text. What is
checked of the claims is in `verifier.claims`.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from typing import Final

from verifier import claims
from verifier.claims import Claims, Malformed

HASHES: Final = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}

ENCODINGS: Final[dict[str, Callable[[bytes], str]]] = {
    # base64 with padding is what the publishers write: 44 characters for SHA-256, "/" and "+" included.
    "base64": lambda digest: binascii.b2a_base64(digest, newline=False).decode("ascii"),
    "base64url": lambda digest: base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"),
    "hex": bytes.hex,
}

# Header and payload of one token. Larger ones would not fit into the request header that they are joined into.
MAX_VALUE_LENGTH: Final = 16_384

_VALUE: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


class BadEntry(Exception):
    """What lies in KV is no header and payload of a JWT: somebody else writes to the namespace, or a publisher errs."""


def is_whole(token: str) -> bool:
    """Whether `token`, which `claims.bearer` returned, is a whole JWT."""
    return "." in token


def key_of(token: str, *, hash_name: str = "sha256", encoding: str = "base64", prefix: str = "") -> str:
    """Where header and payload of this split token lie in KV: the hash of its text, not of the bytes it encodes."""
    return prefix + ENCODINGS[encoding](HASHES[hash_name](token.encode("ascii")).digest())


def claims_of(value: str) -> Claims:
    """The claims of `header.payload`.

    The header is not decoded: nothing here depends on it, and the API reads it when it verifies the whole.

    Raises:
        BadEntry: not exactly two base64url parts, or the payload is not one JSON object that every parser reads alike.
    """
    if len(value) > MAX_VALUE_LENGTH:
        raise BadEntry(f"it is longer than {MAX_VALUE_LENGTH} characters")
    match = _VALUE.fullmatch(value)
    if match is None:
        raise BadEntry("it is not two base64url parts with a dot between them")
    header, payload = match.groups()
    if not claims.is_canonical(header):
        raise BadEntry("its header is not canonical base64url")
    try:
        return claims.object_of(payload)
    except Malformed as error:
        raise BadEntry(str(error)) from None
