"""The order in which a request meets what stands before a worker: API Shield, custom rules, rate limits, Access.

Source: https://developers.cloudflare.com/ruleset-engine/reference/phases-list/
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeworker.config import Config, Route, Worker, Zone
from edgeworker.products.api_shield.config import RateLimitRule, ShieldConfig
from edgeworker.testing.local import LocalEdge
from tests.products.access.stage import ORIGIN, access_of, app
from tests.products.api_shield.minting import key_set, mint, signing_key
from tests.products.api_shield.zones import configuration, custom, operation, rule

HOST = "shop.example.com"
USERS = f"https://{HOST}/users/7"
KEY = signing_key("ES256")
LIMITED = 5
SHIELD = ShieldConfig(
    operations=(operation("/users/{id}", host=HOST),),
    configurations=(configuration("A", key_set(KEY)),),
    rules=(rule('is_jwt_valid("A")'),),
    custom_rules=(custom('http.request.uri.path eq "/closed"'),),
    rate_limits=(RateLimitRule("l1", LIMITED, 60, ("ip.src",), expression='http.request.uri.path eq "/limited"'),),
)
SCRIPT = """\
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(f"{self.ctx.access is not None} {'cf-access-jwt-assertion' in request.headers}")
"""


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[LocalEdge]:
    (tmp_path / "worker.py").write_text(SCRIPT)
    config = Config(
        workers=(Worker("shop", tmp_path / "worker.py"),),
        zones=(Zone("example.com", "z1", ORIGIN, products=(SHIELD,)),),
        routes=(Route(f"{HOST}/*", "shop", zone="example.com"),),
        products=(access_of(app("shop", HOST)),),
    )
    with LocalEdge(config) as edge:
        yield edge


@pytest.mark.parametrize(
    ("token", "is_logged_in", "status"),
    [
        ("none", False, 403),
        ("none", True, 403),
        ("garbage", True, 403),
        ("valid", False, 302),
        ("valid", True, 200),
    ],
)
def test_api_shield_decides_before_access(edge: LocalEdge, token: str, is_logged_in: bool, status: int) -> None:
    headers = dict(edge.access.login("ada@example.com", app="shop").headers) if is_logged_in else {}
    if token != "none":
        headers["Authorization"] = mint(KEY) if token == "valid" else token

    reply = edge.get(USERS, headers=headers)

    assert reply.status == status
    if status == 302:
        assert (reply.headers.get("location") or "").startswith(
            "https://acme.cloudflareaccess.com/cdn-cgi/access/login/"
        )
    if status == 200:
        assert reply.text == "True True"


def test_access_decides_before_the_worker_where_api_shield_has_nothing_to_say(edge: LocalEdge) -> None:
    ada = edge.access.login("ada@example.com", app="shop")

    assert edge.get(f"https://{HOST}/elsewhere").status == 302
    assert edge.get(f"https://{HOST}/elsewhere", headers=ada.headers).text == "True True"


def test_a_custom_rule_blocks_who_is_logged_in_and_who_is_not(edge: LocalEdge) -> None:
    ada = edge.access.login("ada@example.com", app="shop")

    assert edge.get(f"https://{HOST}/closed").status == 403
    assert edge.get(f"https://{HOST}/closed", headers=ada.headers).status == 403


def test_a_rate_limit_counts_before_access_asks_for_a_login(edge: LocalEdge) -> None:
    ada = edge.access.login("ada@example.com", app="shop")
    limited = f"https://{HOST}/limited"

    assert [edge.get(limited).status for _ in range(LIMITED + 1)] == [302] * LIMITED + [429]
    assert edge.get(limited, headers=ada.headers).status == 429
    assert edge.get(limited, headers=ada.headers, ip="203.0.113.9").status == 200


def test_the_keys_of_access_need_neither_a_login_nor_a_token(edge: LocalEdge) -> None:
    assert edge.get(f"https://{HOST}/cdn-cgi/access/certs").status == 200
