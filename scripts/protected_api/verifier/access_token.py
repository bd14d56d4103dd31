"""The whole check of an access token that is a JWT (RFC 9068), as an API makes it. Needs PyJWT.

token = await access_token.verify(text, keys, expected, now=time.time())
"""

from dataclasses import dataclass
from typing import Final

from verifier import claims
from verifier.claims import ALGORITHMS, Claims, InvalidToken, Malformed
from verifier.keys import Keys, check_signature

__all__ = ["MAX_TOKEN_LENGTH", "AccessToken", "Expected", "InvalidToken", "verify"]

MAX_TOKEN_LENGTH: Final = 16_384  # characters; larger ones do not fit into a request header either


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a token must be. `algorithms` is for `remote.keys_at` and `keys.parse`: a key decides what it verifies.

    `types` are values of `typ`, in lower case without "application/"; an empty set accepts any, ID tokens included.
    """

    issuer: str
    audience: frozenset[str]
    types: frozenset[str] = frozenset({"at+jwt"})
    algorithms: frozenset[str] = frozenset(ALGORITHMS)
    leeway_seconds: float = 0


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that was found good. Its text is not kept: nothing can log it by mistake."""

    issuer: str
    subject: str
    scopes: frozenset[str]
    claims: Claims

    def missing(self, required: frozenset[str]) -> frozenset[str]:
        return required - self.scopes


async def verify(text: str, keys: Keys, expected: Expected, *, now: float) -> AccessToken:
    """`now` is in seconds. What costs least is checked first, and the issuer is asked for keys only in the end.

    Raises:
        InvalidToken: the client gets 401 with the text as description (RFC 6750 section 3.1).
        KeysUnavailable: the client gets 503: nothing passes unchecked.
    """
    header, payload = _parts(text)
    claims.check_header(header, expected.types)
    claims.check_issuer(payload, expected.issuer)
    claims.check_audience(payload, expected.audience)
    claims.check_times(payload, now=now, leeway=expected.leeway_seconds)
    if "cnf" in payload:
        # Whoever has it must also show a key (RFC 7800), so as a bearer token it is stolen (RFC 9449 section 7.2).
        raise InvalidToken("The access token is bound to a key, and cannot be used as a bearer token")
    subject = payload.get("sub")
    if not isinstance(subject, str) or not subject:
        raise InvalidToken("The access token has no subject")
    await check_signature(text, header, keys, now=now)
    return AccessToken(expected.issuer, subject, claims.scopes(payload), payload)


def _parts(text: str) -> tuple[Claims, Claims]:
    """Header and claims."""
    parts = text.split(".") if len(text) <= MAX_TOKEN_LENGTH else []
    try:
        if len(parts) != 3:
            raise Malformed
        return claims.object_of(parts[0]), claims.object_of(parts[1])
    except Malformed:
        raise InvalidToken("The access token is malformed") from None
