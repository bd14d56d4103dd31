"""Chromium, without scripts, logs in, consents, denies and logs out, over https and from site to site."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from edgeworker.config import JSON
from tests.scripts.oauth.auth_site import Site, site
from tests.scripts.oauth.auth_stage import CALLBACK, ISSUER, PASSWORD, request, variables
from tests.scripts.oauth.chromium import Page, chromium

pytestmark = pytest.mark.browser

LONG: dict[str, JSON] = {
    "client_id": "long",
    "client_name": "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft, Incorporated",
    "token_endpoint_auth_method": "none",
    "redirect_uris": ["https://a-long-name-of-a-host.donaudampfschifffahrtselektrizitaet.example.net/cb"],
    "scope": "openid email orders.read orders.write",
}
LONG_REQUEST = {
    "client_id": "long",
    "redirect_uri": "https://a-long-name-of-a-host.donaudampfschifffahrtselektrizitaet.example.net/cb",
    "scope": "openid email orders.read orders.write",
    "resource": "https://api.example.com",
}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, variables(LONG, SIGNUP=True)) as made:
        yield made


async def answer(page: Page) -> dict[str, str]:
    """What the client's site was asked for."""
    url = await page.url()
    assert url.startswith(CALLBACK + "?"), (url, await page.html())
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


async def log_in(page: Page) -> None:
    await page.type("#email", "ann@example.com")
    await page.type("#password", PASSWORD)
    await page.click("button[value=login]")


@pytest.mark.parametrize("email", ["jörg@bücher.example", "JÖRG@xn--bcher-kva.example", "Ann@EXAMPLE.com"])
async def test_a_browser_sends_an_international_address(running: Site, email: str) -> None:
    async with chromium(running.home, port=running.port) as page:
        await page.open(running.url("/login"))
        await page.type("#email", email)
        await page.type("#password", PASSWORD)
        await page.click("button[value=login]")

        assert "You are signed in" in await page.html()


async def test_a_person_logs_in_consents_denies_and_logs_out(running: Site) -> None:
    async with chromium(running.home, port=running.port) as page:
        await page.look(width=1280, height=800, dark=False)
        await page.open(running.url(request()))
        await page.type("#email", "ann@example.com")
        await page.type("#password", "wrong")
        await page.click("button[value=login]")
        assert "E-mail address or password is wrong." in await page.html()
        # The address is still there; the password is not.
        await page.type("#password", PASSWORD)
        await page.click("button[value=login]")
        assert "wants to use your account" in await page.html()
        (cookie,) = await page.cookies()
        assert (cookie["name"], cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (
            "__Host-oauth-session",
            True,
            True,
            "Lax",
        )

        await page.click("button[value=deny]")
        assert (await answer(page))["error"] == "access_denied"

        await page.open(running.url(request()))
        await page.click("button[value=allow]")
        assert {"code", "state", "iss"} == set(await answer(page))

        bye = "client_id=victoriasclient&post_logout_redirect_uri=https%3A%2F%2Fshop.example.net%2Fbye&state=x"
        await page.open(running.url(f"/logout?{bye}"))
        await page.click("button[value=logout]")
        assert await page.url() == "https://shop.example.net/bye?state=x"
        await page.open(running.url(request()))
        assert "Sign in" in await page.html()


async def test_two_tabs_at_the_login_both_get_their_codes(running: Site) -> None:
    async with chromium(running.home, port=running.port) as one, one.another_tab() as other:
        await one.open(running.url(request(state="one")))
        await other.open(running.url(request(state="other")))
        for tab in (one, other):
            await log_in(tab)
            assert "wants to use your account" in await tab.html()
        for tab, state in ((other, "other"), (one, "one")):
            await tab.click("button[value=allow]")

            assert (await answer(tab))["state"] == state


@pytest.mark.parametrize("signs_in_again", [True, False])
async def test_a_consent_left_open_allows_nothing_after_a_logout_in_another_tab(
    running: Site, signs_in_again: bool
) -> None:
    async with chromium(running.home, port=running.port) as one, one.another_tab() as other:
        await one.open(running.url(request(state="one")))
        await log_in(one)
        await other.open(running.url("/logout"))
        await other.click("button[value=logout]")
        if signs_in_again:
            await other.open(running.url("/login"))
            await log_in(other)

        await one.click("button[value=allow]")

        assert not (await one.url()).startswith(CALLBACK)
        if signs_in_again:
            assert "nothing was allowed" in await one.html()
        else:
            await log_in(one)
        assert "wants to use your account" in await one.html()
        await one.click("button[value=allow]")
        assert (await answer(one))["state"] == "one"


async def test_a_keyboard_is_enough(running: Site) -> None:
    async with chromium(running.home, port=running.port) as page:
        await page.look(width=1280, height=800, dark=True)
        await page.open(running.url(request()))
        await page.press("Tab", code=9)
        await page.call("Input.insertText", text="ann@example.com")
        await page.press("Tab", code=9)
        await page.call("Input.insertText", text=PASSWORD)
        await page.press("Enter", code=13, text="\r", load=True)
        assert "wants to use your account" in await page.html()
        await page.press("Tab", code=9)  # "Switch account"
        await page.press("Tab", code=9)
        await page.press("Enter", code=13, text="\r", load=True)

        assert "code" in await answer(page)


async def test_an_answer_by_form_needs_one_click_and_no_script(running: Site) -> None:
    async with chromium(running.home, port=running.port) as page:
        await page.open(running.url(request(response_mode="form_post")))
        await log_in(page)
        await page.click("button[value=allow]")
        assert "Continue to" in await page.html()
        await page.click("button")

        assert await page.url() == CALLBACK
        text = await page.html()
        form = json.loads(text[text.index("{") : text.rindex("}") + 1])["form"]
        assert (set(form), form["iss"]) == ({"code", "state", "iss"}, [ISSUER])


async def test_a_callback_may_lead_on_to_another_registered_origin(running: Site) -> None:
    """Chromium applies form-action to the whole chain of redirects: without the origin the click does nothing."""
    async with chromium(running.home, port=running.port) as page:
        await page.open(running.url(request(redirect_uri=CALLBACK + "/two")))
        await log_in(page)
        await page.click("button[value=allow]")

        assert await page.url() == "https://app.example.net/landed"


@pytest.mark.parametrize("dark", [False, True])
async def test_no_page_is_wider_than_a_small_screen(running: Site, dark: bool) -> None:
    async with chromium(running.home, port=running.port) as page:
        await page.look(width=320, height=640, dark=dark)
        for path in (request(**LONG_REQUEST), "/signup", request(client_id="x" * 300), "/nothing"):
            await page.open(running.url(path))
            assert await page.content_width() == 320, path
        await page.open(running.url(request(**LONG_REQUEST)))
        await log_in(page)
        assert "Donaudampf" in await page.html()
        assert await page.content_width() == 320
        for path in ("/login", "/logout", request(**LONG_REQUEST, prompt="select_account")):
            await page.open(running.url(path))
            assert await page.content_width() == 320, path
