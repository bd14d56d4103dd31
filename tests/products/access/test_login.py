"""The login chain: cookies, nonces, second applications, renewal, logout, and what must not get in between."""

from dataclasses import replace
from urllib.parse import urlencode

import jwt
import pytest

from edgeworker.config import JSON
from tests.products.access.stage import (
    PREFIX,
    SHOP,
    TEAM,
    Browser,
    app,
    edge_with,
    headers_at_origin,
    members,
)

WIKI = "https://wiki.example.com"
BOTH = (app("shop", "shop.example.com"), app("wiki", "wiki.example.com"))


async def test_a_login_goes_from_the_application_to_the_team_domain_and_back() -> None:
    async with edge_with(*BOTH) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/a")

        assert [url.partition("?")[0] for url in browser.trail] == [
            f"{SHOP}/a",
            f"{TEAM}{PREFIX}login/shop.example.com",
            f"{TEAM}{PREFIX}local/shop.example.com",
            f"{SHOP}{PREFIX}authorized",
            f"{SHOP}/a",
        ]
        names = [field.partition("=")[0] for field in browser.set_cookies]
        assert names == [
            "shop.example.com: CF_AppSession",
            "acme.cloudflareaccess.com: CF_Session",
            "acme.cloudflareaccess.com: CF_Authorization",
            "shop.example.com: CF_Authorization",
        ]
        assert all("Secure" in field and "HttpOnly" in field for field in browser.set_cookies)


async def test_a_second_application_needs_no_second_login() -> None:
    async with edge_with(*BOTH) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/")
        reply = await browser.go(f"{WIKI}/page")

        assert reply.status == 200
        assert browser.trail[-1] == f"{WIKI}/page"
        assert browser.token("wiki.example.com") != browser.token()


async def test_an_expired_application_session_is_renewed_in_silence_and_an_expired_login_is_not() -> None:
    shop = app("shop", "shop.example.com", session_duration="30m")
    async with edge_with(shop, organization={"session_duration": "2h"}) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/")
        first = browser.token()

        edge.clock.advance(1800)
        assert (await browser.step("GET", f"{SHOP}/")).status == 302
        renewed = await browser.go(f"{SHOP}/x")
        assert (renewed.status, browser.trail[-1]) == (200, f"{SHOP}/x")
        assert browser.token() != first

        edge.clock.advance(5400)
        page = await browser.go(f"{SHOP}/x")
        assert browser.trail[-1].startswith(f"{TEAM}{PREFIX}login/")
        assert "Log in to shop" in page.text


@pytest.mark.parametrize(
    ("policy", "application", "organization", "seconds"),
    [
        ({"session_duration": "15m"}, {"session_duration": "1h"}, {"session_duration": "2h"}, 900),
        ({}, {"session_duration": "1h"}, {"session_duration": "2h"}, 3600),
        ({}, {}, {"session_duration": "2h45m"}, 9900),
        ({}, {}, {}, 86_400),
    ],
)
async def test_a_session_lasts_as_its_policy_says_then_its_application_then_the_organization(
    policy: dict[str, JSON], application: dict[str, JSON], organization: dict[str, JSON], seconds: int
) -> None:
    allow: JSON = {"name": "a", "decision": "allow", "include": [{"everyone": {}}], **policy}
    async with edge_with(app("shop", "shop.example.com", allow, **application), organization=organization) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/")

        assert any(
            f"shop.example.com: CF_Authorization={browser.token()}; Path=/; Max-Age={seconds};" in field
            for field in browser.set_cookies
        )
        edge.clock.advance(seconds - 1)
        assert (await browser.step("GET", f"{SHOP}/")).status == 200
        edge.clock.advance(1)
        assert (await browser.step("GET", f"{SHOP}/")).status == 302


async def test_who_is_denied_gets_a_page_and_no_session() -> None:
    async with edge_with(*BOTH) as edge:
        browser = Browser(edge)
        page = await browser.log_in(f"{SHOP}/", "eve@evil.test")

        assert page.status == 403
        assert page.headers.get("cf-access-error") == "policy_denied"
        assert "eve@evil.test" in page.text
        assert all("CF_Authorization" not in field for field in browser.set_cookies)
        assert edge.origin.requests == []


@pytest.mark.parametrize("where", ["application", "team domain"])
async def test_logging_out_ends_the_whole_session_with_the_next_request(where: str) -> None:
    async with edge_with(*BOTH) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/")
        await browser.go(f"{WIKI}/")
        shop, wiki, team = (browser.token(host) for host in ("shop.example.com", "wiki.example.com", _HOST))

        reply = await browser.go(f"{SHOP if where == 'application' else TEAM}{PREFIX}logout")

        assert reply.status == 200
        assert "You are logged out" in reply.text
        assert "CF_Authorization" not in browser.cookies["shop.example.com" if where == "application" else _HOST]
        for url, token in ((SHOP, shop), (WIKI, wiki)):
            assert (await edge.fetch(url, headers={"Cookie": f"CF_Authorization={token}"})).status == 302
        identity = await edge.fetch(f"{TEAM}{PREFIX}get-identity", headers={"Cookie": f"CF_Authorization={team}"})
        assert identity.status == 401


_HOST = "acme.cloudflareaccess.com"


@pytest.mark.parametrize(
    ("return_to", "followed"),
    [
        (f"{WIKI}/bye", True),
        (f"{TEAM}/", True),
        ("https://x.acme.cloudflareaccess.com/", True),
        ("https://evil.test/", False),
        ("https://acme.cloudflareaccess.com.evil.test/", False),
        ("https://acme.cloudflareaccess.com@evil.test/", False),
        ("//evil.test/", False),
        ("/\\evil.test", False),
        ("javascript:alert(1)", False),
        ("https://wiki.example.com\\@evil.test/", False),
        (" https://wiki.example.com/", False),
        ("https://wiki.example.com/\t", False),
    ],
)
async def test_a_logout_returns_only_to_the_team_domain_and_to_applications(return_to: str, followed: bool) -> None:
    async with edge_with(*BOTH) as edge:
        for base in (SHOP, TEAM):
            reply = await edge.fetch(f"{base}{PREFIX}logout?{urlencode({'returnTo': return_to})}")

            assert (reply.status == 302) is followed
            assert (reply.headers.get("location") is not None) is followed


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403),
    ],
)
async def test_a_picture_on_another_site_logs_no_one_out(fields: dict[str, str], status: int) -> None:
    async with edge_with(*BOTH) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/")

        assert (await browser.step("GET", f"{SHOP}{PREFIX}logout", headers=fields)).status == status
        assert (await browser.step("GET", f"{SHOP}/")).status == (200 if status == 403 else 302)


@pytest.mark.parametrize("email", ["", "ada", "a@b@c", "a b@example.com", "a\r\nx: y@example.com", "x" * 300 + "@a.b"])
async def test_what_is_not_an_address_gets_the_page_again(email: str) -> None:
    async with edge_with(*BOTH) as edge:
        reply = await Browser(edge).log_in(f"{SHOP}/", email)

        assert reply.status == 400
        assert 'role="alert"' in reply.text


async def test_groups_that_are_typed_are_those_of_the_identity() -> None:
    eng: JSON = {"name": "eng", "decision": "allow", "include": [{"okta": {"name": "Eng"}}]}
    async with edge_with(app("shop", "shop.example.com", eng)) as edge:
        assert (await Browser(edge).log_in(f"{SHOP}/", "bob@other.test", groups="Sales")).status == 403
        assert (await Browser(edge).log_in(f"{SHOP}/", "bob@other.test", groups="Sales, Eng")).status == 200
        assert (await Browser(edge).log_in(f"{SHOP}/")).status == 200


async def test_get_identity_says_who_is_logged_in_on_both_hosts() -> None:
    async with edge_with(*BOTH) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/")
        tokens = {TEAM: [browser.token(), browser.token(_HOST)], SHOP: [browser.token()]}

        for base, several in tokens.items():
            for token in several:
                reply = await edge.fetch(f"{base}{PREFIX}get-identity", headers={"Cookie": f"CF_Authorization={token}"})
                identity = members(reply)
                assert identity.text("email") == "ada@example.com"
                assert identity.members["groups"] == ["Eng", "Ops"]
                assert identity.members["oidc_fields"] == {"department": "R&D"}
                assert identity.inner("idp").text("type") == "local"
                assert identity.inner("geo").text("country") == "US"
                assert identity.members["account_id"] == "acc"
                assert identity.members["service_token_status"] is False
        for base in (TEAM, SHOP):
            assert (await edge.fetch(f"{base}{PREFIX}get-identity")).status == 401


async def test_all_hosts_of_an_application_get_their_cookie_at_once_where_that_is_wanted() -> None:
    places: JSON = [{"uri": "a.example.com"}, {"uri": "b.example.com"}, {"uri": "*.wild.example.com"}]
    for eager, hosts in ((True, ["a", "b", "shop"]), (False, ["shop"])):
        shop = app("shop", "shop.example.com", destinations=places, eager_redirect_cookie_setting=eager)
        async with edge_with(shop) as edge:
            browser = Browser(edge)
            reply = await browser.log_in(f"{SHOP}/x?y=1")

            assert (reply.status, browser.trail[-1]) == (200, f"{SHOP}/x?y=1")
            with_cookie = sorted(host for host, jar in browser.cookies.items() if "CF_Authorization" in jar)
            assert with_cookie == sorted([_HOST, *(f"{name}.example.com" for name in hosts)])
            if eager:
                assert (await browser.step("GET", "https://b.example.com/")).status == 200


async def test_a_token_without_the_binding_cookie_that_it_was_given_with_is_refused() -> None:
    async with edge_with(app("shop", "shop.example.com", enable_binding_cookie=True)) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/")

        assert "CF_Binding" not in (headers_at_origin(edge).get("cookie") or "")
        assert (await browser.step("GET", f"{SHOP}/")).status == 200
        alone = {"Cookie": f"CF_Authorization={browser.token()}"}
        assert (await edge.fetch(f"{SHOP}/", headers=alone)).status == 302
        wrong = {"Cookie": f"CF_Authorization={browser.token()}; CF_Binding=x"}
        assert (await edge.fetch(f"{SHOP}/", headers=wrong)).status == 302


async def test_a_cookie_has_the_attributes_of_its_application() -> None:
    shop = app(
        "shop",
        "shop.example.com/admin",
        http_only_cookie_attribute=False,
        same_site_cookie_attribute="strict",
        path_cookie_attribute=True,
    )
    async with edge_with(shop) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/admin/x")

        cookie = next(field for field in browser.set_cookies if field.startswith("shop.example.com: CF_Authorization"))
        assert cookie.partition("; ")[2] == "Path=/admin; Max-Age=86400; Secure; SameSite=Strict"


async def test_on_plain_http_cookies_work_without_secure() -> None:
    async with edge_with(*BOTH, issuer="http://acme.localhost:8787") as edge:
        browser = Browser(edge)
        reply = await browser.log_in("http://shop.example.com:8787/x")

        assert (reply.status, browser.trail[-1]) == (200, "http://shop.example.com:8787/x")
        assert all("Secure" not in field and "SameSite=None" not in field for field in browser.set_cookies)


async def test_an_identity_is_refreshed_without_another_login() -> None:
    async with edge_with(*BOTH) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/", groups="typed")
        assert (await browser.step("GET", f"{SHOP}/")).status == 200

        reply = await browser.go(f"{SHOP}{PREFIX}refresh-identity")

        assert browser.trail[-1] == f"{TEAM}{PREFIX}refresh-identity?success=true&on_success=callback"
        assert reply.status == 200
        identity = members(await browser.step("GET", f"{SHOP}{PREFIX}get-identity"))
        assert identity.members["groups"] == ["Eng", "Ops"]


async def test_one_user_keeps_one_id_and_each_login_has_a_session_of_its_own() -> None:
    async with edge_with(*BOTH) as edge:
        first, second = Browser(edge), Browser(edge)
        for browser in (first, second):
            await browser.log_in(f"{SHOP}/")
        ids = [
            members(await browser.step("GET", f"{SHOP}{PREFIX}get-identity")).text("user_uuid")
            for browser in (first, second)
        ]
        assert ids[0] == ids[1]

        await first.go(f"{SHOP}{PREFIX}logout")

        assert (await second.step("GET", f"{SHOP}/")).status == 200


async def test_a_production_host_under_localhost_is_come_back_to() -> None:
    """`shop.example.com.localhost` is `shop.example.com` of edge.toml, which the browser cannot reach here."""
    places: JSON = [{"uri": "a.example.com"}]
    async with edge_with(
        app("shop", "shop.example.com", destinations=places), issuer="http://acme.localhost:8787"
    ) as edge:
        browser = Browser(edge)
        local = "http://shop.example.com.localhost:8787"

        reply = await browser.log_in(f"{local}/x")

        assert (reply.status, browser.trail[-1]) == (200, f"{local}/x")
        assert "CF_Authorization" in browser.cookies["a.example.com.localhost"]
        assert all("example.com:8787" not in url.partition("?")[0] for url in browser.trail)
        assert (headers_at_origin(edge).get("host") or "").startswith("shop.example.com")


async def test_where_no_one_develops_no_one_is_offered_to_be_anyone() -> None:
    """`edgeworker serve`: the page has codes and identity providers, and the form of local identities is refused."""
    for local_login in (False, True):
        edge = edge_with(*BOTH, local_login=local_login)
        edge._engine.config = replace(edge.config, trigger_urls=False)
        async with edge:
            browser = Browser(edge)
            page = await browser.go(f"{SHOP}/")
            csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
            assert ("Be someone else" in page.text) is local_login
            assert ("ada@example.com" in page.text) is local_login
            assert "Get a login code" in page.text

            body = urlencode({"csrf": csrf, "email": "ada@example.com"})
            reply = await browser.step("POST", browser.trail[-1].replace("/login/", "/local/"), body=body)

            assert reply.status == (303 if local_login else 403)


async def test_people_of_one_population_are_not_those_of_another() -> None:
    """An application for end users has people of its own: the same address is someone else there."""
    portal = app("portal", "portal.example.com", type="end_user", user_population="customers", policies=[])
    async with edge_with(app("shop", "shop.example.com"), portal) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/")
        page = await browser.go("https://portal.example.com/")
        assert "Log in to portal" in page.text
        assert (await browser.submit(page, "local", email="ada@example.com")).status == 200
        elsewhere = Browser(edge, cookies={_HOST: dict(browser.cookies[_HOST])})
        assert "Log in to shop" in (await elsewhere.go(f"{SHOP}/")).text

        subjects = [
            jwt.decode(browser.token(host), options={"verify_signature": False})["sub"]
            for host in ("shop.example.com", "portal.example.com")
        ]

        assert subjects[0] != subjects[1]
