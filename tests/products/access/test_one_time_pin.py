"""One-time PINs."""

import re

from edgeworker.testing.calls import Reply
from edgeworker.testing.local import LocalEdge
from tests.products.access.stage import SHOP, Browser, app, edge_with

SHOPS = (app("shop", "shop.example.com"),)


def _codes(edge: LocalEdge) -> list[str]:
    return [match[1] for line in edge.logs if (match := re.search(r"login code for .* is ([0-9]{6})", line.text))]


async def _ask(browser: Browser, email: str) -> Reply:
    return await browser.submit(await browser.go(f"{SHOP}/"), "onetimepin", email=email)


def _other(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def test_the_code_of_the_log_logs_in_once() -> None:
    async with edge_with(*SHOPS) as edge:
        browser = Browser(edge)
        page = await _ask(browser, "ada@example.com")
        (code,) = _codes(edge)

        assert (await browser.submit(page, "onetimepin", code=code)).status == 200
        assert browser.trail[-1] == f"{SHOP}/"
        browser.trail.append("https://acme.cloudflareaccess.com/")
        assert (await browser.submit(page, "onetimepin", code=code)).status == 400


async def test_the_page_does_not_tell_who_may_log_in() -> None:
    async with edge_with(*SHOPS) as edge:
        known, unknown = Browser(edge), Browser(edge)
        pages = [await _ask(known, "ada@example.com"), await _ask(unknown, "eve@evil.test")]

        def shown(page: Reply, email: str) -> str:
            hidden = re.sub(r'(value|action|href)="[^"]*"', "", page.text)
            return hidden.replace(email, "EMAIL")

        assert shown(pages[0], "ada@example.com") == shown(pages[1], "eve@evil.test")
        assert len(_codes(edge)) == 1


async def test_a_code_is_gone_after_ten_minutes_or_five_wrong_tries() -> None:
    async with edge_with(*SHOPS) as edge:
        browser = Browser(edge)
        page = await _ask(browser, "ada@example.com")
        (code,) = _codes(edge)
        edge.clock.advance(600)
        assert (await browser.submit(page, "onetimepin", code=code)).status == 400

        browser = Browser(edge)
        page = await _ask(browser, "ada@example.com")
        code = _codes(edge)[-1]
        for _ in range(5):
            page = await browser.submit(page, "onetimepin", code=_other(code))
            assert page.status == 400
        assert (await browser.submit(page, "onetimepin", code=code)).status == 400


async def test_a_code_is_good_in_the_browser_that_asked_for_it() -> None:
    async with edge_with(*SHOPS) as edge:
        browser, other = Browser(edge), Browser(edge)
        await _ask(browser, "ada@example.com")
        code = _codes(edge)[0]
        page = await _ask(other, "ada@example.com")

        if code != _codes(edge)[1]:
            assert (await other.submit(page, "onetimepin", code=code)).status == 400


async def test_one_client_cannot_ask_for_codes_without_end() -> None:
    async with edge_with(*SHOPS) as edge:
        browser = Browser(edge)
        for number in range(40):
            await _ask(browser, f"user{number}@example.com")

        assert len(_codes(edge)) == 30
