"""Logins at an OpenID provider: state, nonce and PKCE there, a verified ID token back."""

import base64
import hashlib
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import pytest

from edgeworker.config import JSON
from edgeworker.messages import Response
from edgeworker.products.access.config import ConfiguredObject
from edgeworker.testing.calls import Reply
from edgeworker.testing.issuer import sign, signing_key
from edgeworker.testing.local import LocalEdge
from edgeworker.testing.origin_rules import OriginRequest
from tests.products.access.stage import PREFIX, SHOP, TEAM, Browser, app, edge_with, members

IDP = "https://idp.test"
PROVIDER: dict[str, JSON] = {
    "name": "Company",
    "type": "oidc",
    "config": {
        "client_id": "access",
        "client_secret": "s3cret",
        "auth_url": f"{IDP}/authorize",
        "token_url": f"{IDP}/token",
        "certs_url": f"{IDP}/jwks",
        "issuer": IDP,
        "claims": ["groups", "department", "missing"],
    },
}
OBJECTS = (ConfiguredObject("identity_provider", "idp-1", PROVIDER, "edge.toml:9"), app("shop", "shop.example.com"))


class Provider:
    """An OpenID provider that gives `claims`; `alter` changes an ID token."""

    def __init__(self, edge: LocalEdge, **claims: JSON) -> None:
        self.edge = edge
        self.claims = claims
        self.asked: dict[str, str] = {}
        self.forms: list[dict[str, str]] = []
        self.basic = ""
        self.headers: Mapping[str, JSON] = {}
        self.token_status = 200
        key = signing_key("RS256")
        edge.origin.on(f"{IDP}/jwks", json={"keys": [dict(key.public)]})
        edge.origin.on(f"{IDP}/token", self._token, method="POST")

    def _token(self, request: OriginRequest) -> Response:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        self.forms.append(form)
        self.basic = request.headers.get("authorization") or ""
        now = self.edge.clock.now()
        claims: dict[str, JSON] = {
            "iss": IDP,
            "aud": "access",
            "sub": "u1",
            "iat": now,
            "exp": now + 60,
            "nonce": self.asked["nonce"],
            **self.claims,
        }
        kept = {name: value for name, value in claims.items() if value != "REMOVE"}
        key = signing_key("RS256")
        text = sign(kept, key, headers={"kid": key.kid, **self.headers})
        from edgeworker.messages import Headers

        content = f'{{"id_token":"{text}","access_token":"x","token_type":"Bearer"}}'.encode()
        return Response(self.token_status, Headers({"content-type": "application/json"}), content)

    async def log_in(self, browser: Browser, *, code: str = "c0de", more: str = "") -> Reply:
        await self.leave(browser)
        return await browser.go(f"{TEAM}{PREFIX}callback?code={code}&state={self.asked['state']}{more}")

    async def leave(self, browser: Browser) -> None:
        page = await browser.go(f"{SHOP}/x")
        link = page.text.partition(f'href="{PREFIX}idp/')[2].partition('"')[0].replace("&amp;", "&")
        reply = await browser.step("GET", f"{TEAM}{PREFIX}idp/{link}")
        assert reply.status == 302, reply.text
        location = urlsplit(reply.headers.get("location") or "")
        assert f"{location.scheme}://{location.netloc}{location.path}" == f"{IDP}/authorize"
        self.asked = {name: values[0] for name, values in parse_qs(location.query).items()}


async def test_a_login_at_a_provider_makes_an_identity_of_its_claims() -> None:
    async with edge_with(*OBJECTS) as edge:
        provider = Provider(
            edge, email="Ann@example.com", name="Ann", groups=["Eng"], department="R&D", secret="no", amr=["mfa"]
        )
        browser = Browser(edge)

        reply = await provider.log_in(browser)

        assert (reply.status, browser.trail[-1]) == (200, f"{SHOP}/x")
        identity = members(await browser.step("GET", f"{SHOP}{PREFIX}get-identity"))
        assert (identity.text("email"), identity.text("name")) == ("ann@example.com", "Ann")
        assert identity.members["groups"] == ["Eng"]
        assert identity.members["oidc_fields"] == {"department": "R&D"}
        assert identity.members["custom"] == {"groups": ["Eng"], "department": "R&D"}
        assert identity.members["amr"] == ["mfa"]
        assert identity.inner("idp").members == {"id": "idp-1", "type": "oidc"}


async def test_what_is_asked_of_the_provider_is_bound_to_this_login() -> None:
    async with edge_with(*OBJECTS) as edge:
        provider = Provider(edge, email="ann@example.com")
        await provider.log_in(Browser(edge))

        (form,) = provider.forms
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert provider.asked["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        assert provider.asked["code_challenge_method"] == "S256"
        assert provider.asked["redirect_uri"] == form["redirect_uri"] == f"{TEAM}{PREFIX}callback"
        assert provider.asked["scope"] == "openid email profile"
        assert (form["grant_type"], form["code"]) == ("authorization_code", "c0de")
        assert provider.basic == "Basic " + base64.b64encode(b"access:s3cret").decode()


BAD_CLAIMS: dict[str, dict[str, JSON]] = {
    "nonce of another login": {"nonce": "x"},
    "no nonce": {"nonce": "REMOVE"},
    "another audience": {"aud": "other"},
    "another issuer": {"iss": "https://evil.test"},
    "expired": {"exp": 1},
    "exp as text": {"exp": "9999999999"},
    "no exp": {"exp": "REMOVE"},
    "no e-mail": {"email": "REMOVE"},
    "e-mail of another kind": {"email": ["ann@example.com"]},
    "e-mail with a line break": {"email": "ann@example.com\r\nX: y"},
    "e-mail that is not verified": {"email_verified": False},
}


@pytest.mark.parametrize("name", BAD_CLAIMS)
async def test_an_id_token_that_is_not_for_this_login_logs_no_one_in(name: str) -> None:
    async with edge_with(*OBJECTS) as edge:
        provider = Provider(edge, **{"email": "ann@example.com", **BAD_CLAIMS[name]})
        browser = Browser(edge)

        reply = await provider.log_in(browser)

        assert reply.status == 400
        assert 'role="alert"' in reply.text
        assert all("CF_Authorization" not in jar for jar in browser.cookies.values())


async def test_a_provider_that_fails_gives_the_page_again() -> None:
    async with edge_with(*OBJECTS) as edge:
        provider = Provider(edge, email="ann@example.com")
        provider.token_status = 500
        assert (await provider.log_in(Browser(edge))).status == 400
        provider.token_status = 200
        provider.headers = {"kid": "unknown"}
        assert (await provider.log_in(Browser(edge))).status == 400
        provider.headers = {}
        assert (await provider.log_in(Browser(edge), more="&error=access_denied")).status == 400
        assert (await provider.log_in(Browser(edge), more="&iss=https%3A%2F%2Fevil.test")).status == 400
        edge.origin.fail(f"{IDP}/token")
        page = await provider.log_in(Browser(edge))
        assert (page.status, f"{IDP}/token could not be fetched." in page.text) == (400, True)
        assert any(f"{IDP}/token could not be fetched: " in line.text for line in edge.logs), "the log says why"


async def test_a_state_counts_once_in_the_browser_that_left_for_ten_minutes() -> None:
    async with edge_with(*OBJECTS) as edge:
        provider = Provider(edge, email="ann@example.com")
        browser, other = Browser(edge), Browser(edge)
        await other.go(f"{SHOP}/")
        await provider.leave(browser)
        back = f"{TEAM}{PREFIX}callback?code=c&state={provider.asked['state']}"
        assert (await other.step("GET", back)).status == 403
        assert (await browser.step("GET", back)).status == 403  # used up

        await provider.log_in(browser)
        assert (
            await browser.step("GET", f"{TEAM}{PREFIX}callback?code=c&state={provider.asked['state']}")
        ).status == 403

        fresh = Browser(edge)
        await provider.leave(fresh)
        edge.clock.advance(600)
        back = f"{TEAM}{PREFIX}callback?code=c&state={provider.asked['state']}"
        assert (await fresh.step("GET", back)).status == 403
        assert (await fresh.step("GET", f"{TEAM}{PREFIX}callback")).status == 403


async def test_one_client_cannot_begin_logins_without_end() -> None:
    async with edge_with(*OBJECTS) as edge:
        browser = Browser(edge)
        page = await browser.go(f"{SHOP}/")
        link = page.text.partition(f'href="{PREFIX}idp/')[2].partition('"')[0].replace("&amp;", "&")

        statuses = [(await browser.step("GET", f"{TEAM}{PREFIX}idp/{link}")).status for _ in range(101)]

        assert statuses == [302] * 100 + [429]


async def test_one_allowed_provider_may_be_gone_to_without_a_page() -> None:
    shop = app("shop", "shop.example.com", allowed_idps=["idp-1"], auto_redirect_to_identity=True)
    async with edge_with(OBJECTS[0], shop) as edge:
        browser = Browser(edge)
        reply = await browser.step("GET", f"{SHOP}/")
        reply = await browser.step("GET", reply.headers.get("location") or "")

        assert reply.status == 302
        assert (reply.headers.get("location") or "").startswith(f"{PREFIX}idp/idp-1/shop.example.com?")


async def test_an_application_that_allows_other_providers_does_not_take_the_session() -> None:
    shop = app("shop", "shop.example.com")
    wiki = app("wiki", "wiki.example.com", allowed_idps=["idp-1"])
    async with edge_with(OBJECTS[0], shop, wiki) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/")

        page = await browser.go("https://wiki.example.com/")

        assert "Log in to wiki" in page.text
        assert "Be someone else" not in page.text


async def test_a_provider_on_this_very_edge_is_asked_through_it() -> None:
    """Such as our own OAuth workers: no request leaves the edge."""
    provider = {**PROVIDER, "config": {**PROVIDER["config"], "certs_url": "https://idp.other.test/jwks"}}  # type: ignore[dict-item]
    objects = (ConfiguredObject("identity_provider", "idp-1", provider), OBJECTS[1])
    async with edge_with(*objects) as edge:
        made = Provider(edge, email="ann@example.com")
        edge.origin.on("idp.other.test/jwks", json={"keys": [dict(signing_key("RS256").public)]})

        reply = await made.log_in(Browser(edge))

        assert reply.status == 200
        assert any(request.base is not None and request.host == "idp.other.test" for request in edge.origin.requests)


@pytest.mark.parametrize(("sub", "status"), [("u1", 200), ("someone else", 400), (None, 400)])
async def test_a_provider_whose_id_tokens_say_little_is_asked_for_more(sub: str | None, status: int) -> None:
    async with edge_with(*OBJECTS) as edge:
        provider = Provider(edge)
        metadata: JSON = {"issuer": IDP, "userinfo_endpoint": f"{IDP}/me"}
        edge.origin.on(f"{IDP}/.well-known/openid-configuration", json=metadata)
        me = edge.origin.on(f"{IDP}/me", json={"sub": sub, "email": "ann@example.com", "department": "R&D"})

        reply = await provider.log_in(Browser(edge))

        assert reply.status == status
        assert me.requests[0].headers.get("authorization") == "Bearer x"


async def _refresh(browser: Browser, provider: Provider) -> Reply:
    """Goes to the provider and comes back, as a browser does."""
    reply = await browser.step("GET", f"{TEAM}{PREFIX}refresh-identity")
    assert reply.status == 302
    location = urlsplit(reply.headers.get("location") or "")
    provider.asked = {name: values[0] for name, values in parse_qs(location.query).items()}
    return await browser.go(f"{TEAM}{PREFIX}callback?code=c0de&state={provider.asked['state']}")


async def test_an_identity_is_fetched_anew_from_the_provider() -> None:
    async with edge_with(*OBJECTS) as edge:
        provider = Provider(edge, email="ann@example.com", groups=["Eng"])
        browser = Browser(edge)
        await provider.log_in(browser)
        provider.claims = {"email": "ann@example.com", "groups": ["Sales"]}
        before = members(await browser.step("GET", f"{SHOP}{PREFIX}get-identity"))

        reply = await _refresh(browser, provider)

        assert reply.status == 200
        assert browser.trail[-1] == f"{TEAM}{PREFIX}refresh-identity?success=true&on_success=callback"
        after = members(await browser.step("GET", f"{SHOP}{PREFIX}get-identity"))
        assert (before.members["groups"], after.members["groups"]) == (["Eng"], ["Sales"])
        assert before.text("user_uuid") == after.text("user_uuid")


async def test_an_identity_is_not_replaced_by_that_of_another_account_or_browser() -> None:
    async with edge_with(*OBJECTS) as edge:
        provider = Provider(edge, email="ann@example.com", groups=["Eng"])
        ann, bob = Browser(edge), Browser(edge)
        await provider.log_in(ann)
        provider.claims = {"email": "bob@example.com", "groups": ["Admins"]}

        assert (await _refresh(ann, provider)).status == 403
        await provider.log_in(bob)
        provider.claims = {"email": "ann@example.com", "groups": ["Admins"]}
        reply = await ann.step("GET", f"{TEAM}{PREFIX}refresh-identity")
        query = parse_qs(urlsplit(reply.headers.get("location") or "").query)
        provider.asked = {name: values[0] for name, values in query.items()}
        state = query["state"][0]
        assert (await bob.go(f"{TEAM}{PREFIX}callback?code=c0de&state={state}")).status == 403

        identity = members(await ann.step("GET", f"{SHOP}{PREFIX}get-identity"))
        assert identity.members["groups"] == ["Eng"]


async def test_a_provider_that_gives_no_identity_leaves_the_old_one() -> None:
    async with edge_with(*OBJECTS) as edge:
        provider = Provider(edge, email="ann@example.com", groups=["Eng"])
        browser = Browser(edge)
        await provider.log_in(browser)
        provider.token_status = 500

        assert (await _refresh(browser, provider)).status == 403
        assert (await browser.step("GET", f"{SHOP}/")).status == 200
