"""Tokens for the benchmark: split JWTs that no key has signed, which is as good for a gateway that only joins them."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NAMESPACE: Final = "bench"
_FAR_FUTURE: Final = 4_102_444_800  # 2100


@dataclass(frozen=True, slots=True)
class Split:
    """`token` is what the client sends, `key` where `value` ("header.payload") lies in KV."""

    token: str
    key: str
    value: str


class Signer:
    """An issuer's key. `key_set` is what a gateway verifies with, as JSON."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives.asymmetric import rsa
        from jwt.algorithms import RSAAlgorithm

        self._key = rsa.generate_private_key(65537, 2048)
        public = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
        self.key_set = json.dumps({"keys": [{**public, "kid": "bench", "alg": "RS256", "use": "sig"}]})

    def sign(self, content: bytes) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        return self._key.sign(content, PKCS1v15(), SHA256())


def make(count: int, signer: Signer | None = None) -> list[Split]:
    return [_split(number, signer) for number in range(count)]


def write(tokens: list[Split], path: Path) -> None:
    path.write_text(json.dumps([[one.token, one.key, one.value] for one in tokens]))


def read(path: Path) -> list[Split]:
    return [Split(token, key, value) for token, key, value in json.loads(path.read_text())]


def _split(number: int, signer: Signer | None) -> Split:
    header = _encode(json.dumps({"alg": "RS256", "kid": "bench", "typ": "at+jwt"}).encode())
    claims = {"iss": "https://issuer.example.com", "aud": "api", "sub": f"user-{number}", "exp": _FAR_FUTURE}
    value = f"{header}.{_encode(json.dumps(claims).encode())}"
    # As long as RS256's with 2048 bits: 342 characters.
    signature = _encode(secrets.token_bytes(256) if signer is None else signer.sign(value.encode()))
    digest = base64.b64encode(hashlib.sha256(signature.encode()).digest()).decode()
    return Split(signature, digest, value)


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
