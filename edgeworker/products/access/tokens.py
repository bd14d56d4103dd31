"""The claims of Access's tokens, and what a token must say to count as one. Pure.

Shapes: ../../../wrangler_compat/COMPATIBILITY.md, "Cloudflare Access". An application's token opens that application
alone: the organization's token, the meta token on the login URL and the tokens of other applications do not.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from edgeworker.config import JSON
from edgeworker.products.access import jws
from edgeworker.products.access.config import Application
from edgeworker.products.access.jws import InvalidToken
from edgeworker.products.access.keys import KeySet, SigningKey
from edgeworker.products.access.policy import Identity

# The largest `custom` claim as JSON, because tokens travel in cookies.
MAX_CUSTOM_BYTES: Final = 1024
# A login that takes longer begins again.
META_SECONDS: Final = 3600

TokenType = Literal["app", "org", "meta", "match", "state"]


@dataclass(frozen=True, slots=True)
class AppClaims:
    """A verified application token. `nonce` finds what is known of its login; `common_name` is the Client ID of a
    service token, whose tokens have no `nonce`. `valid_until` is `exp`, or when its key is retired."""

    aud: str
    nonce: str
    email: str
    subject: str
    common_name: str
    issued_at: int
    valid_until: int
    kid: str


def identity_claims(
    identity: Identity, application: Application, *, issuer: str, nonce: str, now: int, seconds: int, policy_id: str
) -> dict[str, JSON]:
    """An application token for someone who logged in. `nonce` has 16 characters, or 64 in the older shape."""
    if application.legacy_claims:
        return {
            "aud": [application.aud],
            "email": identity.email,
            "exp": now + seconds,
            "iat": now,
            "iss": issuer,
            "nonce": nonce,
            "sub": identity.user_uuid,
        }
    claims: dict[str, JSON] = {
        "aud": [application.aud],
        "email": identity.email,
        "exp": now + seconds,
        "iat": now,
        "nbf": now,
        "iss": issuer,
        "type": "app",
        "identity_nonce": nonce,
        "sub": identity.user_uuid,
        "country": identity.country,
        "policy_id": policy_id,
    }
    if custom := capped(identity.custom):
        claims["custom"] = custom
    return claims


def service_claims(client_id: str, application: Application, *, issuer: str, now: int, seconds: int) -> dict[str, JSON]:
    """`aud` is one text and `sub` is empty, as real ones are; there is neither e-mail nor `nbf`."""
    return {
        "type": "app",
        "aud": application.aud,
        "exp": now + seconds,
        "iat": now,
        "iss": issuer,
        "common_name": client_id,
        "sub": "",
    }


def organization_claims(
    identity: Identity, *, aud: str, account_id: str, issuer: str, nonce: str, now: int, seconds: int
) -> dict[str, JSON]:
    """The global session on the team domain."""
    return {
        "type": "org",
        "aud": aud,
        "email": identity.email,
        "exp": now + seconds,
        "iat": now,
        "iss": issuer,
        "account_id": account_id,
        "identity": {"email": identity.email, "idp": {"id": identity.provider_id, "type": identity.provider_type}},
        "identity_nonce": nonce,
        "sub": identity.user_uuid,
    }


def capped(custom: Mapping[str, JSON]) -> dict[str, JSON]:
    """As many claims, in their order, as fit."""
    kept: dict[str, JSON] = {}
    for name, value in custom.items():
        if len(json.dumps({**kept, name: value}, separators=(",", ":"))) > MAX_CUSTOM_BYTES:
            break
        kept[name] = value
    return kept


def sign(claims: Mapping[str, JSON], key: SigningKey) -> str:
    return jws.sign(claims, key.private, key.kid)


def read(text: str, keys: KeySet, *, issuer: str, type: TokenType | None, now: int) -> tuple[jws.SignedToken, int]:
    """Verify a token of this type: the token, and until when it is valid. `type` None: the older shape.

    Raises InvalidToken.
    """
    token = jws.parse(text)
    found = keys.find(token.kid, now)
    if found is None:
        raise InvalidToken("no key of this organization has the token's kid, or it was retired")
    key, retired_at = found
    jws.verify(token, key.public)
    claims = token.claims
    if claims.get("iss") != issuer:
        raise InvalidToken("the token is of another issuer")
    if claims.get("type") != type:
        raise InvalidToken(f"the token is not of the type {type}")
    expires_at = jws.moment(claims, "exp")
    if now >= expires_at:
        raise InvalidToken("the token has expired")
    if jws.moment(claims, "iat") > now + _SKEW_SECONDS:
        raise InvalidToken("the token was issued in the future")
    return token, expires_at if retired_at is None else min(expires_at, retired_at)


# Between the clocks of two processes; our own tokens are never ahead.
_SKEW_SECONDS: Final = 60


def read_app_token(text: str, application: Application, keys: KeySet, *, issuer: str, now: int) -> AppClaims:
    """Raises InvalidToken for anything but a token of this application."""
    kind: TokenType | None = "app"
    if application.legacy_claims:
        kind = "app" if "type" in jws.parse(text).claims else None
    token, valid_until = read(text, keys, issuer=issuer, type=kind, now=now)
    claims = token.claims
    if jws.audiences(claims) != (application.aud,):
        raise InvalidToken("the token is of another application")
    nonce = jws.text(claims, "identity_nonce") or jws.text(claims, "nonce")
    common_name = jws.text(claims, "common_name")
    if bool(nonce) == bool(common_name):
        raise InvalidToken("the token is neither an identity's nor a service token's")
    return AppClaims(
        aud=application.aud,
        nonce=nonce,
        email=jws.text(claims, "email"),
        subject=jws.text(claims, "sub"),
        common_name=common_name,
        issued_at=jws.moment(claims, "iat"),
        valid_until=valid_until,
        kid=token.kid,
    )
