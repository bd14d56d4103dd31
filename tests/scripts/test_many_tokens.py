"""What a publisher publishes, a client can use: over real HTTP on both sides, with real keys and signatures."""

import asyncio

import pytest

from edgeworker.cli.demo import wire
from edgeworker.cli.demo.stage import Stage, set_up
from edgeworker.cli.demo.tokens import Publisher, Token
from edgeworker.clock import SystemClock

TOKENS = 500
WORKERS = 4


def _works(stage: Stage, token: Token) -> bool:
    published = stage.publisher.publish(token)
    answer = wire.call(stage.edge_url, "GET", "/orders", {"Authorization": f"Bearer {token.signature}"})
    return (published.status, answer.status) == (200, 200) and f"Bearer {token.whole}" in stage.api.seen


async def test_500_of_500_random_tokens_work() -> None:
    now = SystemClock().now()
    async with set_up() as stage:
        issued = [stage.issuer.issue(issued_at=now, ttl_seconds=300) for _ in range(TOKENS)]

        def some(start: int) -> list[bool]:
            return [_works(stage, token) for token in issued[start::WORKERS]]

        worked = await asyncio.gather(*(asyncio.to_thread(some, start) for start in range(WORKERS)))

    assert sum(map(sum, worked)) == TOKENS
    # Half of the keys have a "/", and as many a "+": with none of them this test would show nothing.
    assert 100 < sum("/" in token.key for token in issued) < 400
    assert 100 < sum("+" in token.key for token in issued) < 400


@pytest.mark.parametrize("signature", ["sig4616", "sig1"])
async def test_a_raw_and_an_encoded_path_are_one_key(signature: str) -> None:
    async with set_up() as stage:
        whole = stage.issuer.issue(issued_at=SystemClock().now(), ttl_seconds=300)
        token = Token(f"{whole.value}.{signature}", whole.exp)
        publisher = stage.publisher

        def publish_both_ways() -> list[int]:
            encoded = token.key.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D")
            target = f"{publisher.namespace_path}/values/{encoded}?expiration={token.exp}"
            headers = {"Authorization": f"Bearer {publisher.api_token}"}
            second = wire.call(publisher.api_url, "PUT", target, headers, token.value.encode())
            return [publisher.publish(token).status, second.status]

        def call() -> wire.Answer:
            return wire.call(stage.edge_url, "GET", "/orders", {"Authorization": f"Bearer {signature}"})

        assert await asyncio.to_thread(publish_both_ways) == [200, 200]
        keys = await asyncio.to_thread(publisher.keys)
        assert keys.body.count(b'"name"') == 1
        answer = await asyncio.to_thread(call)
        # The signature is none of the key's, so the API refuses the JWT: but what it got is what was joined.
        assert answer.status == 401
        assert stage.api.seen == [f"Bearer {token.whole}"]


@pytest.mark.parametrize(("seconds", "status"), [(30, 400), (61, 200)])
async def test_kv_takes_no_entry_that_would_live_for_less_than_a_minute(seconds: int, status: int) -> None:
    now = SystemClock().now()
    async with set_up() as stage:
        token = stage.issuer.issue(issued_at=now, ttl_seconds=seconds)
        publisher: Publisher = stage.publisher

        # Two seconds of a slow machine do not matter to either.
        assert (await asyncio.to_thread(publisher.publish, token, expiration=now + seconds + 2)).status == status
