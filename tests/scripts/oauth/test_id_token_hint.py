"""id_token_hint: which ID tokens are believed."""

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from issuer import id_token_hint
from issuer.id_token_hint import ALGORITHMS, UNREADABLE, IDTokenHint
from verifier import keys
from verifier.claims import Claims

ISSUER = "https://auth.example.com"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
KEYS = {
    "keys": [
        {**json.loads(RSAAlgorithm.to_jwk(RSA.public_key())), "kid": "r", "alg": "RS256", "use": "sig"},
        {**json.loads(ECAlgorithm.to_jwk(EC.public_key())), "kid": "e", "alg": "ES256", "use": "sig"},
    ]
}
CLAIMS: dict[str, Any] = {"iss": ISSUER, "sub": "u_ann", "aud": "shop", "iat": 1_800_000_000, "exp": 1_800_000_600}
UNVERIFIED = IDTokenHint("u_ann", "shop", is_verified=False)


def token(key: Any = RSA, algorithm: str = "RS256", kid: str | None = "r", typ: str = "JWT", **claims: object) -> str:
    headers: dict[str, Any] = {"typ": typ} | ({} if kid is None else {"kid": kid})
    kept = {name: value for name, value in (CLAIMS | claims).items() if value is not None}
    return jwt.encode(kept, key, algorithm, headers=headers)


class OwnKeys:
    async def check(self, text: str, header: Claims, *, now: float) -> None:
        found = keys.parse_key_set(json.dumps(KEYS), frozenset(ALGORITHMS))
        keys.verify_signature(text, header, found)


class NoKeys:
    async def check(self, text: str, header: Claims, *, now: float) -> None:
        raise OSError("refused")


async def read(text: str) -> IDTokenHint:
    return await id_token_hint.read(text, ISSUER, OwnKeys(), now=1_900_000_000)


async def test_an_id_token_of_ours_is_believed_long_after_it_expired() -> None:
    assert await read(token()) == IDTokenHint("u_ann", "shop", is_verified=True)
    assert (await read(token(EC, "ES256", "e"))).is_verified


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a.b.c",
        "x" * 10_000,
        token(typ="at+jwt"),
        token(iss="https://evil.example"),
        token(iss=None),
        token(sub=None),
        token(aud=["shop", "other"]),
    ],
    ids=range(9),
)
async def test_what_is_not_an_id_token_of_this_issuer_says_nothing(text: str) -> None:
    assert await read(text) == UNREADABLE


@pytest.mark.parametrize(
    "text",
    [
        token(OTHER),
        token(kid="unknown"),
        token(kid="e"),
        token("secret-secret-secret-secret-secret", "HS256"),
        token(RSA, "RS512"),
        token().rpartition(".")[0] + ".AAAA",
    ],
    ids=range(6),
)
async def test_what_no_published_key_signed_is_not_believed(text: str) -> None:
    assert await read(text) == UNVERIFIED


async def test_without_the_issuers_keys_nothing_is_believed() -> None:
    assert await id_token_hint.read(token(), ISSUER, NoKeys(), now=1000) == UNVERIFIED
