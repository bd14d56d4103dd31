"""Access rotates its keys, the worker brings them to API Shield, and tokens go on passing: all of it in one edge."""

import jwt

from edgeworker.bindings import SecretBinding, TextBinding
from edgeworker.config import JSON, Config, Worker, Zone
from edgeworker.host.bundled import script
from edgeworker.products.api_shield.config import ShieldConfig
from edgeworker.products.api_shield.zone_objects import ZoneObjects
from edgeworker.testing.engine import API_TOKEN
from edgeworker.testing.local import LocalEdge
from tests.products.access.stage import ORIGIN, TEAM, Browser, access_of, app
from tests.products.api_shield.minting import key_set, signing_key
from tests.products.api_shield.zones import configuration

DAY = 86_400
SHOP = "https://shop.example.com/"
API = "https://api.test/users/7"
CRON = "*/5 * * * *"


CONFIG_ID = "the-access-team"


def _edge() -> LocalEdge:
    worker = Worker(
        "jwks-sync",
        script("jwks_sync") / "worker.py",
        (
            TextBinding("JWKS_URL", f"{TEAM}/cdn-cgi/access/certs"),
            TextBinding("ZONE_ID", "z2"),
            TextBinding("CONFIG_ID", CONFIG_ID),
            SecretBinding("CF_API_TOKEN", API_TOKEN),
        ),
        crons=(CRON,),
    )
    config = Config(
        workers=(worker,),
        zones=(Zone("example.com", "z1", ORIGIN), Zone("api.test", "z2", ORIGIN, products=(ShieldConfig(),))),
        products=(access_of(app("shop", "shop.example.com", session_duration="720h")),),
        cloudflare_api_for_workers=True,
    )
    return LocalEdge(config)


async def _make_objects(edge: LocalEdge) -> None:
    """A token configuration with a key that was never anyone's, an operation, and a rule."""
    unused = configuration(CONFIG_ID, key_set(signing_key("ES256", "unused")))
    await ZoneObjects(edge.shield.documents, "z2").put_configuration(unused)
    operation: dict[str, JSON] = {"method": "GET", "host": "api.test", "endpoint": "/users/{id}"}
    await edge.shield.call("POST", "/api_gateway/operations/item", operation)
    rule: dict[str, JSON] = {
        "title": "Access",
        "description": "",
        "action": "block",
        "enabled": True,
        "expression": f'is_jwt_valid("{CONFIG_ID}")',
        "selector": {},
    }
    await edge.shield.call("POST", "/token_validation/rules", rule)


async def _log_in(edge: LocalEdge) -> str:
    browser = Browser(edge)
    await browser.log_in(SHOP)
    return browser.token()


async def _status(edge: LocalEdge, token: str) -> int:
    return (await edge.fetch(API, headers={"Authorization": f"Bearer {token}"})).status


async def test_tokens_of_the_old_and_the_new_key_pass_for_seven_days_and_then_only_the_new() -> None:
    async with _edge() as edge:
        await _make_objects(edge)
        await edge.cron(CRON)
        edge.clock.advance(41 * DAY)
        old = await _log_in(edge)
        edge.clock.advance(DAY)
        new = await _log_in(edge)
        assert jwt.get_unverified_header(old)["kid"] != jwt.get_unverified_header(new)["kid"]

        statuses = []
        for seconds in (0, 300, 7 * DAY - 600, 600, 300):
            edge.clock.advance(seconds)
            await edge.cron(CRON)
            statuses.append([await _status(edge, token) for token in (old, new)])

        assert statuses == [[200, 200], [200, 200], [200, 200], [403, 200], [403, 200]]
        assert edge.shield.reasons == ["unknown_kid"]


async def test_without_the_worker_a_rotation_ends_in_blocked_requests() -> None:
    async with _edge() as edge:
        await _make_objects(edge)
        await edge.cron(CRON)
        for _ in range(2):
            await _log_in(edge)
            edge.clock.advance(49 * DAY)

        assert await _status(edge, await _log_in(edge)) == 403
        await edge.cron(CRON)
        assert await _status(edge, await _log_in(edge)) == 200
