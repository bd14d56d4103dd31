"""The Access demo's steps, one function each. Each says what it does, does it over HTTP, and checks the outcome."""

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import jwt

from edgeworker.cli.demo import wire
from edgeworker.cli.demo.access.stage import EMAIL, STRANGER, AccessStage, set_up, state_of
from edgeworker.cli.demo.narrator import Narrator
from edgeworker.cli.demo.oauth.browser import Browser, Page
from edgeworker.cli.demo.serving import until_stopped
from edgeworker.cli.output import Output
from edgeworker.products.access.config import access_config
from edgeworker.products.access.directory import Directory
from edgeworker.products.access.product import AccessProduct
from edgeworker.products.access.sessions import Sessions

PICTURE = (
    "browser ──no session──▶ edge ──302──▶ team domain ──login──▶ back with a nonce",
    "browser ──cookie──▶ edge ──{H}.{P}.{S}──▶ origin ◀──public keys── team domain",
)


@dataclass(slots=True)
class AccessScene:
    """What the steps pass on."""

    narrator: Narrator
    stage: AccessStage
    browser: Browser
    token: str = ""

    def call(self, url: str, headers: dict[str, str] | None = None) -> wire.WireResponse:
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        return wire.call(self.stage.edge_url, "GET", target, {"Host": parts.netloc, **(headers or {})}, None)

    def cookie(self, name: str) -> str:
        return self.browser.cookies(self.stage.url(name)).get("CF_Authorization", "")


async def perform(out: Output, *, keep: bool) -> bool:
    """Whether every check held."""
    narrator = Narrator(out)
    narrator.title("Cloudflare Access, whole and offline", "An origin that believes signed tokens only.", PICTURE)
    with _quiet():
        return await _perform(out, narrator, keep=keep)


@contextmanager
def _quiet() -> Iterator[None]:
    """What Access logs about those who are refused would stand between the lines of the story."""
    log = logging.getLogger("edgeworker.products.access")
    log.disabled, children = True, [logging.getLogger(f"{log.name}.{name}") for name in ("authentication", "services")]
    for child in children:
        child.disabled = True
    try:
        yield
    finally:
        for each in (log, *children):
            each.disabled = False


async def _perform(out: Output, narrator: Narrator, *, keep: bool) -> bool:
    async with set_up() as stage:
        scene = AccessScene(narrator, stage, Browser(stage.edge_url))
        for step in (
            _without_a_session,
            _log_in,
            _second_application,
            _who_is_it,
            _forge_headers,
            _service_token,
            _stranger,
        ):
            await asyncio.to_thread(step, scene)
        await _rotate(scene)
        await _revoke(scene)
        held = narrator.end()
        if keep:
            out.line()
            out.line(f"Open {stage.url('shop')} in a browser and log in.")
            await until_stopped(out, stage.stop)
        return held


def _without_a_session(scene: AccessScene) -> None:
    scene.narrator.step("Without a session a browser is sent to the team domain")
    url = scene.stage.url("shop", "/orders?page=2")
    answer = scene.call(url)
    location = answer.headers.get("location", "")
    scene.narrator.sent(f"GET {url}")
    login = f"{scene.stage.team_domain}/cdn-cgi/access/login/shop.localhost"
    got = f"{answer.status} {location[:80]}"
    scene.narrator.check("302 to the login of the team domain", location.startswith(login), got=got)
    meta = parse_qs(urlsplit(location).query).get("meta", [""])[0]
    claims = jwt.decode(meta, options={"verify_signature": False}) if meta else {}
    scene.narrator.check('the address says what was seen ("meta")', claims.get("service_token_status") is False)
    script = scene.call(url, {"X-Requested-With": "XMLHttpRequest"})
    scene.narrator.check("a script gets 401 instead", script.status == 401, got=str(script.status))


def _pick(scene: AccessScene, page: Page, email: str) -> Page:
    if email == EMAIL:
        form = page.form_with("email")
        button = next(item for item in form.buttons if item.value == email)
        return scene.browser.submit(page, form, {}, button)
    return scene.browser.submit(page, page.form_with("email", "groups"), {"email": email})


def _log_in(scene: AccessScene) -> None:
    scene.narrator.step(f"{EMAIL} logs in on the page")
    page = scene.browser.open(scene.stage.url("shop", "/orders?page=2"))
    scene.narrator.check("the page offers the identities of edge.toml", "Ada" in page.text, got=page.title)
    page = _pick(scene, page, EMAIL)
    scene.token = scene.cookie("shop")
    scene.narrator.check("the browser is back where it wanted to go", page.url.endswith("/orders?page=2"), got=page.url)
    scene.narrator.say(f"CF_Authorization: {scene.narrator.token(scene.token)}")
    verified = json.loads(page.answer.body)
    scene.narrator.check(
        "the origin verified the token and knows who it is", verified.get("verified") == EMAIL, got=str(verified)
    )


def _second_application(scene: AccessScene) -> None:
    scene.narrator.step("A second application needs no second login")
    page = scene.browser.open(scene.stage.url("wiki", "/page"))
    scene.narrator.check(
        "200 without a page in between", page.status == 200 and page.url.endswith("/page"), got=page.url
    )
    scene.narrator.check("each application has a token of its own", scene.cookie("wiki") not in ("", scene.token))


def _who_is_it(scene: AccessScene) -> None:
    scene.narrator.step("get-identity says more than the token")
    answer = scene.call(
        f"{scene.stage.team_domain}/cdn-cgi/access/get-identity", {"Cookie": f"CF_Authorization={scene.token}"}
    )
    identity = json.loads(answer.body)
    scene.narrator.say(json.dumps({name: identity.get(name) for name in ("email", "groups", "idp")}))
    scene.narrator.check("the groups of edge.toml are there", identity.get("groups") == ["Engineering"])


def _forge_headers(scene: AccessScene) -> None:
    scene.narrator.step("What is forged does not get in, whatever it looks like")
    header, payload, signature = scene.token.split(".")
    url = scene.stage.url("shop")
    attempts = {
        "a changed token": f"{header}.{payload[:-2]}AA.{signature}",
        "a token without a signature": f"{header}.{payload}.",
        "the token of another application": scene.cookie("wiki"),
    }
    for name, token in attempts.items():
        answer = scene.call(url, {"Cookie": f"CF_Authorization={token}"})
        scene.narrator.check(f"{name}: to the login", answer.status == 302, got=str(answer.status))
    answer = scene.call(url, {"Cf-Access-Authenticated-User-Email": EMAIL, "Authorization": f"Bearer {scene.token}"})
    scene.narrator.check("header fields that only the edge may set: to the login", answer.status == 302)


def _service_token(scene: AccessScene) -> None:
    scene.narrator.step("A machine shows a service token")
    url, stage = scene.stage.url("api"), scene.stage
    good = {"CF-Access-Client-Id": stage.client_id, "CF-Access-Client-Secret": stage.client_secret}
    answer = scene.call(url, good)
    verified = json.loads(answer.body) if answer.status == 200 else {}
    scene.narrator.check(
        "the origin verified its token", verified.get("verified") == stage.client_id, got=str(answer.status)
    )
    wrong = scene.call(url, {**good, "CF-Access-Client-Secret": "wrong"})
    scene.narrator.check("a wrong secret: 403, and never a login", wrong.status == 403, got=str(wrong.status))
    shop = scene.call(scene.stage.url("shop"), good)
    scene.narrator.check("an Allow policy lets no service token in", shop.status == 302, got=str(shop.status))


def _stranger(scene: AccessScene) -> None:
    scene.narrator.step(f"{STRANGER} is allowed nowhere")
    browser, scene.browser = scene.browser, Browser(scene.stage.edge_url)
    try:
        page = _pick(scene, scene.browser.open(scene.stage.url("shop")), STRANGER)
    finally:
        scene.browser = browser
    scene.narrator.check("403 with a page that says so", page.status == 403, got=str(page.status))


def _at_origin(scene: AccessScene, token: str) -> dict[str, object]:
    answer = scene.call(scene.stage.url("shop"), {"Cookie": f"CF_Authorization={token}"})
    found: dict[str, object] = json.loads(answer.body) if answer.status == 200 else {"status": answer.status}
    return found


async def _rotate(scene: AccessScene) -> None:
    scene.narrator.step("The keys rotate, by another process on the same data directory")
    scene.narrator.sent("edgeworker access keys rotate")
    access = access_config(scene.stage.config)
    assert access is not None
    async with state_of(scene.stage) as state:
        await Directory(access, state.documents(AccessProduct.name), scene.stage.clock).rotate()
    before = await asyncio.to_thread(_at_origin, scene, scene.token)
    scene.narrator.check("a token of the previous key is good for seven more days", before.get("verified") == EMAIL)
    page = await asyncio.to_thread(Browser.open, scene.browser, scene.stage.url("wiki"))
    scene.narrator.check("no one has to log in again", page.status == 200)
    kid = jwt.get_unverified_header(scene.token)["kid"]
    fresh = Browser(scene.stage.edge_url)
    scene.browser, old = fresh, scene.browser
    page = await asyncio.to_thread(fresh.open, scene.stage.url("shop"))
    await asyncio.to_thread(_pick, scene, page, EMAIL)
    token = scene.cookie("shop")
    scene.browser = old
    after = await asyncio.to_thread(_at_origin, scene, token)
    scene.narrator.check("new tokens are signed by another key, and verify", after.get("kid") not in (None, kid))


async def _revoke(scene: AccessScene) -> None:
    scene.narrator.step(f"The sessions of {EMAIL} are revoked")
    scene.narrator.sent(f"edgeworker access revoke --user {EMAIL}")
    access = access_config(scene.stage.config)
    assert access is not None
    async with state_of(scene.stage) as state:
        documents = state.documents(AccessProduct.name)
        sessions = Sessions(Directory(access, documents, scene.stage.clock), scene.stage.clock)
        await sessions.revoke_user(await sessions.user_uuid(EMAIL))
    answer = await asyncio.to_thread(_at_origin, scene, scene.token)
    scene.narrator.check("the next request is sent to the login", answer.get("status") == 302, got=str(answer))
    page = await asyncio.to_thread(scene.browser.open, scene.stage.url("wiki"))
    scene.narrator.check("and so is every other application", "Log in to Wiki" in page.text, got=page.title)
