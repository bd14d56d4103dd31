"""The seam that products stand in, shown with a product that is made up."""

import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.clock import SystemClock
from edgeworker.config import Config, ProductConfig, Route, Zone
from edgeworker.edge import PersistentServices
from edgeworker.handler import Handler
from edgeworker.messages import Access, Request, Response, VerifiedToken
from edgeworker.products import registry
from edgeworker.products.product import OpenProduct, ProductServices
from edgeworker.routing import ServedHosts, served_names
from edgeworker.state import FILE_NAME, SQLiteState
from tests.edge.making import Made, make
from tests.products.made_up import FIELD, OFFICE, BadgeOffice, Badges, BadgeZone

ORIGIN = "http://127.0.0.1:3000"
CONFIG = Config(
    zones=(
        Zone("guarded.test", "z1", origin=ORIGIN, products=(BadgeZone(),)),
        Zone("open.test", "z2", origin=ORIGIN),
    ),
    products=(BadgeOffice(),),
)
PASS = "async def fetch(self, request):\n    return await fetch(request)"


@pytest.fixture
def badges(monkeypatch: pytest.MonkeyPatch) -> Badges:
    badges = Badges()
    monkeypatch.setattr(registry, "PRODUCTS", (badges,))
    return badges


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[SQLiteState]:
    async with SQLiteState(tmp_path / "data", SystemClock()) as state:
        yield state


async def test_a_request_meets_the_products_of_its_zone_and_no_other(tmp_path: Path, badges: Badges) -> None:
    made = await make(tmp_path, CONFIG, {})

    assert (await made.get("http://guarded.test/x"))[0].status == 403
    assert (await made.get("http://sub.guarded.test./x"))[0].status == 403
    assert (await made.get("http://open.test/x"))[0].status == 200
    assert [request.url.hostname for request in made.origins[ORIGIN].requests] == ["open.test"]


async def test_a_product_that_is_not_configured_is_not_even_opened(tmp_path: Path, badges: Badges) -> None:
    config = replace(CONFIG, zones=(CONFIG.zones[1],), products=())
    made = await make(tmp_path, config, {}, persistent=PersistentServices(secrets=tmp_path / "secrets"))

    assert (await made.get("http://open.test/x"))[0].status == 200
    assert badges.opened == []
    assert not (tmp_path / "secrets").exists()


async def test_what_a_product_learns_reaches_the_origin_and_the_worker(tmp_path: Path, badges: Badges) -> None:
    config = replace(CONFIG, routes=(Route("guarded.test/w", "w", zone="guarded.test"),))
    script = "async def fetch(self, request):\n    return Response(str(self.ctx.access.aud))"
    made = await make(tmp_path, config, {"w": script})
    await made.get(f"http://{OFFICE}/ann")
    badge = {"Authorization": "ann"}

    assert (await made.get("http://guarded.test/x", headers=badge))[0].status == 200
    request = made.origins[ORIGIN].requests[-1]
    assert request.headers.get(FIELD) == "ANN"
    assert request.access == Access("badges", {"email": "ANN"})
    assert request.verified_tokens == (VerifiedToken("c1", {"sub": "ANN"}),)
    assert (await made.get("http://guarded.test/w", headers=badge))[1] == "badges"


@pytest.mark.parametrize("host", ["guarded.test", "open.test", "elsewhere.test"])
async def test_identity_fields_of_a_client_are_stripped_on_every_zone(
    tmp_path: Path, badges: Badges, host: str
) -> None:
    made = await make(tmp_path, replace(CONFIG, origin=ORIGIN), {})
    await made.get(f"http://{OFFICE}/ann")
    forged = {FIELD: "root@example.com", "Cf_Access_Authenticated_User_Email": "root", "Cf-Access-Jwt-Assertion": "x"}

    await made.get(f"http://{host}/x", headers={"Authorization": "ann", **forged})

    headers = made.origins[ORIGIN].requests[-1].headers
    assert headers.get(FIELD) == ("ANN" if host == "guarded.test" else None)
    assert headers.get("cf_access_authenticated_user_email") is None
    assert headers.get("cf-access-jwt-assertion") is None


async def test_a_product_answers_its_own_paths_and_sets_the_edges_cookies(tmp_path: Path, badges: Badges) -> None:
    made = await make(tmp_path, CONFIG, {})

    assert (await made.get("http://guarded.test/cdn-cgi/badges/hello"))[1] == "badges are asked for here"
    assert (await made.get("http://open.test/cdn-cgi/badges/hello"))[0].status == 404
    assert (await made.get("http://guarded.test/x"))[0].headers.get_set_cookie() == ["CF_AppSession=x"]


async def test_a_host_of_a_product_is_answered_by_it_for_clients_and_for_workers(
    tmp_path: Path, badges: Badges
) -> None:
    config = replace(CONFIG, routes=(Route("open.test/*", "w", zone="open.test"),))
    made = await make(
        tmp_path, config, {"w": f"async def fetch(self, request):\n    return await fetch('https://{OFFICE}/bob')"}
    )

    response, text = await made.get(f"http://{OFFICE}/ann")
    assert (response.status, text) == (201, "made ann")
    assert (response.headers.get("cf-ray") or "").endswith("-LOC")
    assert (await made.get("http://open.test/"))[1] == "made bob"
    assert made.internet.requests == []
    assert OFFICE in served_names(config)
    assert OFFICE in ServedHosts(config)


async def test_a_worker_meets_the_products_of_another_zone_and_brings_nothing_of_its_own_request(
    tmp_path: Path, badges: Badges
) -> None:
    zones = (*CONFIG.zones, Zone("second.test", "z3", origin=ORIGIN))
    config = replace(CONFIG, zones=zones, routes=(Route("guarded.test/out/*", "w", zone="guarded.test"),))
    script = (
        "async def fetch(self, request):\n"
        "    host = request.url.rpartition('/')[2]\n"
        "    answer = await fetch(f'http://{host}/x', headers=request.headers)\n"
        "    return Response(f'{answer.status}')"
    )
    made = await make(tmp_path, config, {"w": script})
    await made.get(f"http://{OFFICE}/ann")
    badge = {"Authorization": "ann"}

    assert (await made.get("http://guarded.test/out/second.test", headers=badge))[1] == "200"
    request = made.origins[ORIGIN].requests[-1]
    assert (request.url.hostname, request.access, request.verified_tokens) == ("second.test", None, ())
    assert request.headers.get(FIELD) is None

    config = replace(config, routes=(Route("open.test/out/*", "w", zone="open.test"),))
    made = await make(tmp_path / "second", config, {"w": script})
    assert (await made.get("http://open.test/out/guarded.test"))[1] == "403"


async def test_a_customers_host_meets_the_products_of_the_zone_that_serves_it(tmp_path: Path, badges: Badges) -> None:
    config = replace(CONFIG, routes=(Route("*/*", "w", zone="guarded.test"),))
    made = await make(tmp_path, config, {"w": PASS})

    assert (await made.get("http://customer.test/x"))[0].status == 403


class Marking:
    """Writes its name on requests and responses."""

    def __init__(self, name: str, zones: frozenset[str | None]) -> None:
        self.name = name
        self._zones = zones
        self.hosts: dict[str, Handler] = {}

    def applies(self, zone: Zone | None, config: Config) -> bool:
        return (None if zone is None else zone.name) in self._zones

    def open(self, services: ProductServices) -> OpenProduct:
        return self

    def wrap(self, then: Handler, zone: Zone | None) -> Handler:
        name = self.name

        class Link:
            async def fetch(self, request: Request, /) -> Response:
                headers = request.headers.copy()
                headers.append("x-met", name)
                response = await then.fetch(request.replace(headers=headers))
                response.headers.append("x-left", name)
                return response

        return Link()


async def test_products_are_met_in_their_order_and_left_in_the_reverse_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everywhere = frozenset({None, "guarded.test", "open.test"})
    order = (
        Marking("shield", everywhere),
        Marking("limit", frozenset({"open.test"})),
        Marking("access", frozenset({None, "open.test"})),
    )
    monkeypatch.setattr(registry, "PRODUCTS", order)
    made = await make(tmp_path, replace(CONFIG, origin=ORIGIN), {})

    for host, met in [
        ("open.test", "shield, limit, access"),
        ("guarded.test", "shield"),
        ("no.zone", "shield, access"),
    ]:
        response, _ = await made.get(f"http://{host}/x")
        assert made.origins[ORIGIN].requests[-1].headers.get("x-met") == met
        assert response.headers.get("x-left") == ", ".join(reversed(met.split(", ")))


async def _with_state(folder: Path, state: SQLiteState) -> Made:
    return await make(folder, CONFIG, {}, persistent=PersistentServices(state, secrets=folder / "secrets"))


async def test_a_revocation_in_one_process_holds_in_another_at_the_next_request(
    tmp_path: Path, badges: Badges, state: SQLiteState
) -> None:
    made = await _with_state(tmp_path, state)
    async with SQLiteState(tmp_path / "data", SystemClock()) as other:
        documents = other.documents("badges")
        await documents.put("badge", "ann", {"holder": "Ann"})
        assert (await made.get("http://guarded.test/x", headers={"Authorization": "ann"}))[0].status == 200

        await documents.delete("badge", "ann")

        assert (await made.get("http://guarded.test/x", headers={"Authorization": "ann"}))[0].status == 403


async def test_what_a_product_keeps_outlives_its_edge(tmp_path: Path, badges: Badges, state: SQLiteState) -> None:
    made = await _with_state(tmp_path, state)
    await made.get(f"http://{OFFICE}/ann")

    again = await _with_state(tmp_path, state)

    assert (await again.get("http://guarded.test/x", headers={"Authorization": "ann"}))[0].status == 200
    folder = badges.opened[-1].secrets
    assert folder == tmp_path / "secrets" / "badges"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_nothing_passes_while_a_product_cannot_read_its_state(
    tmp_path: Path, badges: Badges, state: SQLiteState, caplog: pytest.LogCaptureFixture
) -> None:
    made = await _with_state(tmp_path, state)
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / FILE_NAME).write_bytes(b"this is not a database, and long enough to be read as one" * 100)

    response, text = await made.get("http://guarded.test/x", headers={"Authorization": "ann"})

    assert (response.status, text) == (503, "error code: 503")
    assert "file is not a database" in caplog.text
    assert made.origins == {}
    assert (await made.get("http://open.test/x"))[0].status == 200


async def test_a_worker_that_fetches_a_zone_whose_product_cannot_decide_gets_503(
    tmp_path: Path, badges: Badges, state: SQLiteState
) -> None:
    config = replace(CONFIG, routes=(Route("open.test/*", "w", zone="open.test"),))
    script = "async def fetch(self, request):\n    return Response(str((await fetch('http://guarded.test/')).status))"
    made = await make(tmp_path, config, {"w": script}, persistent=PersistentServices(state))
    await state.documents("badges").put("badge", "ann", {"holder": "Ann"})
    connection = sqlite3.connect(tmp_path / "data" / FILE_NAME)
    connection.execute("DROP TABLE documents")
    connection.commit()
    connection.close()

    assert (await made.get("http://open.test/"))[1] == "503"


def test_a_products_configuration_names_no_hosts_by_itself() -> None:
    assert ProductConfig().hosts == ()


def test_an_edge_without_products_loads_none_of_them() -> None:
    program = (
        "import sys, edgeworker.edge, edgeworker.products.registry as registry\n"
        "from edgeworker.config import Config, Zone\n"
        "assert not any(p.applies(z, Config()) for p in registry.PRODUCTS for z in (None, Zone('a.test', 'z')))\n"
        "names = {name for name in sys.modules if name.startswith('edgeworker.products.')}\n"
        "print(*sorted(name for name in names if name.count('.') > 2 and not name.endswith('.product')))\n"
        "print('cryptography' in sys.modules)"
    )

    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )

    assert result.stdout.split("\n") == ["", "False", ""]
