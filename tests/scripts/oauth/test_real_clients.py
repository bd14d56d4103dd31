"""Clients that are not ours run the whole flow: Authlib and requests-oauthlib, for each form of access token.

https://docs.authlib.org/en/latest/client/oauth2.html, https://requests-oauthlib.readthedocs.io
"""

import base64
import io
import json
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import urllib3
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet
from requests.adapters import HTTPAdapter
from requests_oauthlib import OAuth2Session as RequestsOAuth2Session

from edgeworker.config import JSON
from edgeworker.testing import Edge
from issuer import keys, users
from tests.scripts.oauth.auth_stage import CALLBACK, HASH, ISSUER, SHOP, Browser, Stage, set_up, variables

FORMATS = ("split", "jwt", "opaque")
SECRET = "victorias-secret"
SCOPE = "openid email orders.read"
SIGNING_KEYS = keys.dump(keys.new(now=1_700_000_000))


class Through(HTTPAdapter):
    """Sends the requests of the library `requests` into an edge; nothing else of it is changed."""

    def __init__(self, edge: Edge) -> None:
        super().__init__()
        self._edge = edge

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        assert request.url is not None
        body = request.body.encode() if isinstance(request.body, str) else request.body
        assert body is None or isinstance(body, bytes)
        reply = self._edge.request(request.method or "GET", request.url, headers=dict(request.headers), body=body)
        fields = urllib3.HTTPHeaderDict(reply.headers.entries())
        raw = urllib3.HTTPResponse(
            io.BytesIO(reply.content), headers=fields, status=reply.status, preload_content=False
        )
        return self.build_response(request, raw)


@pytest.fixture(params=FORMATS)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    client: dict[str, JSON] = {**SHOP, "token_format": request.param}
    given = variables() | {"CLIENTS": [client], "SIGNING_KEYS": SIGNING_KEYS}
    with set_up(given, workers=("auth", "token")) as made:
        yield made


def metadata(edge: Edge) -> dict[str, str]:
    found: dict[str, str] = edge.get(ISSUER + "/.well-known/openid-configuration").json(dict)
    assert found["issuer"] == ISSUER
    return found


def answered(browser: Browser, url: str) -> str:
    """Where the browser ends after its user logged in and consented."""
    browser.open(url)
    browser.login()
    location = browser.submit(decision="allow").headers.get("location") or ""
    assert location.startswith(CALLBACK + "?code=")
    assert parse_qs(urlsplit(location).query)["iss"] == [ISSUER]  # RFC 9207
    return location


def id_token(edge: Edge, token: Mapping[str, object], *, nonce: str) -> CodeIDToken:
    """The ID token, verified with the published keys and checked by Authlib, at_hash among the rest."""
    keys = KeySet.import_key_set(json.loads(edge.get(metadata(edge)["jwks_uri"]).text))
    decoded = jwt.decode(str(token["id_token"]), keys, algorithms=["RS256", "ES256"])
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        options={
            "iss": {"essential": True, "value": ISSUER},
            "aud": {"essential": True, "value": "victoriasclient"},
            "nonce": {"essential": True, "value": nonce},
            "at_hash": {"essential": True},
        },
        params={"nonce": nonce, "client_id": "victoriasclient", "access_token": token["access_token"]},
    )
    claims.validate()
    return claims


def test_authlib_runs_the_whole_flow(stage: Stage) -> None:
    edge, places = stage.edge, metadata(stage.edge)
    nonce, verifier = generate_token(32), generate_token(48)
    with OAuth2Session(
        "victoriasclient",
        SECRET,
        scope=SCOPE,
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        token_endpoint=places["token_endpoint"],
        revocation_endpoint_auth_method="client_secret_basic",
    ) as client:
        client.mount("https://", Through(edge))
        url, state = client.create_authorization_url(
            places["authorization_endpoint"], nonce=nonce, code_verifier=verifier
        )
        location = answered(stage.browser(), url)

        token = client.fetch_token(
            places["token_endpoint"], authorization_response=location, state=state, code_verifier=verifier
        )
        claims = id_token(edge, token, nonce=nonce)
        assert claims["sub"] == stage.ann.id
        assert token["token_type"].lower() == "bearer"
        assert token["expires_in"] == 600

        told = client.get(places["userinfo_endpoint"])
        assert (told.status_code, told.json()["sub"]) == (200, stage.ann.id)
        assert told.json()["email"] == "ann@example.com"

        renewed = client.refresh_token(places["token_endpoint"], refresh_token=token["refresh_token"])
        assert renewed["access_token"] != token["access_token"]
        assert renewed["refresh_token"] != token["refresh_token"]
        assert client.get(places["userinfo_endpoint"]).status_code == 200

        seen = client.introspect_token(places["introspection_endpoint"], token=renewed["access_token"]).json()
        assert (seen["active"], seen["client_id"], seen["sub"]) == (True, "victoriasclient", stage.ann.id)
        assert client.revoke_token(places["revocation_endpoint"], token=renewed["refresh_token"]).status_code == 200
        assert client.get(places["userinfo_endpoint"]).status_code == 401


def test_an_id_token_does_not_validate_with_another_access_token_or_nonce(stage: Stage) -> None:
    edge, places = stage.edge, metadata(stage.edge)
    verifier = generate_token(48)
    with OAuth2Session(
        "victoriasclient", SECRET, scope=SCOPE, redirect_uri=CALLBACK, code_challenge_method="S256"
    ) as client:
        client.mount("https://", Through(edge))
        url, state = client.create_authorization_url(
            places["authorization_endpoint"], nonce="n-1", code_verifier=verifier
        )
        token = client.fetch_token(
            places["token_endpoint"],
            authorization_response=answered(stage.browser(), url),
            state=state,
            code_verifier=verifier,
        )

    assert id_token(edge, token, nonce="n-1")
    with pytest.raises(Exception, match="nonce"):
        id_token(edge, token, nonce="n-2")
    with pytest.raises(Exception, match="at_hash"):
        id_token(edge, {**token, "access_token": token["access_token"] + "x"}, nonce="n-1")


def test_requests_oauthlib_runs_the_whole_flow(stage: Stage) -> None:
    edge, places = stage.edge, metadata(stage.edge)
    with RequestsOAuth2Session("victoriasclient", scope=SCOPE.split(), redirect_uri=CALLBACK, pkce="S256") as client:
        client.mount("https://", Through(edge))
        url, _ = client.authorization_url(places["authorization_endpoint"], nonce="n-1")
        location = answered(stage.browser(), url)

        token = client.fetch_token(
            places["token_endpoint"], authorization_response=location, client_secret=SECRET, include_client_id=False
        )
        id_token(edge, token, nonce="n-1")
        assert client.get(places["userinfo_endpoint"]).json()["sub"] == stage.ann.id

        renewed = client.refresh_token(places["token_endpoint"], auth=("victoriasclient", SECRET))
        assert renewed["access_token"] != token["access_token"]
        assert client.get(places["userinfo_endpoint"]).status_code == 200
        # What was used once is worth nothing, and takes the rest with it.
        again = edge.post(
            places["token_endpoint"],
            headers={"Content-Type": "application/x-www-form-urlencoded", "Authorization": basic()},
            body=f"grant_type=refresh_token&refresh_token={token['refresh_token']}",
        )
        assert (again.status, again.json(dict)["error"]) == (400, "invalid_grant")
        assert client.get(places["userinfo_endpoint"]).status_code == 401


def basic() -> str:
    return "Basic " + base64.b64encode(f"victoriasclient:{SECRET}".encode()).decode()


def test_a_hint_that_the_issuer_signed_signs_out_at_once(stage: Stage) -> None:
    edge, places = stage.edge, metadata(stage.edge)
    verifier, browser = generate_token(48), stage.browser()
    with OAuth2Session(
        "victoriasclient", SECRET, scope=SCOPE, redirect_uri=CALLBACK, code_challenge_method="S256"
    ) as client:
        client.mount("https://", Through(edge))
        url, state = client.create_authorization_url(places["authorization_endpoint"], code_verifier=verifier)
        token = client.fetch_token(
            places["token_endpoint"],
            authorization_response=answered(browser, url),
            state=state,
            code_verifier=verifier,
        )
    hint = token["id_token"]
    silent = url + "&prompt=none&id_token_hint=" + hint
    assert "code=" in (browser.open(silent).headers.get("location") or "")

    reply = browser.open(
        f"/logout?id_token_hint={hint}&post_logout_redirect_uri=https%3A%2F%2Fshop.example.net%2Fbye&state=x"
    )

    assert reply.headers.get("location") == "https://shop.example.net/bye?state=x"
    assert "<h1>Sign in</h1>" in browser.open("/login").text
    # An access token is no such hint, whatever it looks like.
    browser.login()
    access = browser.open(f"/logout?id_token_hint={token['access_token']}")
    assert "<h1>Sign out?</h1>" in access.text


def test_the_hint_of_another_user_needs_that_user(stage: Stage) -> None:
    edge, places = stage.edge, metadata(stage.edge)
    verifier = generate_token(48)
    with OAuth2Session(
        "victoriasclient", SECRET, scope=SCOPE, redirect_uri=CALLBACK, code_challenge_method="S256"
    ) as client:
        client.mount("https://", Through(edge))
        url, state = client.create_authorization_url(places["authorization_endpoint"], code_verifier=verifier)
        token = client.fetch_token(
            places["token_endpoint"],
            authorization_response=answered(stage.browser(), url),
            state=state,
            code_verifier=verifier,
        )
    stage.add(users.new("bob@example.com", HASH, now=1))
    bob, hint = stage.browser(), f"&id_token_hint={token['id_token']}"
    bob.open("/login")
    bob.login("bob@example.com")

    assert "error=login_required" in (bob.open(f"{url}&prompt=none{hint}").headers.get("location") or "")
    assert "sign in once more" in bob.open(url + hint).text
    assert "error=login_required" in (bob.login("bob@example.com").headers.get("location") or "")
    stage.clock.advance(601)
    assert "sign in once more" in bob.open(url + hint).text
    assert "code=" in (bob.login("ann@example.com").headers.get("location") or "")
    # Of a logout it needs the question.
    bob.open("/logout")
    bob.submit(action="logout")
    bob.open("/login")
    bob.login("bob@example.com")
    assert "<h1>Sign out?</h1>" in bob.open(f"/logout?{hint[1:]}").text


def test_who_ends_everything_at_logout_ends_what_apps_may_do(stage: Stage) -> None:
    edge, places = stage.edge, metadata(stage.edge)
    verifier, browser = generate_token(48), stage.browser()
    with OAuth2Session(
        "victoriasclient", SECRET, scope=SCOPE, redirect_uri=CALLBACK, code_challenge_method="S256"
    ) as client:
        client.mount("https://", Through(edge))
        url, state = client.create_authorization_url(places["authorization_endpoint"], code_verifier=verifier)
        token = client.fetch_token(
            places["token_endpoint"],
            authorization_response=answered(browser, url),
            state=state,
            code_verifier=verifier,
        )
        assert client.get(places["userinfo_endpoint"]).status_code == 200
        browser.open("/logout")
        browser.submit(action="logout")
        assert client.get(places["userinfo_endpoint"]).status_code == 200  # a session is not a grant

        browser.open("/login")
        browser.login()
        browser.open("/logout")
        browser.submit(action="logout", everywhere="yes")
        assert client.get(places["userinfo_endpoint"]).status_code == 401
        with pytest.raises(Exception, match="invalid_grant"):
            client.refresh_token(places["token_endpoint"], refresh_token=token["refresh_token"])
    assert edge.kv("SPLIT").keys() == []
