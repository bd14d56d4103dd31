"""scripts/split_token in the real runtime: its settings, limits and key sets."""

import json
import logging
from collections.abc import AsyncIterator

import pytest
from jwt.algorithms import RSAAlgorithm

from edgeworker.config import JSON
from edgeworker.errors import ScriptError
from edgeworker.messages import Body, Headers, Response
from scripts.split_token import tokens
from tests.scripts.refusals import challenge, is_refused
from tests.scripts.stage import KEY, set_up, signed


@pytest.mark.parametrize(
    ("variables", "prefix", "hash_name", "encoding"),
    [
        ({"TOKEN_HASH": "SHA-512", "KEY_ENCODING": "hex"}, "", "sha512", "hex"),
        (
            {"TOKEN_HASH": "sha384", "KEY_ENCODING": "base64url", "KEY_PREFIX": "split:"},
            "split:",
            "sha384",
            "base64url",
        ),
    ],
)
async def test_hash_encoding_and_prefix_are_settings(
    variables: dict[str, JSON], prefix: str, hash_name: str, encoding: str
) -> None:
    async with set_up(variables) as stage:
        whole = signed()
        signature = whole.rpartition(".")[2]
        key = tokens.key_of(signature, hash_name=hash_name, encoding=encoding, prefix=prefix)
        await stage.publish(whole, key=key)

        assert (await stage.fetch(f"Bearer {signature}")).status == 200


async def test_the_length_of_a_token_is_a_setting() -> None:
    async with set_up({"MIN_TOKEN_LENGTH": 342, "MAX_TOKEN_LENGTH": 342}) as stage:
        assert (await stage.fetch(f"Bearer {await stage.publish(signed())}")).status == 200
        await stage.put("short", signed().rpartition(".")[0])
        assert (await stage.fetch("Bearer short")).status == 401


async def test_a_token_that_the_api_cannot_take_is_refused_with_the_right_word() -> None:
    async with set_up({"UPSTREAM_HEADER_LIMIT": 1000}) as stage:
        assert (await stage.fetch(f"Bearer {await stage.publish(signed())}")).status == 200
        got = await stage.fetch(f"Bearer {await stage.publish(signed({'roles': ['x' * 20] * 40}))}")

        assert (got.status, "1000 bytes" in str(got.problem["detail"])) == (431, True)


async def test_issuer_audience_and_scope_are_checked_where_they_are_set() -> None:
    async with set_up({"ISSUER": "https://issuer", "AUDIENCE": ["https://api"], "SCOPE": "read write"}) as stage:
        good = signed({"aud": ["https://api"], "scope": "write read more"})
        assert (await stage.fetch(f"Bearer {await stage.publish(good)}")).status == 200
        for claims in ({"iss": "https://issuer/"}, {"aud": "https://ap"}):
            bad = signed({"aud": "https://api", "scope": "read write", **claims})
            assert is_refused(await stage.fetch(f"Bearer {await stage.publish(bad)}"), error="invalid_token")

        got = await stage.fetch(f"Bearer {await stage.publish(signed({'aud': 'https://api', 'scope': 'read'}))}")
        assert got.status == 403
        assert got.headers.get("cache-control") == "no-store"
        assert challenge(got)["error"] == "insufficient_scope"
        assert challenge(got)["scope"] == "read write"


async def test_misses_of_one_client_are_limited() -> None:
    async with set_up({"MISSES_PER_MINUTE": 3}) as stage:
        assert [(await stage.fetch(f"Bearer x{number}")).status for number in range(4)] == [401, 401, 401, 429]
        got = await stage.fetch("Bearer x9")
        assert 0 < int(got.headers.get("retry-after") or "0") <= 60
        assert (await stage.fetch("Bearer x9", ip="192.0.2.2")).status == 401


@pytest.mark.parametrize(
    ("name", "value"),
    [("KEY_ENCODING", "base32"), ("CLOCK_LEEWAY_SECONDS", "soon"), ("JWKS", {"keys": []}), ("JWKS_URL", "nowhere")],
)
async def test_a_wrong_setting_stops_the_script_from_loading_and_is_named(name: str, value: JSON) -> None:
    with pytest.raises(ScriptError, match=f"SettingError: {name}: "):
        async with set_up({name: value}):
            pytest.fail("it was loaded")


def _jwks(kid: str = "one") -> dict[str, JSON]:
    member: dict[str, JSON] = json.loads(RSAAlgorithm.to_jwk(KEY.public_key()))
    return {"keys": [{**member, "kid": kid}]}


async def test_with_a_key_set_a_poisoned_payload_does_not_pass(caplog: pytest.LogCaptureFixture) -> None:
    async with set_up({"JWKS": _jwks()}) as stage:
        assert (await stage.fetch(f"Bearer {await stage.publish(signed())}")).status == 200

        whole, other = signed(), signed({"sub": "admin"})
        signature = whole.rpartition(".")[2]
        await stage.put(signature, other.rpartition(".")[0])
        assert is_refused(await stage.fetch(f"Bearer {signature}"), error="invalid_token")
        assert "ALARM" in caplog.text
        assert len(stage.api.requests) == 1


async def test_keys_are_fetched_from_the_issuer_and_followed_when_they_change() -> None:
    async with set_up({"JWKS_URL": "https://issuer.example/jwks"}) as stage:
        stage.internet.answer = lambda request: Response(200, body=json.dumps(_jwks("one")).encode())
        first = await stage.publish(signed(kid="one"))
        assert [(await stage.fetch(f"Bearer {first}")).status for _ in range(3)] == [200] * 3
        assert len(stage.internet.requests) == 1
        assert stage.internet.requests[0].headers.get("authorization") is None

        stage.internet.answer = lambda request: Response(200, body=json.dumps(_jwks("two")).encode())
        second = await stage.publish(signed(kid="two"))
        assert (await stage.fetch(f"Bearer {second}")).status == 200
        for kid in ("three", "four"):
            assert (await stage.fetch(f"Bearer {await stage.publish(signed(kid=kid))}")).status == 401
        assert len(stage.internet.requests) == 2


@pytest.mark.parametrize(
    "answer",
    [
        Response(500),
        Response(302, Headers({"location": "https://evil.example/jwks"})),
        Response(200, body=b"<html>"),
        Response(200, body=b'{"keys":[]}'),
    ],
)
async def test_without_good_keys_nothing_passes(answer: Response, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with set_up({"JWKS_URL": "https://issuer.example/jwks"}) as stage:
        stage.internet.answer = lambda request: answer
        got = await stage.fetch(f"Bearer {await stage.publish(signed())}")

        assert (got.status, got.headers.get("retry-after")) == (503, "5")
        assert stage.api.requests == []
        assert "keys cannot be used" in caplog.text


async def test_an_issuer_that_is_down_is_told_as_such() -> None:
    async with set_up({"JWKS_URL": "https://issuer.example/jwks"}) as stage:
        assert (await stage.fetch(f"Bearer {await stage.publish(signed())}")).status == 503


async def test_an_endless_key_set_is_not_read_to_its_end() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b" " * 65_536

    async with set_up({"JWKS_URL": "https://issuer.example/jwks"}) as stage:
        stage.internet.answer = lambda request: Response(200, body=Body(endless()))
        assert (await stage.fetch(f"Bearer {await stage.publish(signed())}")).status == 503
        assert sent < 1_000_000
