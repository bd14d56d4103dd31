"""What a split token is: how it is read, where its other part lies, and when the two may be joined. Pure.

A split token is the third part of a JWT, as text. KV holds the first two parts under the hash of that text. Nothing
here reads a clock: `now` and `leeway` are seconds.
"""

import base64
import binascii
import hashlib
import json
import math
import re
from collections.abc import Callable
from typing import Final

HASHES: Final = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}

ENCODINGS: Final[dict[str, Callable[[bytes], str]]] = {
    # base64 with padding is what the publishers write: 44 characters for SHA-256, "/" and "+" included.
    "base64": lambda digest: binascii.b2a_base64(digest, newline=False).decode("ascii"),
    "base64url": lambda digest: base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"),
    "hex": bytes.hex,
}

# Header and payload of one token. Larger ones would not fit into the request header that they are joined into.
MAX_VALUE_LENGTH: Final = 16_384

_BEARER: Final = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr](?: +(.*))?", re.DOTALL)
_SPLIT: Final = re.compile(r"[A-Za-z0-9_-]+")
_WHOLE: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_VALUE: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")

# The characters whose unused low bits are zero, by how many characters stand in the last group of four: any other last
# character would be a second spelling of the same bytes (RFC 4648 section 3.5). One character alone encodes nothing.
_LAST: Final = {1: "", 2: "AQgw", 3: "AEIMQUYcgkosw048"}

Claims = dict[str, object]


class InvalidToken(Exception):
    """What the client sent is no token that is good now. The text goes to the client: it holds nothing secret."""


class BadEntry(Exception):
    """What lies in KV is no header and payload of a JWT: somebody else writes to the namespace, or a publisher errs."""


def bearer(authorization: str | None) -> str | None:
    """The token of `Bearer <token>`, or None where no Bearer credentials were sent (a bare challenge answers that).

    The scheme's case does not matter and more than one space is allowed (RFC 9110 section 11.4); tabs, commas, a second
    token and anything else that base64url does not have are refused, and with them two Authorization fields, which
    arrive joined by a comma.

    Raises:
        InvalidToken: Bearer credentials that are neither a split token nor a whole JWT.
    """
    if authorization is None or not (match := _BEARER.fullmatch(authorization)):
        return None
    token: str | None = match[1]
    if not token or not (_SPLIT.fullmatch(token) or _WHOLE.fullmatch(token)):
        raise InvalidToken("The access token is malformed")
    return token


def is_whole(token: str) -> bool:
    """Whether `token`, which `bearer` returned, is a whole JWT."""
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
    if not _is_canonical(header):
        raise BadEntry("its header is not canonical base64url")
    return object_of(payload)


def object_of(part: str) -> Claims:
    """The JSON object that one part of a JWT holds. Raises BadEntry."""
    if not _is_canonical(part):
        raise BadEntry("a part is not canonical base64url")
    try:
        decoded = _STRICT.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        # The text of a JSON error does not quote the document.
        raise BadEntry(f"a part is not JSON that can be trusted: {error}") from None
    if not isinstance(decoded, dict):
        raise BadEntry("a part is not a JSON object")
    return decoded


def check_times(claims: Claims, *, now: float, leeway: float = 0) -> None:
    """Refuses what has expired or is not valid yet: an entry's expiry in KV says nothing about the token's.

    Raises:
        InvalidToken: `exp` is missing, odd or reached, or `nbf` is odd or in the future.
    """
    expires = _moment(claims, "exp")
    if expires is None:
        raise InvalidToken("The access token has no expiry")
    if now >= expires + leeway:
        raise InvalidToken("The access token expired")
    not_before = _moment(claims, "nbf")
    if not_before is not None and now + leeway < not_before:
        raise InvalidToken("The access token is not valid yet")


def check_audience(claims: Claims, allowed: frozenset[str]) -> None:
    """Raises InvalidToken where `aud` (a text or a list of texts) names none of `allowed`."""
    audience = claims.get("aud")
    named = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    if not any(isinstance(name, str) and name in allowed for name in named):
        raise InvalidToken("The access token is not meant for this API")


def check_issuer(claims: Claims, issuer: str) -> None:
    """Raises InvalidToken where `iss` is not exactly `issuer`."""
    if claims.get("iss") != issuer:
        raise InvalidToken("The access token is from another issuer")


def missing_scopes(claims: Claims, required: frozenset[str]) -> frozenset[str]:
    """Which of `required` the token does not have. `scope` is a text with spaces (RFC 8693) or a list, as is `scp`."""
    granted: set[str] = set()
    for name in ("scope", "scp"):
        scope = claims.get(name)
        if isinstance(scope, str):
            granted.update(scope.split(" "))
        elif isinstance(scope, list):
            granted.update(item for item in scope if isinstance(item, str))
    return required - granted


def _is_canonical(part: str) -> bool:
    rest = len(part) % 4
    return rest == 0 or part[-1] in _LAST[rest]


def _moment(claims: Claims, name: str) -> float | None:
    """A NumericDate, or None where there is none."""
    if name not in claims:
        return None
    value = claims[name]
    # True is an int in Python, and a JSON number may be too large to be finite.
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidToken(f"The access token's {name} is not a number of seconds")
    return value


def _without_duplicates(members: list[tuple[str, object]]) -> Claims:
    """Two parsers may take different ones of two `exp` members, so neither is believed."""
    claims = dict(members)
    if len(claims) != len(members):
        raise ValueError("a member is there twice")
    return claims


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


_STRICT: Final = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
