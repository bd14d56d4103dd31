"""An authorization server's tokens for a test: real JWTs, split and published as a publisher does it.

Keys are made when the first token is wanted, once a process: an RSA key costs more than all else here.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from edgeworker.clock import Clock
from edgeworker.config import JSON
from edgeworker.testing.origin import Origin
from edgeworker.testing.origin_rules import Rule

Algorithm = Literal["RS256", "ES256"]
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

DEFAULT_URL: Final = "https://issuer.example.net"
DEFAULT_AUDIENCE: Final = "https://api.example.com"
DEFAULT_NAMESPACE: Final = "TOKENS"  # the binding of the split-token script
# KV takes no expiry that is nearer than this, so an entry may outlive its token; the token's own `exp` decides.
MIN_PUBLISHED_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """`kid` is the key's RFC 7638 thumbprint, `public` its JWK."""

    algorithm: Algorithm
    kid: str
    private: PrivateKey = field(repr=False)
    public: Mapping[str, JSON] = field(repr=False)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """`str(token)` is what the client gets: the signature of a split token, else the whole JWT.

    `key` is the name under which `published_value` ("header.payload") lies in KV; both are None for a whole JWT and
    for what cannot be split.
    """

    jwt: str = field(repr=False)
    split: bool
    key: str | None = None
    published_value: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.jwt.rpartition(".")[2] if self.split else self.jwt


# (namespace, key, value, expiration in epoch seconds): one entry, as `PUT .../values/{key}?expiration=...` writes it.
Publish = Callable[[str, str, str, int], None]


class TokenIssuer:
    """`url` is the `iss` of its tokens, `namespace` the KV binding in which split ones are published; both may be set.

    `tokens` are all that it issued, oldest first.
    """

    def __init__(
        self,
        clock: Clock,
        publish: Publish,
        origin: Origin,
        *,
        url: str = DEFAULT_URL,
        audience: str = DEFAULT_AUDIENCE,
    ) -> None:
        self.url = url
        self.audience = audience
        self.namespace = DEFAULT_NAMESPACE
        self.tokens: list[IssuedToken] = []
        self._clock = clock
        self._publish = publish
        self._origin = origin

    @property
    def jwks_url(self) -> str:
        return f"{self.url}/.well-known/jwks.json"

    def token(
        self,
        *,
        sub: str = "alice",
        split: bool = False,
        ttl_seconds: int = 300,
        aud: str | Sequence[str] | None = None,
        scope: str | None = None,
        algorithm: Algorithm = "RS256",
        claims: Mapping[str, JSON] | None = None,
        headers: Mapping[str, JSON] | None = None,
        publish: bool = True,
    ) -> IssuedToken:
        """A good token. `claims` and `headers` are added to what is usual; a value of None removes one.

        A split token is in KV when this returns, unless `publish` is False.
        """
        payload = self.payload(sub=sub, ttl_seconds=ttl_seconds, aud=aud, scope=scope)
        key = self.key(algorithm)
        text = sign(apply_changes(payload, claims), key, headers=apply_changes(self.header(key), headers))
        return self.issue(text, split=split, publish=publish, expires_at=self._clock.now() + ttl_seconds)

    def payload(
        self,
        *,
        sub: str = "alice",
        ttl_seconds: int = 300,
        aud: str | Sequence[str] | None = None,
        scope: str | None = None,
    ) -> dict[str, JSON]:
        """The claims of an ordinary access token."""
        now = self._clock.now()
        audience: JSON = self.audience if aud is None else aud if isinstance(aud, str) else list(aud)
        payload: dict[str, JSON] = {
            "iss": self.url,
            "sub": sub,
            "aud": audience,
            "iat": now,
            "nbf": now,
            "exp": now + ttl_seconds,
            # Two tokens with the same claims in the same second would have the same signature, and so the same key.
            "jti": secrets.token_urlsafe(16),
        }
        if scope is not None:
            payload["scope"] = scope
        return payload

    def key(self, algorithm: Algorithm) -> IssuerKey:
        """What it signs with now."""
        return signing_key(algorithm)

    def header(self, key: IssuerKey) -> dict[str, JSON]:
        return {"alg": key.algorithm, "typ": "at+jwt", "kid": key.kid}

    def bad(self, variant: str, *, split: bool = False) -> IssuedToken:
        """A token that must be refused: `variant` is a name of `edgeworker.testing.forged.BAD_TOKENS`.

        A split one is published, so that a gateway which looks only at KV lets it pass.
        """
        from edgeworker.testing.forged import forge

        return self.issue(forge(self, variant, now=self._clock.now()), split=split, publish=split)

    def issue(self, text: str, *, split: bool, publish: bool, expires_at: int | None = None) -> IssuedToken:
        """A token of any text. Splitting takes the last dot, so it works for texts that are not JWTs too."""
        value, _, signature = text.rpartition(".")
        if not split or not value or not signature:
            token = IssuedToken(text, False)
        else:
            token = IssuedToken(text, True, kv_key(signature), value)
            if publish:
                earliest = self._clock.now() + MIN_PUBLISHED_SECONDS
                self._publish(self.namespace, kv_key(signature), value, max(expires_at or 0, earliest))
        self.tokens.append(token)
        return token

    def jwks(self) -> dict[str, JSON]:
        """The public keys."""
        keys: list[JSON] = [dict(self.key(algorithm).public) for algorithm in ("RS256", "ES256")]
        return {"keys": keys}

    def serve(self) -> Rule:
        """Lets workers fetch the key set, at `jwks_url`, and the issuer's metadata. Gives the key set's rule."""
        metadata: JSON = {"issuer": self.url, "jwks_uri": self.jwks_url}
        for name in ("openid-configuration", "oauth-authorization-server"):
            self._origin.on(f"{self.url}/.well-known/{name}", json=metadata)
        return self._origin.on(self.jwks_url, json=self.jwks(), headers={"Cache-Control": "max-age=300"})


def kv_key(signature: str) -> str:
    """Where a publisher puts header and payload: SHA-256 of the signature's text, standard base64 with padding."""
    return base64.b64encode(hashlib.sha256(signature.encode()).digest()).decode("ascii")


def sign(payload: Mapping[str, JSON], key: IssuerKey, *, headers: Mapping[str, JSON] | None = None) -> str:
    return jwt.encode(dict(payload), key.private, algorithm=key.algorithm, headers=dict(headers or {}))


@cache
def signing_key(algorithm: Algorithm, name: str = "current") -> IssuerKey:
    """One key a process for each algorithm and name."""
    match algorithm:
        case "RS256":
            return _describe_key(algorithm, rsa.generate_private_key(public_exponent=65537, key_size=2048))
        case "ES256":
            return _describe_key(algorithm, ec.generate_private_key(ec.SECP256R1()))


def encoded(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def segment(value: Mapping[str, JSON] | str) -> str:
    """One segment of a JWT: an object, or the JSON text itself."""
    return encoded((value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))).encode())


def _describe_key(algorithm: Algorithm, private: PrivateKey) -> IssuerKey:
    match private:
        case rsa.RSAPrivateKey():
            numbers = private.public_key().public_numbers()
            members = {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
        case ec.EllipticCurvePrivateKey():
            point = private.public_key().public_numbers()
            members = {"crv": "P-256", "kty": "EC", "x": _number(point.x, 32), "y": _number(point.y, 32)}
    # RFC 7638: the required members only, sorted, without spaces.
    thumbprint = hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).digest()
    kid = encoded(thumbprint)
    return IssuerKey(algorithm, kid, private, {**members, "alg": algorithm, "use": "sig", "kid": kid})


def _number(value: int, size: int | None = None) -> str:
    return encoded(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def apply_changes(values: dict[str, JSON], changes: Mapping[str, JSON] | None) -> dict[str, JSON]:
    """`values` with `changes` added; a change to None removes one."""
    merged = {**values, **(changes or {})}
    return {
        name: value for name, value in merged.items() if changes is None or name not in changes or value is not None
    }
