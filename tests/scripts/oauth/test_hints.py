"""id_token_hint: which ID tokens are believed."""

import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from issuer.hints import Hints

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


def token(key: Any = RSA, algorithm: str = "RS256", kid: str | None = "r", typ: str = "JWT", **claims: object) -> str:
    headers: dict[str, Any] = {"typ": typ} | ({} if kid is None else {"kid": kid})
    kept = {name: value for name, value in (CLAIMS | claims).items() if value is not None}
    return jwt.encode(kept, key, algorithm, headers=headers)


class Server:
    """The issuer's key set; counts who asks."""

    def __init__(self, document: Callable[[], str] = lambda: json.dumps(KEYS)) -> None:
        self.asked = 0
        self.document = document

    async def get(self) -> str:
        self.asked += 1
        return self.document()


async def claims(text: str) -> dict[str, object] | None:
    return await Hints(ISSUER, Server().get).claims(text, now=1_900_000_000)


async def test_an_id_token_of_ours_is_believed_long_after_it_expired() -> None:
    assert (await claims(token()) or {})["sub"] == "u_ann"
    assert (await claims(token(EC, "ES256", "e")) or {})["sub"] == "u_ann"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a.b.c",
        "x" * 10_000,
        token(OTHER),
        token(kid=None),
        token(kid="unknown"),
        token(kid="e"),
        token(typ="at+jwt"),
        token(iss="https://evil.example"),
        token(iss=None),
        token(sub=None),
        token("secret-secret-secret-secret-secret", "HS256"),
        jwt.encode(CLAIMS, "", "none", headers={"kid": "r"}),
        token().rpartition(".")[0] + ".",
        token(RSA, "RS512"),
    ],
    ids=range(16),
)
async def test_anything_else_is_nobody(text: str) -> None:
    assert await claims(text) is None


async def test_keys_are_fetched_rarely_whatever_comes_in() -> None:
    server = Server()
    hints = Hints(ISSUER, server.get)
    for number in range(50):
        await hints.claims(token(kid=f"random{number}"), now=1000)
    assert server.asked == 1

    assert await hints.claims(token(), now=1001) is not None
    await hints.claims(token(kid="new"), now=1061)
    assert server.asked == 2


async def test_the_last_good_keys_stay_while_no_newer_ones_can_be_had() -> None:
    server = Server()
    hints = Hints(ISSUER, server.get)
    assert await hints.claims(token(), now=1000) is not None
    for document in ("", "[]", "{}", '{"keys": 1}', "[" * 100_000, " " * 300_000):
        server.document = lambda document=document: document  # type: ignore[misc]
        assert await hints.claims(token(), now=1000 + 700 * server.asked) is not None

    async def broken() -> str:
        raise OSError("no")

    assert await Hints(ISSUER, broken).claims(token(), now=1000) is None
