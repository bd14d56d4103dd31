"""Verifies an access token that is a JWT (RFC 9068), as an API does. Needs PyJWT.

token = await access_token.verify(text, keys, expected, now=time.time())
"""

from dataclasses import dataclass
from typing import Final

from verifier import claims
from verifier.claims import ALGORITHMS, Claims, InvalidToken, MalformedToken
from verifier.keys import KeySource, check_token_signature

__all__ = ["MAX_TOKEN_LENGTH", "InvalidToken", "TokenRequirements", "VerifiedAccessToken", "verify"]

MAX_TOKEN_LENGTH: Final = 16_384  # characters; a longer one does not fit into a request header


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequirements:
    """What a token must be.

    `algorithms` is passed to `remote.remote_keys` or `keys.parse_key_set`. `types` are values of `typ`, in lower case
    without "application/"; an empty set accepts any type, also ID tokens.
    """

    issuer: str
    audience: frozenset[str]
    types: frozenset[str] = frozenset({"at+jwt"})
    algorithms: frozenset[str] = frozenset(ALGORITHMS)
    leeway_seconds: float = 0


@dataclass(frozen=True, slots=True)
class VerifiedAccessToken:
    """A verified token. Its text is not kept, so nothing can log it by mistake."""

    issuer: str
    subject: str
    scopes: frozenset[str]
    claims: Claims

    def missing(self, required: frozenset[str]) -> frozenset[str]:
        return required - self.scopes


async def verify(text: str, keys: KeySource, expected: TokenRequirements, *, now: float) -> VerifiedAccessToken:
    """`now` is in seconds. Cheap checks come first; the issuer's keys are needed only for the last one.

    Raises:
        InvalidToken: answer 401 with the text as error_description (RFC 6750 section 3.1).
        KeysUnavailable: answer 503.
    """
    header, payload = _parts(text)
    claims.check_header(header, expected.types)
    claims.check_issuer(payload, expected.issuer)
    claims.check_audience(payload, expected.audience)
    claims.check_times(payload, now=now, leeway=expected.leeway_seconds)
    if "cnf" in payload:
        # Its sender must prove possession of a key (RFC 7800, RFC 9449 section 7.2).
        raise InvalidToken("The access token is bound to a key, and cannot be used as a bearer token")
    subject = payload.get("sub")
    if not isinstance(subject, str) or not subject:
        raise InvalidToken("The access token has no subject")
    await check_token_signature(text, header, keys, now=now)
    return VerifiedAccessToken(expected.issuer, subject, claims.granted_scopes(payload), payload)


def _parts(text: str) -> tuple[Claims, Claims]:
    """Header and claims."""
    parts = text.split(".") if len(text) <= MAX_TOKEN_LENGTH else []
    try:
        if len(parts) != 3:
            raise MalformedToken
        return claims.decode_object(parts[0]), claims.decode_object(parts[1])
    except MalformedToken:
        raise InvalidToken("The access token is malformed") from None
