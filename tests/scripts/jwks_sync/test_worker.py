"""The worker that keeps API Shield's keys up to date: what it does, and what it leaves alone."""

import json
from collections.abc import AsyncIterator, Mapping

import pytest

from edgeworker.bindings import KVBinding, SecretBinding, TextBinding
from edgeworker.config import JSON, Config, Namespace, Worker, Zone
from edgeworker.host.bundled import script
from edgeworker.products.api_shield.config import ShieldConfig
from edgeworker.products.api_shield.zone_objects import ZoneObjects
from edgeworker.runtime import ScriptFailure
from edgeworker.testing.engine import API_TOKEN
from edgeworker.testing.local import LocalEdge
from tests.products.api_shield.minting import key_set, signing_key, small_rsa_key
from tests.products.api_shield.zones import configuration

JWKS = "https://idp.test/jwks"
ASK = {"Authorization": "Bearer ask"}
ONE, TWO = signing_key("RS256", "one"), signing_key("ES256", "two")


def _edge(**variables: str) -> LocalEdge:
    values = {"JWKS_URL": JWKS, "ZONE_ID": "z1", "CONFIG_ID": "idp", **variables}
    secrets = {"CF_API_TOKEN": API_TOKEN, "SYNC_TOKEN": "ask"}
    worker = Worker(
        "jwks-sync",
        script("jwks_sync") / "worker.py",
        (
            *(TextBinding(name, value) for name, value in values.items() if name not in secrets),
            *(SecretBinding(name, variables.get(name, value)) for name, value in secrets.items()),
            KVBinding("STATE", "n1"),
        ),
        crons=("*/5 * * * *",),
    )
    config = Config(
        workers=(worker,),
        zones=(Zone("api.test", "z1", products=(ShieldConfig(),)),),
        namespaces=(Namespace("n1", "state"),),
        default_worker="jwks-sync",
        cloudflare_api_for_workers=True,
    )
    return LocalEdge(config)


@pytest.fixture
async def edge() -> AsyncIterator[LocalEdge]:
    async with _edge() as edge:
        await _begin(edge)
        yield edge


async def _begin(edge: LocalEdge) -> None:
    """The configuration has the key "one", and the identity provider publishes it."""
    await ZoneObjects(edge.shield.documents, "z1").put_configuration(configuration("idp", key_set(ONE)))
    _publish(edge, ONE.jwk())


def _publish(edge: LocalEdge, *keys: JSON) -> None:
    edge.origin.on(JWKS, json={"keys": list(keys)})


async def _kids(edge: LocalEdge) -> list[JSON]:
    result = await edge.shield.call("GET", "/token_validation/config/idp")
    assert isinstance(result, dict)
    credentials = result["credentials"]
    assert isinstance(credentials, dict)
    keys = credentials["keys"]
    assert isinstance(keys, list)
    return [key["kid"] for key in keys if isinstance(key, dict)]


async def _sync(edge: LocalEdge) -> str:
    reply = await edge.fetch("/", method="POST", headers=ASK)
    return f"{reply.status} {reply.text}"


async def test_the_keys_that_are_published_are_stored(edge: LocalEdge) -> None:
    _publish(edge, ONE.jwk(use="sig", x5c=["MII"]), TWO.jwk())

    await edge.cron("*/5 * * * *")

    assert await _kids(edge) == ["one", "two"]


async def test_what_is_up_to_date_is_not_sent_again(edge: LocalEdge) -> None:
    before = await edge.shield.call("GET", "/token_validation/config/idp")

    assert "1 keys are up to date" in await _sync(edge)
    assert await edge.shield.call("GET", "/token_validation/config/idp") == before


async def test_keys_that_api_shield_would_drop_are_not_sent(edge: LocalEdge) -> None:
    others: list[JSON] = [
        {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "alg": "EdDSA", "x": "AA"},
        TWO.jwk(use="enc"),
        {name: value for name, value in ONE.jwk().items() if name != "kid"},
    ]
    _publish(edge, TWO.jwk(), *others)

    assert (await _sync(edge)).startswith("200 1 keys were stored: two")


async def test_what_api_shield_dropped_all_the_same_is_told(edge: LocalEdge) -> None:
    _publish(edge, TWO.jwk(), small_rsa_key("small").jwk())

    assert (await _sync(edge)).startswith("200 1 keys were stored: two")
    assert any("dropped" in line.text and "small" in line.text for line in edge.logs)


_SECRET: dict[str, JSON] = {"kty": "oct", "kid": "s", "alg": "HS256", "k": "c" * 43}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"json": {"keys": []}}, "it holds no key"),
        ({"json": {}}, 'it has no "keys"'),
        ({"json": []}, 'it has no "keys"'),
        ({"json": {"keys": [1]}}, "a key is not an object"),
        ({"json": {"keys": [{"kty": "OKP", "kid": "x"}]}}, "it holds no key"),
        ({"json": {"keys": [TWO.jwk(), {**ONE.jwk(), "d": "AQ"}]}}, "it holds a private key"),
        ({"json": {"keys": [TWO.jwk(), _SECRET]}}, "it holds a private key or a secret"),
        ({"json": {"keys": [{**ONE.jwk(), "kid": str(number)} for number in range(17)]}}, "it holds 17 keys"),
        ({"json": {"keys": [ONE.jwk(), {**ONE.jwk(), "e": "Aw"}]}}, "two keys have one kid and alg"),
        ({"body": "<html>"}, "it is not JSON"),
        ({"body": "["  * 100_000}, "it is not JSON"),
        ({"body": b"\xff"}, "not UTF-8"),
        ({"body": ""}, "it is not JSON"),
        ({"body": b" " * 300_000}, "sent more than 262144 bytes"),
        ({"status": 302, "headers": {"Location": "https://evil.test/jwks"}}, "redirects"),
        ({"status": 404}, "answered 404"),
        ({"status": 500}, "answered 500"),
    ],
)  # fmt: skip
async def test_on_any_doubt_the_keys_of_before_stay(edge: LocalEdge, answer: Mapping[str, object], why: str) -> None:
    """J26, J28."""
    edge.origin.on(JWKS, **answer)  # type: ignore[arg-type]  # the arguments of `on`

    reply = await _sync(edge)

    assert reply.startswith("502 keys stay as they are:")
    assert why in reply
    assert await _kids(edge) == ["one"]
    with pytest.raises(ScriptFailure):
        await edge.cron("*/5 * * * *")


async def test_an_identity_provider_that_is_down_changes_nothing(edge: LocalEdge) -> None:
    edge.origin.fail(JWKS, 521)

    assert (await _sync(edge)).startswith("502")
    assert await _kids(edge) == ["one"]


async def test_secret_keys_are_never_replaced(edge: LocalEdge) -> None:
    """A set that the worker cannot write back whole is left alone."""
    objects = ZoneObjects(edge.shield.documents, "z1")
    await objects.put_configuration(configuration("idp", key_set(ONE, signing_key("HS256", "h"))))
    _publish(edge, TWO.jwk())

    assert "which this worker cannot keep" in await _sync(edge)


async def test_a_key_that_went_away_stays_for_the_overlap() -> None:
    async with _edge(OVERLAP_SECONDS="3600") as edge:
        await _begin(edge)
        _publish(edge, TWO.jwk())
        seen = []
        for seconds in (0, 3599, 1):
            edge.clock.advance(seconds)
            await edge.cron("*/5 * * * *")
            seen.append(await _kids(edge))

        assert seen == [["two", "one"], ["two", "one"], ["two"]]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer other"}, {"Authorization": "ask"}])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_its_url_answers_only_who_has_the_token(edge: LocalEdge, method: str, headers: dict[str, str]) -> None:
    _publish(edge, TWO.jwk())

    assert (await edge.fetch("/", method=method, headers=headers)).status == 401
    assert await _kids(edge) == ["one"]


async def test_without_a_token_for_it_its_url_is_closed() -> None:
    async with _edge(SYNC_TOKEN="") as edge:
        assert (await edge.fetch("/", headers={"Authorization": "Bearer "})).status == 401


async def test_get_shows_the_keys_and_changes_nothing(edge: LocalEdge) -> None:
    _publish(edge, TWO.jwk(use="sig"))

    reply = await edge.fetch("/", headers=ASK)

    assert json.loads(reply.text) == {"keys": [TWO.jwk()]}
    assert await _kids(edge) == ["one"]
    assert (await edge.fetch("/", method="DELETE", headers=ASK)).status == 405


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"JWKS_URL": ""}, "JWKS_URL is missing"),
        ({"JWKS_URL": "http://idp.test/jwks"}, "is not an https URL"),
        ({"API_URL": "http://evil.test"}, "is not an https URL"),
        ({"ZONE_ID": "../other"}, "is not an id"),
        ({"OVERLAP_SECONDS": "-1"}, "is not a number of seconds"),
        ({"CF_API_TOKEN": ""}, "CF_API_TOKEN is missing"),
    ],
)
async def test_wrong_settings_are_told_in_the_log_alone(variables: dict[str, str], why: str) -> None:
    async with _edge(**variables) as edge:
        reply = await edge.fetch("/", headers=ASK)

        assert (reply.status, why in reply.text) == (500, False)
        assert any(why in line.text for line in edge.logs)


async def test_a_token_that_the_api_refuses_is_told_and_not_shown() -> None:
    async with _edge(CF_API_TOKEN="wrong-secret") as edge:
        await _begin(edge)

        reply = await _sync(edge)

        assert "the API refused GET" in reply
        assert not any("wrong-secret" in line.text for line in edge.logs)
        assert "wrong-secret" not in reply
