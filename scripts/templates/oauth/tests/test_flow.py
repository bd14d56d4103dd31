"""`edge` and `clock` are fixtures of edgeworker's pytest plugin: these four workers, and time that stands still.
`edge.issuer` makes tokens as the token worker does, with keys that are made for the tests."""

import base64

import pytest

from edgeworker.testing import signing_keys

pytestmark = pytest.mark.edgeworker(variables={"SIGNING_KEYS": signing_keys()})

ISSUER = "http://auth.localhost:8787"
API = "http://api.localhost:8787"


def bearer(token):
    return {"authorization": f"Bearer {token}"}


def test_the_server_tells_clients_where_everything_is(edge):
    metadata = edge.get(f"{ISSUER}/.well-known/openid-configuration").json()

    assert (metadata["issuer"], metadata["token_endpoint"]) == (ISSUER, f"{ISSUER}/token")


def test_an_unknown_client_is_sent_nowhere(edge):
    answer = edge.get(f"{ISSUER}/authorize?response_type=code&client_id=unknown&redirect_uri=https://evil.example/")

    assert answer.status == 400
    assert answer.headers.get("location") is None


def test_a_split_token_opens_the_api(edge):
    sub = edge.issuer.add_user("ann@example.com", name="Ann")
    token = edge.issuer.token(sub=sub, scope="records.read", split=True)

    answer = edge.get(f"{API}/claims", headers=bearer(token))

    assert (answer.status, answer.json()["sub"]) == (200, sub)


def test_a_token_without_the_scope_does_not(edge):
    token = edge.issuer.token(scope="openid", split=True)

    assert edge.get(f"{API}/records", headers=bearer(token)).status == 403


def test_a_token_that_expired_is_refused(edge, clock):
    token = edge.issuer.token(scope="records.read", split=True, ttl_seconds=300)
    clock.advance(301)

    assert edge.get(f"{API}/claims", headers=bearer(token)).status == 401


def test_a_revoked_token_is_refused_at_once(edge):
    token = edge.issuer.token(scope="records.read", split=True)
    pair = f"{edge.issuer.client_id}:{edge.issuer.client_secret}"
    headers = {
        "authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
        "content-type": "application/x-www-form-urlencoded",
    }

    assert edge.post(f"{ISSUER}/revoke", headers=headers, body=f"token={token}").status == 200

    assert edge.get(f"{API}/claims", headers=bearer(token)).status == 401
