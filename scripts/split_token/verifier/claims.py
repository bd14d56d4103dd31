"""What a JWT says: how its parts are read, and which claims are refused. Pure, and needs no package.

Nothing here checks a signature. Nothing reads a clock: `now` and `leeway` are seconds.
"""

import base64
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Final

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)

_BEARER: Final = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr](?: +(.*))?", re.DOTALL)
_PARTS: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)?")
_PART: Final = re.compile(r"[A-Za-z0-9_-]+")

# The characters whose unused low bits are zero, by how many characters stand in the last group of four: any other last
# character would be a second spelling of the same bytes (RFC 4648 section 3.5). One character alone encodes nothing.
_LAST: Final = {1: "", 2: "AQgw", 3: "AEIMQUYcgkosw048"}

Claims = dict[str, object]


class InvalidToken(Exception):
    """The token is not good now. The text goes to the client: it holds nothing secret and nothing from the token."""


class Malformed(Exception):
    """A part of a JWT that cannot be read, or that two readers might read in two ways."""


def bearer(authorization: str | None) -> str | None:
    """The token of `Bearer <token>`, or None where no Bearer credentials were sent (a bare challenge answers that).

    It has one part (a split token) or three (a JWT). The scheme's case does not matter and more than one space is
    allowed (RFC 9110 section 11.4); tabs, commas, a second token and anything else that base64url does not have are
    refused, and with them two Authorization fields, which arrive joined by a comma.

    Raises:
        InvalidToken: Bearer credentials that are neither.
    """
    if authorization is None or not (match := _BEARER.fullmatch(authorization)):
        return None
    token: str | None = match[1]
    if not token or not _PARTS.fullmatch(token):
        raise InvalidToken("The access token is malformed")
    return token


def object_of(part: str) -> Claims:
    """The JSON object that one part of a JWT holds, if every reader reads the same. Raises Malformed."""
    if not is_canonical(part):
        raise Malformed("a part is not canonical base64url")
    try:
        text = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("utf-8")
        decoded = strict_json(text)
        if "\\u" in text:
            # An escape may stand for half a character, which no output can hold and which readers replace differently.
            json.dumps(decoded, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        # The text of these errors does not quote the document, but for a character that cannot be encoded.
        reason = "half a character" if isinstance(error, UnicodeEncodeError) else error
        raise Malformed(f"a part is not JSON that can be trusted: {reason}") from None
    if not isinstance(decoded, dict):
        raise Malformed("a part is not a JSON object")
    return decoded


def strict_json(text: str) -> object:
    """JSON without members that are there twice and without NaN. Raises ValueError or RecursionError."""
    decoded: object = _STRICT.decode(text)
    return decoded


def is_canonical(part: str) -> bool:
    """Whether this is base64url without padding, in the only spelling that its bytes have."""
    if not _PART.fullmatch(part):
        return False
    rest = len(part) % 4
    return rest == 0 or part[-1] in _LAST[rest]


def check_header(header: Mapping[str, object], types: frozenset[str] = frozenset()) -> None:
    """Refuses a header that asks for what is not done here, or whose `typ` is none of `types` (empty: any).

    `types` are in lower case and without "application/" (RFC 7515 section 4.1.9).

    Raises:
        InvalidToken: it names a critical extension: none is known here (RFC 7515 section 4.1.11).
    """
    if "crit" in header or "b64" in header:
        raise InvalidToken("The access token uses an extension that is not supported")
    if types:
        kind = header.get("typ")
        if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in types:
            raise InvalidToken("The token is of another type than an access token")


def check_times(claims: Claims, *, now: float, leeway: float = 0) -> None:
    """Refuses what has expired, is not valid yet or was not issued yet.

    Raises:
        InvalidToken: `exp` is missing or reached, `nbf` or `iat` is in the future, or one of them is no number.
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
    """Raises InvalidToken where `aud` (a text or a list of texts) names none of `allowed`."""
    audience = claims.get("aud")
    named = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    if not all(isinstance(name, str) for name in named) or allowed.isdisjoint(named):
        raise InvalidToken("The access token is not meant for this API")


def check_issuer(claims: Claims, issuer: str) -> None:
    """Raises InvalidToken where `iss` is not exactly `issuer`."""
    if claims.get("iss") != issuer:
        raise InvalidToken("The access token is from another issuer")


def scopes(claims: Claims) -> frozenset[str]:
    """`scope` is a text with spaces (RFC 8693) or a list, and so is `scp`."""
    granted: set[str] = set()
    for name in ("scope", "scp"):
        scope = claims.get(name)
        if isinstance(scope, str):
            granted.update(scope.split(" "))
        elif isinstance(scope, list):
            granted.update(item for item in scope if isinstance(item, str))
    return frozenset(granted - {""})


def missing_scopes(claims: Claims, required: Iterable[str]) -> frozenset[str]:
    """Which of `required` the token does not have."""
    return frozenset(required) - scopes(claims)


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
