"""scripts/access_origin as a worker: behind an edge with Access, its keys fetched from that edge's team domain."""

from edgeworker.bindings import TextBinding
from edgeworker.config import Route, Worker
from edgeworker.host.bundled import script
from edgeworker.products.access.objects import parse_application
from edgeworker.testing.local import LocalEdge
from tests.products.access.stage import ALLOW_EXAMPLE, CI_HEADERS, SERVICE, SHOP, TEAM, app, edge_with


def _edge(team: str = TEAM) -> LocalEdge:
    shop = app("shop", "shop.example.com", ALLOW_EXAMPLE, SERVICE)
    aud = parse_application(dict(shop.value)).aud
    worker = Worker(
        "origin",
        script("access_origin") / "worker.py",
        (TextBinding("TEAM_DOMAIN", team), TextBinding("POLICY_AUD", aud)),
        compatibility_date="2026-01-01",
    )
    routes = tuple(Route(f"{name}.example.com/*", "origin", "example.com") for name in ("shop", "open"))
    return edge_with(shop, routes=routes, workers=(worker,))


async def test_the_worker_verifies_who_comes_with_the_keys_of_the_team_domain() -> None:
    async with _edge() as edge:
        ada = edge.access.login("ada@example.com")

        assert (await edge.fetch(f"{SHOP}/", headers=ada.headers)).text == "Hello ada@example.com"
        assert (await edge.fetch(f"{SHOP}/", headers=CI_HEADERS)).text == "Hello ci.access"
        assert (await edge.fetch("https://open.example.com/")).status == 403
        forged = {"Cf-Access-Jwt-Assertion": ada.token}
        assert (await edge.fetch("https://open.example.com/", headers=forged)).status == 403  # removed by the edge


async def test_a_team_domain_that_does_not_answer_lets_no_one_in() -> None:
    async with _edge("https://other.cloudflareaccess.com") as edge:
        ada = edge.access.login("ada@example.com")

        assert (await edge.fetch(f"{SHOP}/", headers=ada.headers)).status == 503
