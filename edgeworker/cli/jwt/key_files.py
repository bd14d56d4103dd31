"""Public keys from a JWK set (URL or file), a PEM key or certificate. The token is never sent along."""

import asyncio
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from edgeworker.errors import ConfigError, OriginError
from edgeworker.host.http_client import HttpClient
from edgeworker.host.issuer_scripts import verifier_module
from edgeworker.messages import URL, BodyTooLarge, Headers, InvalidURL, Request

if TYPE_CHECKING:
    from verifier.keys import PublicKeySet

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey

_TIMEOUT_SECONDS: Final = 10
_MAX_BYTES: Final = 1_048_576
_CURVES: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


@dataclass(frozen=True, slots=True)
class NamedKey:
    """`kid` is None if the source gives no id; such a key is tried for every token that names no other key.
    `allowed` are the algorithms that the source lets it be used for, if it says so."""

    kid: str | None
    public: PublicKey
    allowed: frozenset[str] | None = None

    @property
    def algorithms(self) -> frozenset[str]:
        """What a signature of this key may be: the key decides, never the token."""
        fitting = self._fitting()
        return fitting if self.allowed is None else fitting & self.allowed

    def _fitting(self) -> frozenset[str]:
        match self.public:
            case rsa.RSAPublicKey():
                return frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
            case ec.EllipticCurvePublicKey(curve=curve):
                return frozenset({_CURVES[curve.name]} if curve.name in _CURVES else ())
            case ed448.Ed448PublicKey():
                return frozenset({"EdDSA", "Ed448"})
            case _:
                return frozenset({"EdDSA", "Ed25519"})


def load(where: str) -> list[NamedKey]:
    """The keys at a URL or in a file. Raises ConfigError where there are none."""
    content = asyncio.run(_fetch_document(where)) if where.startswith(("http://", "https://")) else _read(where)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"--keys {where}: it is not text; give a JWK set or PEM.") from None
    keys = list(_from_pem(text, None) if "-----BEGIN" in text.lstrip()[:11] else _from_json(text, where))
    if not keys and "PRIVATE KEY-----" in text:
        raise ConfigError(
            f"--keys {where}: it holds a private key; the public one is enough: openssl pkey -in FILE -pubout"
        )
    if not keys:
        raise ConfigError(f"--keys {where}: it holds no public key that can verify a JWT.")
    return keys


async def _fetch_document(url: str) -> bytes:
    headers = Headers({"accept": "application/json", "user-agent": "edgeworker"})
    try:
        async with HttpClient(os.environ) as client, asyncio.timeout(_TIMEOUT_SECONDS):
            answer = await client.fetch(Request("GET", URL.parse(url), headers))
            content = b"" if answer.body is None else await answer.body.read(limit=_MAX_BYTES)
    except BodyTooLarge:
        raise ConfigError(f"--keys {url}: the document is larger than {_MAX_BYTES} bytes.") from None
    except InvalidURL as error:
        raise ConfigError(f"--keys {url}: it is not a URL such as https://example.com/jwks.json: {error}") from None
    except TimeoutError:
        raise ConfigError(f"--keys {url}: it did not come within {_TIMEOUT_SECONDS} seconds.") from None
    except OriginError as error:
        raise ConfigError(f"--keys {url}: it cannot be fetched: {error}") from None
    if answer.status != 200:
        # Keys are believed because of where they are; another server's word for that is not enough.
        to = answer.headers.get("location")
        raise ConfigError(
            f"--keys {url}: the server answered {answer.status}"
            + (f" and leads to {to}; redirects are not followed, give that URL if it is the right one." if to else ".")
        )
    return content


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"--keys {path}: the file cannot be read: {error.strerror}.") from None


def _from_json(text: str, where: str) -> Iterable[NamedKey]:
    """A JWK set, one JWK, or an object of certificates by key id.

    A JWK set is read by the very module with which the gateway and the API read it, so both refuse the same.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigError(f"--keys {where}: it is neither JSON nor PEM.") from None
    if not isinstance(document, dict):
        raise ConfigError(f"--keys {where}: it is JSON, but no JWK set.")
    if "keys" in document or "kty" in document:
        yield from _from_jwk_set(text if "keys" in document else json.dumps({"keys": [document]}), where)
    for kid, value in document.items():
        if isinstance(value, str) and value.startswith("-----BEGIN"):
            yield from _from_pem(value, kid)


def _from_jwk_set(text: str, where: str) -> Iterable[NamedKey]:
    keys, claims = verifier_module("keys"), verifier_module("claims")
    try:
        found: PublicKeySet = keys.parse_key_set(text, frozenset(claims.ALGORITHMS))
    except keys.BadKeySet as error:
        raise ConfigError(
            f"--keys {where}: it holds no public key to trust: {error}. The gateway and the API refuse this set too."
        ) from None
    for key in found.keys:
        yield NamedKey(key.kid, key.public, key.algorithms)


def _from_pem(text: str, kid: str | None) -> Iterable[NamedKey]:
    content = text.strip().encode()
    try:
        if b"BEGIN CERTIFICATE" in content:
            found: list[object] = [certificate.public_key() for certificate in x509.load_pem_x509_certificates(content)]
        else:
            found = [load_pem_public_key(content)]
    except (ValueError, UnsupportedAlgorithm):
        return
    for key in found:
        if isinstance(key, PublicKey):
            yield NamedKey(kid, key)
