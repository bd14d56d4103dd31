"""Access for SaaS: an application elsewhere logs in with the organization as its OpenID provider."""

import base64
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest

from edgeworker.config import JSON
from edgeworker.products.access.config import ConfiguredObject
from edgeworker.products.access.json_object import JSONObject
from edgeworker.testing.calls import Reply
from edgeworker.testing.local import LocalEdge
from tests.products.access.stage import ALLOW_EXAMPLE, TEAM, Browser, app, edge_with, form_of, members

BACK = "https://crm.test/back"
ISSUER = f"{TEAM}/cdn-cgi/access/sso/oidc/crm"
SAAS: dict[str, JSON] = {
    "name": "CRM",
    "type": "saas",
    "saas_app": {
        "auth_type": "oidc",
        "client_id": "crm",
        "client_secret": "the-secret-of-the-crm",
        "redirect_uris": [BACK],
        "refresh_token_options": {"lifetime": "24h"},
        "custom_claims": [{"name": "dept", "source": {"name": "department"}}],
    },
    "policies": [ALLOW_EXAMPLE],
}
OBJECTS = (ConfiguredObject("app", "id-crm", SAAS, "edge.toml:3"), app("shop", "shop.example.com"))
BASIC = {"Authorization": "Basic " + base64.b64encode(b"crm:the-secret-of-the-crm").decode()}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _url(**changes: str) -> str:
    query = {
        "response_type": "code",
        "client_id": "crm",
        "redirect_uri": BACK,
        "scope": "openid email profile groups",
        "state": "st",
        "nonce": "n0",
        **changes,
    }
    return f"{ISSUER}/authorization?{urlencode({name: value for name, value in query.items() if value})}"


async def _log_in(browser: Browser, email: str = "ada@example.com", **changes: str) -> dict[str, str]:
    page = await browser.go(_url(**changes))
    target, fields = form_of(page, "local")
    reply = await browser.step("POST", f"{TEAM}{target}", body=urlencode({**fields, "email": email}))
    assert reply.status == 303, reply.text
    reply = await browser.step("GET", reply.headers.get("location") or "")
    return _answer(reply)


def _answer(reply: Reply) -> dict[str, str]:
    location = reply.headers.get("location") or ""
    assert location.startswith(BACK), location
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


async def _token(edge: LocalEdge, fields: dict[str, str], headers: dict[str, str] = BASIC) -> Reply:
    return await edge.fetch(f"{ISSUER}/token", method="POST", headers={**FORM, **headers}, body=urlencode(fields))


def _grant(code: str, **changes: str) -> dict[str, str]:
    return {"grant_type": "authorization_code", "redirect_uri": BACK, "code": code, **changes}


def _refresh(tokens: JSONObject) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": tokens.text("refresh_token")}


async def test_an_application_elsewhere_learns_who_logged_in() -> None:
    async with edge_with(*OBJECTS) as edge:
        metadata = members(await edge.fetch(f"{ISSUER}/.well-known/openid-configuration"))
        assert metadata.text("issuer") == ISSUER
        assert "end_session_endpoint" not in metadata.members
        answer = await _log_in(Browser(edge))
        assert (answer["state"], answer["iss"]) == ("st", ISSUER)

        reply = await _token(edge, _grant(answer["code"]))

        tokens = members(reply)
        keys = jwt.PyJWKSet.from_dict(dict(members(await edge.fetch(metadata.text("jwks_uri"))).members))
        id_token = tokens.text("id_token")
        key = keys[jwt.get_unverified_header(id_token)["kid"]].key
        claims = jwt.decode(id_token, key, algorithms=["RS256"], audience="crm", issuer=ISSUER)
        assert (claims["email"], claims["name"], claims["nonce"]) == ("ada@example.com", "Ada", "n0")
        assert (claims["groups"], claims["dept"]) == (["Eng", "Ops"], "R&D")
        bearer = {"Authorization": f"Bearer {tokens.text('access_token')}"}
        info = members(await edge.fetch(f"{ISSUER}/userinfo", headers=bearer))
        assert info.text("sub") == claims["sub"]
        renewed = await _token(edge, _refresh(tokens))
        assert renewed.status == 200
        assert (await _token(edge, _refresh(tokens))).status == 400


async def test_a_login_at_another_application_is_enough_and_prompt_none_shows_no_page() -> None:
    async with edge_with(*OBJECTS) as edge:
        browser = Browser(edge)
        assert _answer(await browser.step("GET", _url(prompt="none")))["error"] == "login_required"
        await browser.log_in("https://shop.example.com/")

        assert "code" in _answer(await browser.step("GET", _url(prompt="none")))


async def test_who_no_policy_allows_gets_no_code() -> None:
    async with edge_with(*OBJECTS) as edge:
        browser = Browser(edge)
        page = await browser.go(_url())
        target, fields = form_of(page, "local")
        reply = await browser.go(f"{TEAM}{target}", method="POST", body=urlencode({**fields, "email": "eve@evil.test"}))

        assert reply.status == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.test/"},
        {"redirect_uri": f"{BACK}/more"},
        {"redirect_uri": f"{BACK}?x=1"},
        {"redirect_uri": "https://crm.test@evil.test/back"},
        {"redirect_uri": ""},
        {"client_id": "other"},
    ],
)
async def test_a_request_that_is_not_the_clients_goes_nowhere(changes: dict[str, str]) -> None:
    async with edge_with(*OBJECTS) as edge:
        reply = await edge.fetch(_url(**changes))

        assert (reply.status, reply.headers.get("location")) == (400, None)


async def test_a_code_counts_once_for_the_client_with_its_secret() -> None:
    async with edge_with(*OBJECTS) as edge:
        browser = Browser(edge)
        code = (await _log_in(browser))["code"]
        wrong = {"Authorization": "Basic " + base64.b64encode(b"crm:wrong").decode()}
        both = {"client_id": "crm", "client_secret": "the-secret-of-the-crm"}
        assert (await _token(edge, _grant(code), wrong)).status == 401
        assert (await _token(edge, _grant(code, client_id="crm"), {})).status == 401
        assert (await _token(edge, _grant(code, **both))).status == 401
        assert (await _token(edge, _grant(code, redirect_uri="https://crm.test/x"))).status == 400
        assert (await _token(edge, _grant(code))).status == 400  # used up

        code = _answer(await browser.step("GET", _url()))["code"]
        assert (await _token(edge, _grant(code, **both), {})).status == 200
        code = _answer(await browser.step("GET", _url()))["code"]
        edge.clock.advance(60)
        assert (await _token(edge, _grant(code))).status == 400


async def test_a_revoked_login_ends_its_tokens() -> None:
    async with edge_with(*OBJECTS) as edge:
        code = (await _log_in(Browser(edge)))["code"]
        tokens = members(await _token(edge, _grant(code)))
        edge.access.revoke("ada@example.com")

        bearer = {"Authorization": f"Bearer {tokens.text('access_token')}"}
        assert (await edge.fetch(f"{ISSUER}/userinfo", headers=bearer)).status == 401
        assert (await _token(edge, _refresh(tokens))).status == 400


async def test_a_token_of_another_application_opens_one_that_is_linked_to_it() -> None:
    linked: JSON = {"name": "l", "decision": "non_identity", "include": [{"linked_app_token": {"app_uid": "id-shop"}}]}
    from_crm: JSON = {"name": "c", "decision": "non_identity", "include": [{"linked_app_token": {"app_uid": "id-crm"}}]}
    objects = (*OBJECTS, app("b", "b.example.com", linked), app("c", "c.example.com", from_crm))
    async with edge_with(*objects) as edge:
        browser = Browser(edge)
        await browser.log_in("https://shop.example.com/")
        token = {"Cf-Access-Token": browser.token()}
        assert (await edge.fetch("https://b.example.com/", headers=token)).status == 200
        sent = edge.origin.requests[-1].headers
        assert sent.get("cf-access-authenticated-user-email") == "ada@example.com"
        claims = jwt.decode(sent.get("cf-access-jwt-assertion") or "", options={"verify_signature": False})
        assert claims["aud"] == [edge.access.aud("b")]
        assert (await edge.fetch("https://c.example.com/", headers=token)).status == 403
        assert (await edge.fetch("https://b.example.com/")).status == 403

        code = _answer(await browser.step("GET", _url()))["code"]
        tokens = members(await _token(edge, _grant(code)))
        bearer = {"Authorization": f"Bearer {tokens.text('access_token')}"}
        assert (await edge.fetch("https://c.example.com/", headers=bearer)).status == 200
        assert (await edge.fetch("https://b.example.com/", headers=bearer)).status == 403


async def test_an_application_elsewhere_takes_only_the_providers_that_it_allows() -> None:
    crm = ConfiguredObject("app", "id-crm", {**SAAS, "allowed_idps": ["idp-other"]}, "edge.toml:3")
    async with edge_with(crm, OBJECTS[1]) as edge:
        browser = Browser(edge)
        await browser.log_in("https://shop.example.com/")

        page = await browser.go(_url())

        assert (page.status, "Log in to CRM" in page.text) == (200, True)
        silent = await browser.step("GET", _url(prompt="none"))
        assert _answer(silent)["error"] == "login_required"
