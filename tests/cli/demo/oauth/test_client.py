"""What the demo's client does not take."""

import json
import os
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import pytest

from edgeworker.cli.demo import wire
from edgeworker.cli.demo.oauth.client import ClientRefuses, OAuthClient, at_hash, on_loopback
from edgeworker.clock import SystemClock
from edgeworker.config import JSON
from edgeworker.testing.issuer import sign, signing_key

ISSUER = "http://auth.localhost:8787"
CALLBACK = "http://127.0.0.1:3000/callback"


@pytest.fixture
def client() -> OAuthClient:
    client = OAuthClient("http://127.0.0.1:1", ISSUER, "notes", "secret", CALLBACK)
    client.metadata = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
    }
    client.jwks = {"keys": [dict(signing_key("RS256", "current").public)]}
    return client


def _id_token(access_token: str, changes: Mapping[str, JSON] | None = None, *, key: str = "current") -> str:
    signer, now = signing_key("RS256", key), SystemClock().now()
    usual: dict[str, JSON] = {"iss": ISSUER, "aud": "notes", "sub": "u_1", "iat": now, "exp": now + 60, "nonce": "n"}
    return sign(
        {**usual, "at_hash": at_hash(access_token, "RS256"), **(changes or {})}, signer, headers={"kid": signer.kid}
    )


def test_at_hash_is_that_of_the_specification() -> None:
    # OpenID Connect Core 1.0, appendix A.3 (its access token and at_hash).
    assert at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"


def test_a_request_has_state_nonce_and_a_challenge(client: OAuthClient) -> None:
    with on_loopback():
        attempt = client.begin("openid email")

    query = {name: values[0] for name, values in parse_qs(urlsplit(attempt.url).query).items()}
    assert (query["state"], query["nonce"]) == (attempt.state, attempt.nonce)
    assert (query["code_challenge_method"], len(query["code_challenge"])) == ("S256", 43)
    assert query["scope"] == "openid email"
    assert attempt.verifier not in attempt.url
    assert "OAUTHLIB_INSECURE_TRANSPORT" not in os.environ


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("code=1&state=other&iss=http%3A%2F%2Fauth.localhost%3A8787", "mismatching_state"),
        ("code=1&state=STATE&iss=http%3A%2F%2Fevil.example", "the answer is of the issuer http://evil.example"),
        ("code=1&state=STATE", "the answer is of the issuer None"),
        ("error=access_denied&state=STATE&iss=http%3A%2F%2Fauth.localhost%3A8787", "access_denied"),
    ],
)
def test_an_answer_that_is_not_to_its_request_is_refused(client: OAuthClient, query: str, why: str) -> None:
    with on_loopback():
        attempt = client.begin("openid")
        with pytest.raises(ClientRefuses, match=why):
            client.code_of(attempt, f"{CALLBACK}?{query.replace('STATE', attempt.state)}")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "http://evil.example"}, "issuer"),
        ({"aud": "others"}, "[Aa]udience"),
        ({"exp": 1}, "expired"),
        ({"nonce": "other"}, "another nonce"),
        ({"at_hash": at_hash("the whole JWT", "RS256")}, "at_hash differs"),
    ],
)
def test_an_id_token_that_is_wrong_is_refused(client: OAuthClient, changes: Mapping[str, JSON], why: str) -> None:
    assert client.verified(_id_token("S"), "S", "n")["sub"] == "u_1"

    with pytest.raises(ClientRefuses, match=why):
        client.verified(_id_token("S", changes), "S", "n")


def test_an_id_token_of_a_foreign_key_is_refused(client: OAuthClient) -> None:
    with pytest.raises(ClientRefuses, match="a key that is not published"):
        client.verified(_id_token("S", key="foreign"), "S", "n")


def test_metadata_of_another_issuer_are_not_believed(client: OAuthClient, monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.dumps({"issuer": "http://evil.example", "jwks_uri": "http://evil.example/jwks"}).encode()
    monkeypatch.setattr(wire, "call", lambda *_: wire.WireResponse(200, {}, told))

    with pytest.raises(ClientRefuses, match=r"the metadata are of the issuer http://evil\.example"):
        client.discover()


def test_an_error_of_the_token_endpoint_is_its_code(client: OAuthClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "call", lambda *_: wire.WireResponse(400, {}, b'{"error": "invalid_grant"}'))

    with on_loopback(), pytest.raises(ClientRefuses, match="invalid_grant"):
        client.refresh("old")
