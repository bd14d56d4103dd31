"""H27: who guesses tokens of the API has to wait; who is merely wrong does not keep others away."""

import pytest

from edgeworker.messages import URL, Client, Headers, Request
from edgeworker.rest.permissions import Principal
from edgeworker.shared_counts import SharedCounts
from tests.kv.clocks import FakeClock
from tests.wrangler_compat.api.client import TOKEN
from tests.wrangler_compat.api.client import Client as ApiClient
from wrangler_compat.api.attempts import MAX_WRONG_TOKENS, WINDOW_SECONDS, Attempts
from wrangler_compat.api.auth import Authenticator, AuthRefusal, OneToken


async def status(authenticator: Authenticator, token: str, ip: str = "198.51.100.7") -> int:
    url = URL.parse("http://127.0.0.1:8788/client/v4/user")
    asked = Request("GET", url, Headers({"authorization": f"Bearer {token}"}), client=Client(ip))
    match await authenticator.authorize(asked):
        case AuthRefusal(status):
            return status
        case Principal():
            return 200


async def guessed(authenticator: Authenticator, count: int = MAX_WRONG_TOKENS, ip: str = "198.51.100.7") -> None:
    assert {await status(authenticator, f"guess-{number}", ip) for number in range(count)} == {401}


@pytest.fixture
def authenticator(clock: FakeClock) -> Authenticator:
    return Authenticator([OneToken(TOKEN)], clock=clock)


async def test_h27_after_too_many_wrong_tokens_none_of_that_address_is_looked_at(
    authenticator: Authenticator, clock: FakeClock
) -> None:
    await guessed(authenticator)

    assert await status(authenticator, TOKEN) == 429
    assert await status(authenticator, "another") == 429
    assert await status(authenticator, TOKEN, "198.51.100.8") == 200
    clock.advance(WINDOW_SECONDS - 1)
    assert await status(authenticator, TOKEN) == 429
    clock.advance(1)
    assert await status(authenticator, TOKEN) == 200


async def test_h27_the_refusal_says_how_long_to_wait(authenticator: Authenticator, clock: FakeClock) -> None:
    await guessed(authenticator)
    clock.advance(100)

    url = URL.parse("http://127.0.0.1:8788/client/v4/user")
    asked = Request("GET", url, Headers({"authorization": f"Bearer {TOKEN}"}), client=Client("198.51.100.7"))
    refusal = await authenticator.authorize(asked)

    assert isinstance(refusal, AuthRefusal)
    assert refusal.retry_after_seconds == WINDOW_SECONDS - 100
    assert TOKEN not in refusal.reason


async def test_one_wrong_token_again_and_again_keeps_no_one_away(authenticator: Authenticator) -> None:
    for _ in range(10 * MAX_WRONG_TOKENS):
        assert await status(authenticator, "revoked") == 401

    assert await status(authenticator, TOKEN) == 200


async def test_wrong_tokens_of_long_ago_do_not_count(authenticator: Authenticator, clock: FakeClock) -> None:
    await guessed(authenticator, MAX_WRONG_TOKENS - 1)
    clock.advance(WINDOW_SECONDS)
    await guessed(authenticator, MAX_WRONG_TOKENS - 1)

    assert await status(authenticator, TOKEN) == 200


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:198.51.100.7", "198.51.100.7", True),
        ("198.51.100.7", "198.51.100.8", False),
        ("", "", True),
    ],
)
async def test_a_client_cannot_change_to_another_address_of_its_own(
    authenticator: Authenticator, first: str, second: str, same: bool
) -> None:
    await guessed(authenticator, ip=first)

    assert await status(authenticator, TOKEN, second) == (429 if same else 200)


def test_a_flood_of_tokens_from_one_address_lets_in_no_other() -> None:
    attempts = Attempts(SharedCounts(buckets=2))
    for number in range(MAX_WRONG_TOKENS):
        attempts.failed("192.0.2.1", str(number), now=0)

    for number in range(200):
        attempts.failed("10.0.0.1", f"token {number}", now=0)

    assert attempts.wait_seconds("192.0.2.1", now=0) == WINDOW_SECONDS
    assert attempts.wait_seconds("10.0.0.1", now=0) == WINDOW_SECONDS


def test_h27_an_address_has_as_many_attempts_however_many_processes_it_asks() -> None:
    shared = SharedCounts(processes=4)
    processes = [Attempts(shared.of_process(slot)) for slot in range(4)]

    for one in processes:
        assert not one.failed("192.0.2.1", "the same one", now=0)
    waits = [processes[number % 4].failed("192.0.2.1", str(number), now=1) for number in range(MAX_WRONG_TOKENS - 1)]

    assert waits == [False] * (MAX_WRONG_TOKENS - 2) + [True]
    assert {one.wait_seconds("192.0.2.1", now=1) for one in processes} == {WINDOW_SECONDS - 1}


async def test_h27_the_api_answers_429_with_the_time_to_wait(client: ApiClient) -> None:
    for number in range(MAX_WRONG_TOKENS):
        assert (await client.get("/client/v4/user", authorization=f"Bearer guess-{number}")).status == 401

    answer = await client.get("/client/v4/user")

    assert (answer.status, answer.code, answer.headers.get("retry-after")) == (429, 10502, str(WINDOW_SECONDS))
    assert answer.headers.get("cache-control") == "no-store"
