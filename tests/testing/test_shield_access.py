"""`edge.shield`: API Shield in tests of those who use edgeworker."""

import pytest

from edgeworker.config import Config, Zone
from edgeworker.products.api_shield.config import ShieldConfig
from edgeworker.testing.clock import MovableClock
from edgeworker.testing.local import LocalEdge
from edgeworker.testing.shield_access import ShieldAccessError
from tests.products.api_shield.minting import NOW, key_set, mint, signing_key
from tests.products.api_shield.zones import configuration, operation, rule

KEY = signing_key("ES256")
SHIELD = ShieldConfig(
    operations=(operation("/users/{id}"),),
    configurations=(configuration("login", key_set(KEY)),),
    rules=(rule('is_jwt_valid("login")'),),
)
URL = "https://api.test/users/7"


def _edge(*zones: Zone) -> LocalEdge:
    config = Config(zones=zones or (Zone("api.test", "z1", products=(SHIELD,)),))
    return LocalEdge(config, clock=MovableClock(NOW))


def test_strangers_are_told_why() -> None:
    with _edge() as edge:
        edge.origin.on("https://api.test/*", body="users")

        assert edge.get(URL).status == 403
        assert edge.shield.reasons == ["missing"]
        assert edge.shield.events[0]["action"] == "block"
        assert edge.get(URL, headers={"Authorization": f"Bearer {mint(KEY)}"}).status == 200
        edge.clock.advance(3661)
        assert edge.get(URL, headers={"Authorization": f"Bearer {mint(KEY)}"}).status == 403
        assert edge.shield.reasons == ["expired"]


def test_a_request_is_explained() -> None:
    with _edge() as edge:
        explanation = edge.run(edge.shield.explain(URL, headers={"Authorization": f"Bearer {mint(KEY)}"}))

        assert explanation.passes
        assert [one.result for one in explanation.tokens] == ["valid"]
        assert edge.shield.events == []
        assert edge.shield.reasons == []


async def test_the_api_is_called_and_counts_at_once() -> None:
    async with _edge() as edge:
        assert (await edge.fetch("https://api.test/orders")).status != 403

        await edge.shield.call(
            "POST", "/api_gateway/operations", [{"method": "GET", "host": "api.test", "endpoint": "/orders"}]
        )

        assert (await edge.fetch("https://api.test/orders")).status == 403


async def test_a_call_that_fails_says_what_the_answer_was() -> None:
    async with _edge() as edge:
        with pytest.raises(ShieldAccessError, match=r"^DELETE /api_gateway/operations/x: 404 "):
            await edge.shield.call("DELETE", "/api_gateway/operations/x")


async def test_a_zone_is_named_where_there_are_several() -> None:
    zones = [Zone(name, number * 32, products=(SHIELD,)) for name, number in (("api.test", "a"), ("b.test", "b"))]
    async with _edge(*zones) as edge:
        with pytest.raises(LookupError, match="there are 2 zones with API Shield"):
            await edge.shield.call("GET", "/api_gateway/operations")

        assert await edge.shield.call("GET", "/api_gateway/operations", zone="b.test") is not None


async def test_tokens_of_the_tests_issuer_count_with_its_keys() -> None:
    async with _edge() as edge:
        made = await edge.shield.call(
            "POST",
            "/token_validation/config",
            {
                "title": "issuer",
                "description": "of this test",
                "token_type": "JWT",
                "token_sources": ['http.request.headers["authorization"][0]'],
                "credentials": edge.issuer.jwks(),
            },
        )
        assert isinstance(made, dict)

        token = edge.issuer.token(sub="ann")
        explanation = await edge.shield.explain(URL, headers={"Authorization": f"Bearer {token}"})

        assert [one.result for one in explanation.tokens if one.configuration_id == made["id"]] == ["valid"]
