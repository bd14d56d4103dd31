"""Makes access tokens and ID tokens, in one place for every grant. Pure but for randomness.

Each format is one function of `FORMATS`: it decides what the client receives, what is stored, and what is published.
The client of a split token receives only the signature; "header.payload" goes to the gateway's namespace.
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from issuer import end_marks, keys, signing
from issuer.clients import RegisteredClient
from issuer.keys import ServerKeySet
from issuer.records import AccessToken
from issuer.settings import IssuerSettings
from issuer.users import User


@dataclass(frozen=True, slots=True)
class AuthorizedAccess:
    """What a grant authorizes. `user_id` is None if no user is involved; then `sub` is the client's id."""

    client: RegisteredClient
    sub: str
    scope: tuple[str, ...]
    audience: tuple[str, ...]
    now: int
    user_id: str | None = None
    grant_id: str | None = None
    auth_time: int | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    epoch: str = ""


@dataclass(frozen=True, slots=True)
class IssuedAccessToken:
    """`text` is what the client receives; `whole` is the JWT, None for an opaque token; `published` is the KV value for
    `record.publish_key`."""

    text: str = field(repr=False)
    record: AccessToken
    whole: str | None = field(default=None, repr=False)
    published: str | None = field(default=None, repr=False)


def issue(access: AuthorizedAccess, settings: IssuerSettings, key_set: ServerKeySet) -> IssuedAccessToken:
    """An access token in the client's format. Nothing is stored yet."""
    record = AccessToken(
        client_id=access.client.client_id,
        sub=access.sub,
        scope=access.scope,
        audience=access.audience,
        format=access.client.token_format,
        # Without it two tokens with equal claims would have the same RS256 signature.
        jti=secrets.token_urlsafe(16),
        issued_at=access.now,
        expires_at=access.now + settings.access_token_ttl_seconds,
        user_id=access.user_id,
        grant_id=access.grant_id,
        epoch=end_marks.for_client(access.epoch, access.client.registration),
    )
    return FORMATS[record.format](access, record, settings, key_set)


def _jwt(
    access: AuthorizedAccess, record: AccessToken, settings: IssuerSettings, key_set: ServerKeySet
) -> IssuedAccessToken:
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
    if access.auth_time is not None:
        claims["auth_time"] = access.auth_time
    if access.acr is not None:
        claims["acr"] = access.acr
    if access.amr:
        claims["amr"] = list(access.amr)
    key = keys.signer(key_set, access.client.access_token_alg, now=access.now)
    whole = signing.sign(claims, key, "at+jwt")
    return IssuedAccessToken(whole, record, whole)


def _split(
    access: AuthorizedAccess, record: AccessToken, settings: IssuerSettings, key_set: ServerKeySet
) -> IssuedAccessToken:
    whole = _jwt(access, record, settings, key_set).text
    value, _, signature = whole.rpartition(".")
    return IssuedAccessToken(signature, replace(record, publish_key=key_of(signature, settings)), whole, value)


def _opaque(
    _access: AuthorizedAccess, record: AccessToken, _settings: IssuerSettings, _key_set: ServerKeySet
) -> IssuedAccessToken:
    return IssuedAccessToken(secrets.token_urlsafe(32), record)


Format = Callable[[AuthorizedAccess, AccessToken, IssuerSettings, ServerKeySet], IssuedAccessToken]
FORMATS: Final[Mapping[str, Format]] = {"split": _split, "jwt": _jwt, "opaque": _opaque}


def id_token(
    access: AuthorizedAccess,
    issued: IssuedAccessToken,
    settings: IssuerSettings,
    key_set: ServerKeySet,
    *,
    user: User,
    nonce: str | None,
) -> str:
    """OpenID Connect Core section 2. `nonce` None: the request had none, or the token is a refreshed one."""
    claims: dict[str, object] = {
        # A record cannot have a claim that the issuer sets; if it did, the issuer's would win.
        **(user.claims if "profile" in access.scope else {}),
        "iss": settings.issuer,
        "sub": access.sub,
        "aud": access.client.client_id,
        "iat": access.now,
        "exp": access.now + settings.id_token_ttl_seconds,
        "at_hash": at_hash(_hashed_text(issued, settings)),
    }
    optional = {"auth_time": access.auth_time, "nonce": nonce, "acr": access.acr, "amr": list(access.amr) or None}
    claims |= {name: value for name, value in optional.items() if value is not None}
    key = keys.signer(key_set, access.client.id_token_signed_response_alg, now=access.now)
    return signing.sign(claims, key, "JWT")


_ENCODINGS: Final[dict[str, Callable[[bytes], str]]] = {
    "base64": lambda digest: binascii.b2a_base64(digest, newline=False).decode("ascii"),
    "base64url": lambda digest: base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"),
    "hex": bytes.hex,
}


def key_of(signature: str, settings: IssuerSettings) -> str:
    """The key in SPLIT for the rest of the token with this signature: the hash of the signature's text."""
    digest = hashlib.new(settings.token_hash, signature.encode("ascii")).digest()
    return settings.key_prefix + _ENCODINGS[settings.key_encoding](digest)


def at_hash(token: str) -> str:
    """The left half of SHA-256, which RS256 and ES256 use (OpenID Connect Core section 3.1.3.6)."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode("ascii")).digest()[:16]).rstrip(b"=").decode("ascii")


def _hashed_text(issued: IssuedAccessToken, settings: IssuerSettings) -> str:
    """OpenID Connect requires the hash of the token that the client received; the tutorial hashes the whole JWT."""
    if settings.compat == "curity-tutorial" and issued.whole is not None:
        return issued.whole
    return issued.text
