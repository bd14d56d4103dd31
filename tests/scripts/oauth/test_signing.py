"""JWTs of the server, and those that clients sign: only the client's own public keys verify them."""

from collections.abc import Mapping

import jwt
import pytest

from edgeworker.testing.issuer import signing_key
from issuer import keys, signing
from issuer.signing import BadToken

KEY = keys.signer(keys.new(["ES256"], now=0), "ES256", now=0)
CLIENT_KEY = signing_key("ES256")
JWKS: Mapping[str, object] = {"keys": [dict(CLIENT_KEY.public)]}


def signed(header: Mapping[str, object] | None = None, *, key: object = None, alg: str = "ES256") -> str:
    headers = {"kid": CLIENT_KEY.kid, **(header or {})}
    return jwt.encode({"sub": "shop"}, key or CLIENT_KEY.private, algorithm=alg, headers=headers)  # type: ignore[arg-type]


def test_a_token_of_the_server_names_its_key_type_and_algorithm() -> None:
    text = signing.sign({"sub": "a"}, KEY, "at+jwt")

    assert jwt.get_unverified_header(text) == {"alg": "ES256", "kid": KEY.kid, "typ": "at+jwt"}
    assert jwt.decode(text, jwt.PyJWK(KEY.public_jwk).key, algorithms=["ES256"]) == {"sub": "a"}


@pytest.mark.parametrize("typ", [None, "JWT", "client-authentication+jwt", "application/client-authentication+jwt"])
def test_a_clients_jwt_is_read(typ: str | None) -> None:
    assert signing.claims_of_client(signed({"typ": typ}), JWKS) == {"sub": "shop"}


REFUSED = {
    "another kind of token of the same key": signed({"typ": "at+jwt"}),
    "a critical extension": signed({"crit": ["exp"], "exp": 1}),
    "an unknown key": signed({"kid": "unknown"}),
    "another key": signed(key=signing_key("ES256", "another").private),
    "a symmetric key": signed(key="secret" * 8, alg="HS256"),
    "not signed": jwt.encode({"sub": "shop"}, None, algorithm="none"),  # type: ignore[arg-type]
    "no signature": signed().rpartition(".")[0] + ".",
    "four parts": signed() + ".AAAA",
    "two parts": "a.b",
    "empty": "",
    "too long": "a" * (signing.MAX_TOKEN_LENGTH + 1),
    "a header that is a list": "W10.e30.AAAA",
    "padded base64": "e30=.e30.AAAA",
}


@pytest.mark.parametrize("case", REFUSED)
def test_another_one_is_refused_and_not_quoted(case: str) -> None:
    token = REFUSED[case]

    with pytest.raises(BadToken) as raised:
        signing.claims_of_client(token, JWKS)

    assert not token or token not in str(raised.value)


def test_a_key_set_that_cannot_be_used_is_said_to_be_the_clients() -> None:
    with pytest.raises(BadToken, match="the client's key set is unusable"):
        signing.claims_of_client(signed(), {"keys": "none"})


def test_claims_can_be_looked_at_before_the_key_is_known() -> None:
    assert signing.unverified_claims(signed()) == {"sub": "shop"}
    with pytest.raises(BadToken):
        signing.unverified_claims("a.b.c.d")
