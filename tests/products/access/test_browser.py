"""Chromium, without scripts, goes through login, use, a second application, expiry, silent renewal and logout.

EDGEWORKER_SCREENSHOTS=folder keeps pictures of the pages, for eyes.
"""

import datetime
import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from edgeworker.config import JSON
from edgeworker.messages import Headers, Response
from edgeworker.products.access.config import ConfiguredObject, LocalIdentity
from edgeworker.testing.local import LocalEdge
from edgeworker.testing.origin_rules import OriginRequest
from tests.products.access.saml_provider import CALLBACK, Answer, encode, provider_config, request_of, sign
from tests.products.access.stage import ADA, app, edge_with
from tests.products.access.test_cli_transfer import Program
from tests.scripts.oauth.chromium import Page, chromium

pytestmark = pytest.mark.browser

TEAM = "http://acme.cloudflareaccess.com"
SHOP = "http://shop.example.com"
WIKI = "http://wiki.example.com"
LONG = LocalIdentity(
    "donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft@example.com",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    ("Maintenance", "Operations", "Everyone who is on call this week"),
)
COMPANY: dict[str, JSON] = {
    "name": "Company login",
    "type": "oidc",
    "config": {
        "client_id": "c",
        "auth_url": "http://idp.test/a",
        "token_url": "http://idp.test/t",
        "certs_url": "http://idp.test/c",
    },
}
OBJECTS = (
    ConfiguredObject("identity_provider", "idp-1", COMPANY),
    app("Shop", "shop.example.com", session_duration="30m"),
    app("Wiki", "wiki.example.com"),
)


def _edge() -> LocalEdge:
    edge = edge_with(*OBJECTS, issuer=TEAM, identities=(ADA, LONG))
    edge.origin.on("*", lambda request: f"<h1>Origin of {request.host}{request.path}</h1>".encode())
    return edge


def _port(edge: LocalEdge) -> str:
    return str(urlsplit(edge.url).port)


async def _keep(page: Page, name: str) -> None:
    _write(name, await page.screenshot())


def _write(name: str, shot: bytes) -> None:
    folder = os.environ.get("EDGEWORKER_SCREENSHOTS")
    if folder:
        Path(folder, f"{name}.png").write_bytes(shot)


async def test_a_person_logs_in_uses_two_applications_and_logs_out(tmp_path: Path) -> None:
    async with _edge() as edge, chromium(tmp_path, port=_port(edge)) as page:
        await page.look(width=1280, height=800, dark=False)
        await page.open(f"{SHOP}/orders?page=2")
        assert "Log in to Shop" in await page.html()
        await _keep(page, "login")

        await page.click('button[value="ada@example.com"]')
        assert await page.url() == f"{SHOP}/orders?page=2"
        assert edge.origin.requests[-1].headers.get("cf-access-authenticated-user-email") == "ada@example.com"
        names = {str(cookie["name"]) for cookie in await page.cookies()}
        assert {"CF_Authorization", "CF_AppSession"} <= names

        await page.open(f"{WIKI}/page")
        assert await page.url() == f"{WIKI}/page"

        edge.clock.advance(1800)
        await page.open(f"{SHOP}/again")
        assert await page.url() == f"{SHOP}/again"  # renewed without a page

        await page.open(f"{SHOP}/cdn-cgi/access/logout")
        assert "You are logged out" in await page.html()
        await _keep(page, "logout")
        await page.open(f"{WIKI}/page")
        assert "Log in to Wiki" in await page.html()


async def test_a_keyboard_is_enough_and_who_is_denied_may_be_someone_else(tmp_path: Path) -> None:
    async with _edge() as edge, chromium(tmp_path, port=_port(edge)) as page:
        await page.look(width=1280, height=800, dark=True)
        await page.open(f"{SHOP}/")
        await page.press("Tab", code=9)
        await page.press("Enter", code=13, text="\r", load=True)
        assert await page.url() == f"{SHOP}/"  # the first choice is Ada

        await page.open(f"{SHOP}/cdn-cgi/access/logout")
        await page.open(f"{SHOP}/")
        for _ in range(5):  # two identities, the provider, the section of codes, that of others
            await page.press("Tab", code=9)
        await page.press("Enter", code=13, text="\r")
        await page.type("#email", "eve@evil.test")
        await page.press("Enter", code=13, text="\r", load=True)
        assert "That account does not have access." in await page.html()
        await _keep(page, "denied")


@pytest.mark.parametrize(("width", "dark"), [(320, False), (320, True), (1280, True)])
async def test_pages_fit_narrow_and_wide_in_light_and_dark(tmp_path: Path, width: int, dark: bool) -> None:
    async with _edge() as edge, chromium(tmp_path, port=_port(edge)) as page:
        await page.look(width=width, height=700, dark=dark)
        await page.open(f"{SHOP}/")
        name = f"{width}-{'dark' if dark else 'light'}"
        await _keep(page, f"login-{name}")
        assert await page.content_width() <= width

        await page.open(f"{SHOP}/cdn-cgi/access/authorized?nonce=x")
        await _keep(page, f"stale-{name}")
        assert await page.content_width() <= width


async def test_a_code_from_the_log_logs_in(tmp_path: Path) -> None:
    async with _edge() as edge, chromium(tmp_path, port=_port(edge)) as page:
        await page.look(width=420, height=800, dark=False)
        await page.open(f"{SHOP}/")
        await page.press("Tab", code=9)
        for _ in range(3):  # past the identities and the provider, to the section
            await page.press("Tab", code=9)
        await page.press("Enter", code=13, text="\r")
        await page.type("#pin-email", "ada@example.com")
        await page.press("Enter", code=13, text="\r", load=True)
        await _keep(page, "pin")
        code = next(line.text for line in edge.logs if "login code for" in line.text).rpartition(" ")[2]
        await page.type("#code", code)
        await page.press("Enter", code=13, text="\r", load=True)

        assert await page.url() == f"{SHOP}/"


def _provider_page(request: OriginRequest) -> bytes:
    """A SAML identity provider that logs everyone in as Ada: its form goes back from another site."""
    sent = request_of(request.url)
    callback = str(sent.get("AssertionConsumerServiceURL"))
    moment = datetime.datetime.fromisoformat(str(sent.get("IssueInstant")))
    answer = Answer(str(sent.get("ID")), int(moment.timestamp()))
    xml = sign(answer.xml().replace(CALLBACK, callback))
    return (
        f'<form method="post" action="{callback}"><input type="hidden" name="SAMLResponse" value="{encode(xml)}">'
        "<button>Go on as Ada</button></form>"
    ).encode()


async def test_a_person_logs_in_at_a_saml_provider_of_another_site(tmp_path: Path) -> None:
    """Browsers send no SameSite=Lax cookie with a form of another site, which is what there is on plain http."""
    provider = provider_config(sso_target_url="http://idp.other.test/sso")
    edge = edge_with(
        ConfiguredObject("identity_provider", "idp-1", provider), app("Shop", "shop.example.com"), issuer=TEAM
    )
    edge.origin.on("*", lambda request: b"<h1>Origin</h1>")
    edge.origin.on(
        "http://idp.other.test/sso",
        lambda request: Response(200, Headers({"Content-Type": "text/html"}), _provider_page(request)),
    )
    async with edge, chromium(tmp_path, port=_port(edge)) as page:
        await page.open(f"{SHOP}/orders")
        await page.click('a.button[href*="/idp/idp-1/"]')
        assert "Go on as Ada" in await page.html()
        await page.click("button")

        assert await page.url() == f"{SHOP}/orders"
        assert edge.origin.requests[-1].headers.get("cf-access-authenticated-user-email") == "ada@example.com"


async def test_a_person_lets_a_program_log_in(tmp_path: Path) -> None:
    async with _edge() as edge, chromium(tmp_path, port=_port(edge)) as page:
        await page.look(width=420, height=700, dark=False)
        program = Program(edge)
        await page.open(await program.address(SHOP))
        await page.click('button[value="ada@example.com"]')
        assert "Let a program log in?" in await page.html()
        await _keep(page, "transfer")
        assert await page.content_width() <= 420

        await page.click("button")

        assert "The program has its token" in await page.html()
        token = (await program.fetch())["app_token"]
        assert (await edge.fetch(f"{SHOP}/", headers={"Cf-Access-Token": token})).status == 200
