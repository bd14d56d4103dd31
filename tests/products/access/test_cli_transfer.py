"""`cloudflared access login`, as its code does it: a page in a browser, and tokens that wait elsewhere, encrypted."""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edgeworker.products.access.nacl_box import seal
from edgeworker.testing.calls import Reply
from edgeworker.testing.local import LocalEdge
from tests.products.access.stage import PREFIX, SHOP, TEAM, Browser, app, edge_with

STORE = "https://login.cloudflareaccess.org/transfer/"
OBJECTS = (app("shop", "shop.example.com"), app("wiki", "wiki.example.com"))


@dataclass
class Program:
    """The part of cloudflared."""

    edge: LocalEdge
    private: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)

    @property
    def public(self) -> str:
        raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.urlsafe_b64encode(raw).decode()

    async def address(self, host: str = SHOP, **changes: str) -> str:
        """It learns the application's AUD tag first."""
        told = await self.edge.fetch(f"{host}/", method="HEAD", headers={"cf-access-metadata-request": "true"})
        match = jwt.decode(told.headers.get("cf-access-metadata") or "", options={"verify_signature": False})
        query = {
            "aud": match["aud"],
            "edge_token_transfer": "true",
            "redirect_url": f"{host}/?aud={match['aud']}&token={self.public}",
            "send_org_token": "true",
            "token": self.public,
            **changes,
        }
        return f"{host}{PREFIX}cli?{urlencode(query)}"

    async def fetch(self) -> Mapping[str, str]:
        reply = await self.edge.fetch(f"{STORE}{self.public}")
        assert reply.status == 200
        return self.decrypt(reply)

    def decrypt(self, reply: Reply) -> Mapping[str, str]:
        box, key = base64.b64decode(reply.text), base64.urlsafe_b64decode(reply.headers.get("service-public-key") or "")
        nonce, tag, encrypted = box[:24], box[24:40], box[40:]
        # XSalsa20 is its own inverse: what is encrypted twice is what it was.
        message = seal(encrypted, nonce=nonce, recipient=key, private=self.private)[16:]
        assert seal(message, nonce=nonce, recipient=key, private=self.private)[:16] == tag
        found: dict[str, str] = json.loads(message)
        return found


async def _confirm(browser: Browser, page: Reply) -> Reply:
    assert "Let a program log in?" in page.text
    target = unescape(page.text.partition('<form method="post" action="')[2].partition('"')[0])
    proof = page.text.partition('name="proof" value="')[2].partition('"')[0]
    return await browser.step("POST", f"{SHOP}{target}", body=urlencode({"proof": proof}))


async def test_a_program_gets_the_tokens_of_who_logs_in_for_it() -> None:
    async with edge_with(*OBJECTS) as edge:
        program, browser = Program(edge), Browser(edge)
        waiting = asyncio.ensure_future(program.fetch())

        page = await browser.log_in(await program.address())
        assert (await _confirm(browser, page)).status == 200
        tokens = await waiting

        assert tokens["app_token"] == browser.token()
        headers = {"Cf-Access-Token": tokens["app_token"]}
        assert (await edge.fetch(f"{SHOP}/", headers=headers)).status == 200
        # The organization's token opens another application without a login, as cloudflared uses it.
        other = Browser(edge, cookies={"acme.cloudflareaccess.com": {"CF_Authorization": tokens["org_token"]}})
        assert (await other.go("https://wiki.example.com/")).status == 200
        assert (await edge.fetch(f"{SHOP}/", headers={"Cf-Access-Token": tokens["org_token"]})).status == 302


async def test_a_token_is_fetched_once() -> None:
    async with edge_with(*OBJECTS) as edge:
        program, browser = Program(edge), Browser(edge)
        await _confirm(browser, await browser.log_in(await program.address(send_org_token="false")))

        assert set(await program.fetch()) == {"app_token"}
        again = asyncio.ensure_future(edge.fetch(f"{STORE}{program.public}"))
        done, _ = await asyncio.wait({again}, timeout=0.5)
        again.cancel()
        assert not done


async def test_nothing_is_given_before_the_person_says_so() -> None:
    """An address that comes in a mail: who is logged in and opens it has given nothing away."""
    async with edge_with(*OBJECTS) as edge:
        program, browser = Program(edge), Browser(edge)
        await browser.log_in(f"{SHOP}/")
        address = await program.address()

        page = await browser.step("GET", address)
        assert "ada@example.com" in page.text
        assert page.headers.get("x-frame-options") == "DENY"
        for proof in ("", "0" * 64):
            assert (await browser.step("POST", address, body=urlencode({"proof": proof}))).status == 403
        other = Program(edge)
        foreign = await browser.step("GET", await other.address())
        proof = foreign.text.partition('name="proof" value="')[2].partition('"')[0]
        assert (await browser.step("POST", address, body=urlencode({"proof": proof}))).status == 403


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"token": ""}, 400),
        ({"token": "AAAA"}, 400),
        ({"token": base64.urlsafe_b64encode(bytes(32)).decode()}, 400),
        ({"token": base64.urlsafe_b64encode(b"\x01" + bytes(31)).decode()}, 400),
        pytest.param({"token": "x" * 3000}, 400, id="long"),
        ({"aud": "0" * 64}, 404),
        ({"aud": ""}, 404),
    ],
)
async def test_an_address_that_is_none_is_refused(changes: dict[str, str], status: int) -> None:
    async with edge_with(*OBJECTS) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/")

        assert (await browser.step("GET", await Program(edge).address(**changes))).status == status


async def test_the_application_of_another_host_is_not_given_here() -> None:
    async with edge_with(*OBJECTS) as edge:
        program, browser = Program(edge), Browser(edge)
        await browser.log_in(f"{SHOP}/")
        wiki = (await program.address("https://wiki.example.com")).replace("wiki.example.com", "shop.example.com")

        assert (await browser.step("GET", wiki)).status == 404


@pytest.mark.parametrize("path", ["", "x", "AAAA", "%00" * 32, "=" * 44])
async def test_there_is_nothing_else_where_tokens_wait(path: str) -> None:
    async with edge_with(*OBJECTS) as edge:
        assert (await edge.fetch(f"{STORE}{path}")).status in (400, 404)
        assert (await edge.fetch(f"{TEAM}/transfer/{path}")).status in (400, 404)
