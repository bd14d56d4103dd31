"""Attacks on the login chain: open redirects, login CSRF, forms and nonces of another browser."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from edgeworker.testing.local import LocalEdge
from tests.products.access.stage import ADA, PREFIX, SHOP, TEAM, Browser, app, edge_with, form_of

WIKI = "https://wiki.example.com"
BOTH = (app("shop", "shop.example.com"), app("wiki", "wiki.example.com"))
_HOST = "acme.cloudflareaccess.com"


@pytest.mark.parametrize(
    "redirect",
    [
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test",
        "\\\\evil.test",
        "/%09/evil.test\t",
        "/\t/evil.test",
        "javascript:alert(1)",
        "evil.test",
        "",
        "/" + "a" * 5000,
        "/x\r\nSet-Cookie: a=b",
        "/..//evil.test",
        "/.//evil.test",
    ],
)
async def test_a_login_leads_back_to_a_path_of_the_application_and_nowhere_else(redirect: str) -> None:
    async with edge_with(*BOTH) as edge:
        location = (await edge.fetch(f"{SHOP}/")).headers.get("location") or ""
        query = parse_qs(urlsplit(location).query)
        for meta in ({}, {"meta": query["meta"][0]}):
            changed = urlencode({"kid": query["kid"][0], "redirect_url": redirect, **meta})
            reply = await edge.fetch(f"{TEAM}{PREFIX}login/shop.example.com?{changed}")

            assert reply.status == 400
            assert "Invalid redirect URL" in reply.text


@pytest.mark.parametrize("redirect", ["https://evil.test/", "//evil.test/", "/\\evil.test"])
async def test_a_login_that_a_page_begins_leads_back_to_the_host(redirect: str) -> None:
    async with edge_with(*BOTH) as edge:
        reply = await edge.fetch(f"{SHOP}{PREFIX}login?{urlencode({'redirect_url': redirect})}")

        query = parse_qs(urlsplit(reply.headers.get("location") or "").query)
        assert (reply.status, query["redirect_url"]) == (302, ["/"])


async def test_a_login_url_for_another_host_or_application_is_refused() -> None:
    async with edge_with(*BOTH) as edge:
        location = (await edge.fetch(f"{SHOP}/")).headers.get("location") or ""
        query = urlsplit(location).query
        wiki = (await edge.fetch(f"{WIKI}/")).headers.get("location") or ""
        wiki_kid = parse_qs(urlsplit(wiki).query)["kid"][0]

        async def status(path: str) -> int:
            return (await edge.fetch(f"{TEAM}{PREFIX}login/{path}")).status

        assert await status(f"shop.example.com?{query}") == 200
        assert await status(f"evil.test?{query}") == 400
        assert await status(f"wiki.example.com?{query}") == 400
        assert await status(f"shop.example.com?kid={wiki_kid}&redirect_url=/") == 400
        meta = parse_qs(query)["meta"][0]
        assert await status(f"shop.example.com?kid={wiki_kid}&redirect_url=/&meta={meta}") == 400
        assert await status(f"shop.example.com?{query}&kid={wiki_kid}") == 400
        assert await status(f"shop.example.com?kid={'0' * 64}&redirect_url=/") == 404
        assert await status(f"shop.example.com?{query[:-5]}aaaaa") == 400
        assert await status(f"{_HOST}?kid={wiki_kid}&redirect_url=/x") == 400


async def test_a_nonce_counts_once_and_in_the_browser_that_asked() -> None:
    """Attack: login CSRF. Someone puts their own login upon another browser."""
    async with edge_with(*BOTH) as edge:
        attacker, victim = Browser(edge), Browser(edge)
        link = await _authorized_link(edge, attacker)
        await victim.step("GET", f"{SHOP}/")  # so that the victim has a CF_AppSession of its own

        stolen = await victim.step("GET", link)
        again = await attacker.step("GET", link)

        assert stolen.status == 403
        assert again.status == 403
        assert all("CF_Authorization" not in field for field in stolen.headers.get_set_cookie())


async def test_a_nonce_is_good_once_for_two_minutes_on_its_host() -> None:
    async with edge_with(*BOTH) as edge:
        browser = Browser(edge)
        link = await _authorized_link(edge, browser)
        assert (await browser.step("GET", link.replace("shop.", "wiki."))).status == 403

        browser = Browser(edge)
        link = await _authorized_link(edge, browser)
        edge.clock.advance(120)
        assert (await browser.step("GET", link)).status == 403

        browser = Browser(edge)
        link = await _authorized_link(edge, browser)
        assert (await browser.step("GET", link)).status == 302
        assert (await browser.step("GET", link)).status == 403


async def _authorized_link(edge: LocalEdge, browser: Browser) -> str:
    """The last step of a login, not taken."""
    page = await browser.go(f"{SHOP}/")
    target, fields = form_of(page, "local")
    body = urlencode({**fields, "email": ADA.email})
    reply = await browser.step("POST", f"{TEAM}{target}", body=body)
    return reply.headers.get("location") or ""


async def test_a_form_that_this_browser_was_not_given_is_refused() -> None:
    async with edge_with(*BOTH) as edge:
        browser, other = Browser(edge), Browser(edge)
        target, fields = form_of(await browser.go(f"{SHOP}/"), "local")
        body = urlencode({**fields, "email": ADA.email})

        assert (await other.step("POST", f"{TEAM}{target}", body=body)).status == 403
        await other.go(f"{SHOP}/")
        assert (await other.step("POST", f"{TEAM}{target}", body=body)).status == 403
        no_csrf = urlencode({"email": ADA.email})
        assert (await browser.step("POST", f"{TEAM}{target}", body=no_csrf)).status == 403
        twice = urlencode({**fields, "email": ADA.email}) + "&csrf=x"
        assert (await browser.step("POST", f"{TEAM}{target}", body=twice)).status == 403


async def test_a_nonce_is_of_its_host_even_where_another_has_the_same_cookie() -> None:
    async with edge_with(*BOTH) as edge:
        browser = Browser(edge)
        link = await _authorized_link(edge, browser)
        browser.cookies["wiki.example.com"] = dict(browser.cookies["shop.example.com"])

        assert (await browser.step("GET", link.replace("shop.", "wiki."))).status == 403
