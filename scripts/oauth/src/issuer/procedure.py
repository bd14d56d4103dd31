"""The token procedure: what an access token is, decided in one place for every grant. Pure but for randomness.

Each format is one function of `FORMATS` from an order to what the client receives, what is kept, and what is published.
The client of a split token receives the signature alone; "header.payload" goes to the gateway's namespace.
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from issuer import keys, signing
from issuer.clients import Client
from issuer.keys import Ring
from issuer.records import AccessToken
from issuer.settings import Settings


@dataclass(frozen=True, slots=True)
class Order:
    """What a grant decided. `user_id` is None where no user is involved: then `sub` is the client's id."""

    client: Client
    sub: str
    scope: tuple[str, ...]
    audience: tuple[str, ...]
    now: int
    user_id: str | None = None
    grant_id: str | None = None
    auth_time: int | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Issued:
    """`text` is what the client receives; `whole` is the JWT, None for an opaque token; `published` is the value that
    belongs under `record.publish_key`."""

    text: str = field(repr=False)
    record: AccessToken
    whole: str | None = field(default=None, repr=False)
    published: str | None = field(default=None, repr=False)


def issue(order: Order, settings: Settings, ring: Ring) -> Issued:
    """An access token in the format of the order's client. Nothing is stored yet."""
    record = AccessToken(
        client_id=order.client.client_id,
        sub=order.sub,
        scope=order.scope,
        audience=order.audience,
        format=order.client.token_format,
        # Two tokens with equal claims would have the same signature: RS256 has nothing random in it.
        jti=secrets.token_urlsafe(16),
        issued_at=order.now,
        expires_at=order.now + settings.access_token_ttl_seconds,
        user_id=order.user_id,
        grant_id=order.grant_id,
    )
    return FORMATS[record.format](order, record, settings, ring)


def _jwt(order: Order, record: AccessToken, settings: Settings, ring: Ring) -> Issued:
    """RFC 9068."""
    claims: dict[str, object] = {
        "iss": settings.issuer,
        "sub": record.sub,
        "aud": record.audience[0] if len(record.audience) == 1 else list(record.audience),
        "client_id": record.client_id,
        "iat": record.issued_at,
        "exp": record.expires_at,
        "jti": record.jti,
    }
    if record.scope:
        claims["scope"] = " ".join(record.scope)
    if order.auth_time is not None:
        claims["auth_time"] = order.auth_time
    if order.acr is not None:
        claims["acr"] = order.acr
    if order.amr:
        claims["amr"] = list(order.amr)
    key = keys.signer(ring, order.client.access_token_alg, now=order.now)
    whole = signing.sign(claims, key, "at+jwt")
    return Issued(whole, record, whole)


def _split(order: Order, record: AccessToken, settings: Settings, ring: Ring) -> Issued:
    whole = _jwt(order, record, settings, ring).text
    value, _, signature = whole.rpartition(".")
    return Issued(signature, replace(record, publish_key=key_of(signature, settings)), whole, value)


def _opaque(_order: Order, record: AccessToken, _settings: Settings, _ring: Ring) -> Issued:
    return Issued(secrets.token_urlsafe(32), record)


Format = Callable[[Order, AccessToken, Settings, Ring], Issued]
FORMATS: Final[Mapping[str, Format]] = {"split": _split, "jwt": _jwt, "opaque": _opaque}


def id_token(order: Order, issued: Issued, settings: Settings, ring: Ring, *, nonce: str | None) -> str:
    """OpenID Connect Core, section 2. `nonce` None: the request had none, or the token is a refreshed one."""
    claims: dict[str, object] = {
        "iss": settings.issuer,
        "sub": order.sub,
        "aud": order.client.client_id,
        "iat": order.now,
        "exp": order.now + settings.id_token_ttl_seconds,
        "at_hash": at_hash(_hashed_text(issued, settings)),
    }
    optional = {"auth_time": order.auth_time, "nonce": nonce, "acr": order.acr, "amr": list(order.amr) or None}
    claims |= {name: value for name, value in optional.items() if value is not None}
    key = keys.signer(ring, order.client.id_token_signed_response_alg, now=order.now)
    return signing.sign(claims, key, "JWT")


_ENCODINGS: Final[dict[str, Callable[[bytes], str]]] = {
    "base64": lambda digest: binascii.b2a_base64(digest, newline=False).decode("ascii"),
    "base64url": lambda digest: base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"),
    "hex": bytes.hex,
}


def key_of(signature: str, settings: Settings) -> str:
    """Where the rest of the token with this signature lies in SPLIT: the hash of the signature's text."""
    digest = hashlib.new(settings.token_hash, signature.encode("ascii")).digest()
    return settings.key_prefix + _ENCODINGS[settings.key_encoding](digest)


def at_hash(token: str) -> str:
    """The left half of SHA-256, which RS256 and ES256 use (OpenID Connect Core, section 3.1.3.6)."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode("ascii")).digest()[:16]).rstrip(b"=").decode("ascii")


def _hashed_text(issued: Issued, settings: Settings) -> str:
    """OpenID Connect wants the hash of the token that the client received; the tutorial hashes the whole JWT."""
    if settings.compat == "curity-tutorial" and issued.whole is not None:
        return issued.whole
    return issued.text
