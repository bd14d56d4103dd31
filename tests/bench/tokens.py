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


def make(count: int) -> list[Split]:
    return [_split(number) for number in range(count)]


def write(tokens: list[Split], path: Path) -> None:
    path.write_text(json.dumps([[one.token, one.key, one.value] for one in tokens]))


def read(path: Path) -> list[Split]:
    return [Split(token, key, value) for token, key, value in json.loads(path.read_text())]


def _split(number: int) -> Split:
    header = _encode(json.dumps({"alg": "RS256", "kid": "bench", "typ": "at+jwt"}).encode())
    claims = {"iss": "https://issuer.example.com", "aud": "api", "sub": f"user-{number}", "exp": _FAR_FUTURE}
    signature = _encode(secrets.token_bytes(256))  # as long as RS256's with 2048 bits: 342 characters
    digest = base64.b64encode(hashlib.sha256(signature.encode()).digest()).decode()
    return Split(signature, digest, f"{header}.{_encode(json.dumps(claims).encode())}")


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
