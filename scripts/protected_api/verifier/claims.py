"""Decodes the parts of a JWT and checks its header and claims. Pure; needs no package.

Signatures are checked in `keys`. `now` and `leeway` are seconds.
"""

import base64
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Final

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)

_BEARER: Final = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr](?: +(.*))?", re.DOTALL)
# Without the characters of a part nothing is left. To delete them costs a fifth of matching them with a pattern.
_PART_CHARACTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_PART: Final = re.compile(r"[A-Za-z0-9_-]+")

# The last characters whose unused low bits are zero, by the length of the last group of four: any other one would be a
# second encoding of the same bytes (RFC 4648 section 3.5). A single character encodes nothing.
_LAST: Final = {1: "", 2: "AQgw", 3: "AEIMQUYcgkosw048"}

_LAST_MOMENT: Final = 2**63

Claims = dict[str, object]


class InvalidToken(Exception):
    """The token is not valid now. The text goes to the client: it quotes nothing of the token and no secret."""


class MalformedToken(Exception):
    """A part of a JWT that cannot be decoded, or that two decoders could understand differently."""


def parse_bearer_credentials(authorization: str | None) -> str | None:
    """The token of `Bearer <token>`, or None for a request without Bearer credentials.

    The token has one part (a split token) or three (a JWT). The scheme is case-insensitive and may be followed by
    several spaces (RFC 9110 section 11.4). Any other character is refused; that includes the comma that joins two
    Authorization fields.

    Raises:
        InvalidToken: the credentials are neither.
    """
    if authorization is None or not (match := _BEARER.fullmatch(authorization)):
        return None
    token: str | None = match[1]
    if not token or not _has_one_part_or_three(token):
        raise InvalidToken("The access token is malformed")
    return token


def _has_one_part_or_three(token: str) -> bool:
    if not token.isascii():
        return False
    rest = token.encode("ascii").translate(None, _PART_CHARACTERS)
    return not rest or (rest == b".." and all(token.split(".")))


def decode_object(part: str) -> Claims:
    """The JSON object in one part of a JWT. Raises MalformedToken if two decoders could read it differently."""
    if not is_canonical_base64url(part):
        raise MalformedToken("a part is not canonical base64url")
    try:
        text = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("utf-8")
        decoded = parse_strict_json(text)
        if "\\u" in text:
            # An escape may be a lone surrogate, which no output can hold and which decoders replace differently.
            json.dumps(decoded, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        # These errors quote nothing of the document except a character that cannot be encoded.
        reason = "a lone surrogate" if isinstance(error, UnicodeEncodeError) else error
        raise MalformedToken(f"a part is not unambiguous JSON: {reason}") from None
    if not isinstance(decoded, dict):
        raise MalformedToken("a part is not a JSON object")
    return decoded


def parse_strict_json(text: str) -> object:
    """Parses JSON without duplicate members and without NaN. Raises ValueError or RecursionError."""
    decoded: object = _STRICT.decode(text)
    return decoded


def is_canonical_base64url(part: str) -> bool:
    """Whether this is base64url without padding in its canonical form, so that no other text has the same bytes."""
    if not _PART.fullmatch(part):
        return False
    rest = len(part) % 4
    return rest == 0 or part[-1] in _LAST[rest]


def check_header(header: Mapping[str, object], types: frozenset[str] = frozenset()) -> None:
    """Refuses critical extensions (RFC 7515 section 4.1.11; none is supported) and a `typ` not in `types` (empty: any).

    `types` are in lower case and without "application/" (RFC 7515 section 4.1.9).

    Raises:
        InvalidToken
    """
    if "crit" in header or "b64" in header:
        raise InvalidToken("The access token uses an extension that is not supported")
    if types:
        kind = header.get("typ")
        if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in types:
            raise InvalidToken("The token is of another type than an access token")


def check_times(claims: Claims, *, now: float, leeway: float = 0) -> None:
    """Refuses a token that has expired or is not valid yet.

    Raises:
        InvalidToken: `exp` is missing or reached, `nbf` or `iat` is in the future, or one of them is not a number.
    """
    expires = _moment(claims, "exp")
    if expires is None:
        raise InvalidToken("The access token has no expiry")
    if now >= expires + leeway:
        raise InvalidToken("The access token expired")
    for name in ("nbf", "iat"):
        begins = _moment(claims, name)
        if begins is not None and now + leeway < begins:
            raise InvalidToken("The access token is not valid yet")


def check_audience(claims: Claims, allowed: frozenset[str]) -> None:
    """Raises InvalidToken if `aud` (a string or a list of strings) contains none of `allowed`."""
    audience = claims.get("aud")
    named = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    if not all(isinstance(name, str) for name in named) or allowed.isdisjoint(named):
        raise InvalidToken("The access token is not meant for this API")


def check_issuer(claims: Claims, issuer: str) -> None:
    """Raises InvalidToken if `iss` is not exactly `issuer`."""
    if claims.get("iss") != issuer:
        raise InvalidToken("The access token is from another issuer")


def granted_scopes(claims: Claims) -> frozenset[str]:
    """The scopes of `scope` and `scp`: each is a space-separated string (RFC 8693) or a list."""
    granted: set[str] = set()
    for name in ("scope", "scp"):
        scope = claims.get(name)
        if isinstance(scope, str):
            granted.update(scope.split(" "))
        elif isinstance(scope, list):
            granted.update(item for item in scope if isinstance(item, str))
    return frozenset(granted - {""})


def missing_scopes(claims: Claims, required: Iterable[str]) -> frozenset[str]:
    """The `required` scopes that the token does not have."""
    return frozenset(required) - granted_scopes(claims)


def _moment(claims: Claims, name: str) -> float | None:
    """A NumericDate, or None if the claim is missing."""
    if name not in claims:
        return None
    value = claims[name]
    # Not isinstance: True is an int in Python. A JSON number may be too large to be finite, and an int of Python to be
    # compared with seconds.
    if type(value) is int and abs(value) <= _LAST_MOMENT:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise InvalidToken(f"The access token's {name} is not a number of seconds")


def _without_duplicates(members: list[tuple[str, object]]) -> Claims:
    """Of two `exp` members one parser takes the first and another the last, so neither is accepted."""
    claims = dict(members)
    if len(claims) != len(members):
        raise ValueError("an object has the same member twice")
    return claims


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


_STRICT: Final = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
