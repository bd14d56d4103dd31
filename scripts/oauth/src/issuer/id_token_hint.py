"""Verifies id_token_hint: an ID token that this issuer signed, at any time. Pure except for the key source."""

from dataclasses import dataclass
from typing import Final, Protocol

from verifier import claims
from verifier.claims import Claims, InvalidToken, MalformedToken

MAX_LENGTH: Final = 8192
ALGORITHMS: Final = ("RS256", "ES256")


class SignatureVerifier(Protocol):
    async def check(self, token: str, header: Claims, *, now: float) -> None:
        """Raises InvalidToken, or OSError if the issuer's own keys cannot be fetched."""
        ...


@dataclass(frozen=True, slots=True)
class IDTokenHint:
    """`is_verified` is false if no published key verifies the token: it may be forged, or older than the last key
    rotation. Then it proves nothing; what it names can only be asked about."""

    subject: str | None
    client_id: str | None
    is_verified: bool


UNREADABLE: Final = IDTokenHint(None, None, False)


async def read(token: str, issuer: str, signatures: SignatureVerifier, *, now: float) -> IDTokenHint:
    """What an id_token_hint says, expired or not (OpenID Connect Core section 3.1.2.1)."""
    parts = token.split(".") if len(token) <= MAX_LENGTH else []
    if len(parts) != 3:
        return UNREADABLE
    try:
        header, payload = claims.decode_object(parts[0]), claims.decode_object(parts[1])
        # An access token has another type, and does not say that this browser's user logged in.
        claims.check_header(header, frozenset({"jwt"}) if "typ" in header else frozenset())
        claims.check_issuer(payload, issuer)
    except (MalformedToken, InvalidToken):
        return UNREADABLE
    subject, audience = payload.get("sub"), payload.get("aud")
    if not isinstance(subject, str) or not isinstance(audience, str):
        return UNREADABLE
    try:
        await signatures.check(token, header, now=now)
    except (InvalidToken, OSError):
        return IDTokenHint(subject, audience, False)
    return IDTokenHint(subject, audience, True)
