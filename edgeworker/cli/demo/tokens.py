"""The two sides of the pattern that are not the edge's: an issuer that signs JWTs, and its publisher."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from edgeworker.cli.demo import wire

ISSUER: Final = "https://issuer.example"
AUDIENCE: Final = "https://api.example"
KEY_ID: Final = "demo-1"


@dataclass(frozen=True, slots=True)
class DemoToken:
    """A whole JWT. `exp` is in epoch seconds."""

    whole: str = field(repr=False)
    exp: int

    @property
    def signature(self) -> str:
        """What the client gets: the third part."""
        return self.whole.rpartition(".")[2]

    @property
    def value(self) -> str:
        """What KV gets: header and payload."""
        return self.whole.rpartition(".")[0]

    @property
    def key(self) -> str:
        """Where KV has it: SHA-256 of the signature's text, in base64 with padding."""
        return base64.b64encode(hashlib.sha256(self.signature.encode("ascii")).digest()).decode("ascii")


class DemoIssuer:
    """Signs RS256 access tokens for one user with a key that was made for this run."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def public_key(self) -> rsa.RSAPublicKey:
        return self._key.public_key()

    def issue(self, *, issued_at: int, ttl_seconds: int, subject: str = "ann") -> DemoToken:
        exp = issued_at + ttl_seconds
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "scope": "orders.read",
            "iat": issued_at,
            "exp": exp,
            # RS256 is deterministic: without it, two tokens of one second would share their signature.
            "jti": secrets.token_urlsafe(16),
        }
        headers = {"kid": KEY_ID, "typ": "at+jwt"}
        return DemoToken(jwt.encode(claims, self._key, algorithm="RS256", headers=headers), exp)

    def issue_with_slash_in_key(self, *, issued_at: int, ttl_seconds: int) -> DemoToken:
        """Half of all keys have a "/", which a careless API takes for a path separator; this one surely has one."""
        while True:
            token = self.issue(issued_at=issued_at, ttl_seconds=ttl_seconds)
            if "/" in token.key:
                return token


@dataclass(frozen=True, slots=True)
class Publisher:
    """Writes tokens to KV over the REST API as the Curity publisher does, byte for byte.

    The key goes into the path as it is, unescaped. Source: github.com/curityio/cloudflare-token-publisher, 0.1.0.
    """

    api_url: str
    account_id: str
    namespace_id: str
    api_token: str = field(repr=False)

    @property
    def namespace_path(self) -> str:
        base = urlsplit(self.api_url).path
        return f"{base}/client/v4/accounts/{self.account_id}/storage/kv/namespaces/{self.namespace_id}"

    def target(self, token: DemoToken, *, expiration: int) -> str:
        return f"{self.namespace_path}/values/{token.key}?expiration={expiration}"

    def publish(self, token: DemoToken, *, expiration: int | None = None) -> wire.WireResponse:
        """`expiration` is when KV forgets the entry (epoch seconds): the token's own expiry where it is not given."""
        target = self.target(token, expiration=token.exp if expiration is None else expiration)
        return wire.call(self.api_url, "PUT", target, self._headers, token.value.encode("ascii"))

    def stored(self, token: DemoToken) -> wire.WireResponse:
        return wire.call(self.api_url, "GET", f"{self.namespace_path}/values/{token.key}", self._headers)

    def keys(self) -> wire.WireResponse:
        return wire.call(self.api_url, "GET", f"{self.namespace_path}/keys", self._headers)

    def withdraw(self, token: DemoToken) -> wire.WireResponse:
        return wire.call(self.api_url, "DELETE", f"{self.namespace_path}/values/{token.key}", self._headers)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_token}"}
