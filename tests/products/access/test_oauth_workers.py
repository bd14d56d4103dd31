"""Our own OAuth workers, on the same edge, as the identity provider of Access."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from urllib.parse import urlencode

from edgeworker.config import JSON, Zone
from edgeworker.products.access.config import ConfiguredObject
from edgeworker.testing import Edge, MovableClock
from edgeworker.testing.calls import Reply
from edgeworker.testing.edge import read
from edgeworker.testing.single import variable_bindings
from issuer import keys, users
from tests.products.access.stage import ALLOW_EXAMPLE, ORIGIN, PREFIX, SHOP, TEAM, Browser, access_of, app, members
from tests.scripts.oauth import auth_stage
from tests.scripts.oauth.auth_stage import HASH, ISSUER, PASSWORD, SCRIPTS
from tests.scripts.oauth.token_stage import RING

CLIENT: dict[str, JSON] = {
    "client_id": "access",
    "client_name": "Access",
    "token_endpoint_auth_method": "none",
    "redirect_uris": [f"{TEAM}{PREFIX}callback"],
    "scope": "openid email",
}
PROVIDER: dict[str, JSON] = {
    "name": "Company",
    "type": "oidc",
    "config": {
        "client_id": "access",
        "auth_url": f"{ISSUER}/authorize",
        "token_url": f"{ISSUER}/token",
        "certs_url": f"{ISSUER}/jwks",
        "issuer": ISSUER,
        "scopes": ["openid", "email"],
        "claims": ["email_verified"],
    },
}


@contextmanager
def _edge() -> Iterator[Edge]:
    config = read([SCRIPTS / "auth/wrangler.toml", SCRIPTS / "token/wrangler.toml"])
    given = variable_bindings(auth_stage.variables(CLIENT, SIGNING_KEYS=keys.dump(RING)))
    named = {binding.name for binding in given}
    workers = [
        replace(worker, bindings=(*(each for each in worker.bindings if each.name not in named), *given))
        for worker in config.workers
    ]
    shop = app("shop", "shop.example.com", ALLOW_EXAMPLE, allowed_idps=["idp-1"])
    access = access_of(ConfiguredObject("identity_provider", "idp-1", PROVIDER), shop)
    zones = (*config.zones, Zone("shop.example.com", "z9", ORIGIN))
    clock = MovableClock(1_800_000_000)
    edge = Edge(replace(config, workers=tuple(workers), zones=zones, products=(access,)), clock=clock)
    try:
        ann = users.new("ann@example.com", HASH, now=clock.now(), name="Ann", email_verified=True)
        stage = auth_stage.Stage(edge, clock, ann)
        stage.add(stage.ann)
        yield edge
    finally:
        edge.close()


async def _submit(browser: Browser, page: Reply, **fields: str) -> Reply:
    """The only form of a page of the auth worker."""
    action = unescape(page.text.partition('<form method="post" action="')[2].partition('"')[0])
    hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
    values = {name: unescape(value) for name, value in hidden}
    return await browser.go(f"{ISSUER}{action}", method="POST", body=urlencode({**values, **fields}))


def test_a_login_at_our_own_oauth_workers_opens_an_application() -> None:
    with _edge() as edge:
        edge.run(_log_in(edge))


async def _log_in(edge: Edge) -> None:
    browser = Browser(edge)
    page = await browser.go(f"{SHOP}/x")
    link = page.text.partition(f'href="{PREFIX}idp/')[2].partition('"')[0].replace("&amp;", "&")
    page = await browser.go(f"{TEAM}{PREFIX}idp/{link}")
    assert page.url.startswith(ISSUER), page.text
    page = await _submit(browser, page, email="ann@example.com", password=PASSWORD, login="login")
    if "Access" in page.text and "decision" in page.text:
        page = await _submit(browser, page, decision="allow")

    assert (page.status, browser.trail[-1]) == (200, f"{SHOP}/x"), (browser.trail[-3:], page.text[-600:])
    identity = members(await browser.step("GET", f"{SHOP}{PREFIX}get-identity"))
    assert identity.text("email") == "ann@example.com"
    assert identity.members["oidc_fields"] == {"email_verified": True}
