"""`edge.issuer` where the OAuth server of scripts/oauth runs."""

import base64
from collections.abc import Iterator
from dataclasses import replace

import jwt
import pytest

from edgeworker.config import JSON, Config
from edgeworker.host.bundled import scripts_folder
from edgeworker.testing import Edge, IssuedToken, Reply
from edgeworker.testing.edge import read
from edgeworker.testing.forged import BAD_TOKENS
from edgeworker.testing.server_issuer import OAuthServerIssuer, server_of, signing_keys

ISSUER = "https://auth.example.com"
VARIABLES: dict[str, JSON] = {"SIGNING_KEYS": signing_keys(), "RESOURCES": ["https://api.example.com"]}


def _edge() -> Edge:
    return Edge(
        [scripts_folder() / "oauth" / worker / "wrangler.toml" for worker in ("auth", "token")], variables=VARIABLES
    )


@pytest.fixture
def edge() -> Iterator[Edge]:
    with _edge() as edge:
        yield edge


@pytest.fixture
def issuer(edge: Edge) -> OAuthServerIssuer:
    assert isinstance(edge.issuer, OAuthServerIssuer)
    return edge.issuer


def _asked(edge: Edge, issuer: OAuthServerIssuer, path: str, token: IssuedToken) -> Reply:
    pair = base64.b64encode(f"{issuer.client_id}:{issuer.client_secret}".encode()).decode()
    headers = {"authorization": f"Basic {pair}", "content-type": "application/x-www-form-urlencoded"}
    return edge.post(f"{ISSUER}{path}", headers=headers, body=f"token={token}")


def _document(reply: Reply) -> dict[str, JSON]:
    document = reply.json()
    assert isinstance(document, dict), reply.text
    return document


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_is_signed_with_a_key_that_the_server_publishes(
    edge: Edge, issuer: OAuthServerIssuer, split: bool, algorithm: str
) -> None:
    token = issuer.token(
        sub="alice", split=split, scope="openid", algorithm="ES256" if algorithm == "ES256" else "RS256"
    )

    keys = jwt.PyJWKSet.from_dict(_document(edge.get(issuer.jwks_url)))
    header = jwt.get_unverified_header(token.jwt)
    key = next(key for key in keys.keys if key.key_id == header["kid"])
    claims = jwt.decode(
        token.jwt,
        key,
        algorithms=[algorithm],
        audience="https://api.example.com",
        issuer=ISSUER,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert (header["typ"], claims["sub"], claims["client_id"]) == ("at+jwt", "alice", issuer.client_id)
    assert claims["exp"] - claims["iat"] == 300


@pytest.mark.parametrize("split", [False, True])
def test_introspection_knows_it_until_it_is_revoked(edge: Edge, issuer: OAuthServerIssuer, split: bool) -> None:
    token = issuer.token(split=split, scope="openid email")
    told = _document(_asked(edge, issuer, "/introspect", token))
    assert (told["active"], told["scope"], told["sub"]) == (True, "openid email", "alice")

    assert _asked(edge, issuer, "/revoke", token).status == 200

    assert _document(_asked(edge, issuer, "/introspect", token)) == {"active": False}
    if split:
        assert edge.kv(issuer.namespace).keys() == []


def test_a_split_token_is_published_where_its_gateway_looks(edge: Edge, issuer: OAuthServerIssuer) -> None:
    token = issuer.token(split=True)

    assert token.key is not None
    assert f"{edge.kv(issuer.namespace).get(token.key)}.{token}" == token.jwt
    assert edge.kv(issuer.namespace).keys() == [token.key]
    issuer.token(split=True, publish=False)
    assert edge.kv(issuer.namespace).keys() == [token.key]


def test_userinfo_knows_the_user(edge: Edge, issuer: OAuthServerIssuer) -> None:
    sub = issuer.add_user("ann@example.com", name="Ann")
    token = issuer.token(sub=sub, split=True, scope="openid email")

    told = edge.get(f"{ISSUER}/userinfo", headers={"authorization": f"Bearer {token}"})

    assert (told.status, _document(told)["sub"], _document(told)["email"]) == (200, sub, "ann@example.com")


def test_claims_and_header_fields_can_be_changed_and_the_server_still_knows_it(
    edge: Edge, issuer: OAuthServerIssuer
) -> None:
    token = issuer.token(split=True, claims={"role": "admin", "jti": None}, headers={"typ": "JWT"})

    payload = jwt.decode(token.jwt, options={"verify_signature": False})
    assert payload["role"] == "admin"
    assert "jti" not in payload
    assert jwt.get_unverified_header(token.jwt)["typ"] == "JWT"
    assert _document(_asked(edge, issuer, "/introspect", token))["active"] is True


def test_time_ends_a_token(edge: Edge, issuer: OAuthServerIssuer) -> None:
    token = issuer.token(split=True, ttl_seconds=300)
    edge.clock.advance(301)

    assert _document(_asked(edge, issuer, "/introspect", token)) == {"active": False}


@pytest.mark.parametrize("variant", BAD_TOKENS)
def test_bad_tokens_are_made_with_the_servers_key_and_are_not_its_own(
    edge: Edge, issuer: OAuthServerIssuer, variant: str
) -> None:
    token = issuer.bad(variant)

    assert token.jwt != ""
    assert _document(_asked(edge, issuer, "/introspect", IssuedToken("".join(str(token).split()), False))) == {
        "active": False
    }


def test_a_token_that_is_bad_for_its_time_is_good_in_all_else(edge: Edge, issuer: OAuthServerIssuer) -> None:
    token = issuer.bad("expired")

    keys = jwt.PyJWKSet.from_dict(_document(edge.get(issuer.jwks_url)))
    kid = jwt.get_unverified_header(token.jwt)["kid"]
    key = next(key for key in keys.keys if key.key_id == kid)
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(token.jwt, key, algorithms=["RS256"], audience="https://api.example.com", issuer=ISSUER)


def test_a_bad_token_can_be_split_and_published(edge: Edge, issuer: OAuthServerIssuer) -> None:
    token = issuer.bad("expired", split=True)

    assert token.key is not None
    assert f"{edge.kv(issuer.namespace).get(token.key)}.{token}" == token.jwt


def test_a_server_with_broken_keys_is_told() -> None:
    config = read(scripts_folder() / "oauth" / "token" / "wrangler.toml")

    with pytest.raises(ValueError, match="SIGNING_KEYS: it is not JSON"):
        server_of(config)


def test_another_edge_has_an_issuer_of_its_own() -> None:
    assert server_of(Config()) is None
    with Edge(replace(Config())) as edge:
        assert not isinstance(edge.issuer, OAuthServerIssuer)
