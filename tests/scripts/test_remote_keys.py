"""How often scripts/*/verifier fetches the issuer's keys, what it keeps, and what it does not read to its end."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from edgeworker.testing.issuer import signing_key
from verifier import remote
from verifier.claims import ALGORITHMS
from verifier.keys import KeysUnavailable, PublicKeySet
from verifier.remote import RemoteKeySource

ALLOWED = frozenset(ALGORITHMS)
MEMBER = dict(signing_key("ES256").public)
GOOD = json.dumps({"keys": [MEMBER]})


class _Issuer:
    """Counts the fetches. `answer` is a document or an error, given when the gate is opened where there is one."""

    def __init__(self, answer: str | OSError = GOOD) -> None:
        self.answer = answer
        self.fetches = 0
        self.gate: asyncio.Event | None = None

    async def get(self) -> str:
        self.fetches += 1
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer


async def _at_once(seconds: float) -> None:
    """A sleep for tests: others go on, and no time passes."""
    await asyncio.sleep(0)


def _remote(issuer: _Issuer) -> RemoteKeySource:
    return RemoteKeySource(issuer.get, ALLOWED, sleep=_at_once)


async def _others_go_on() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_keys_are_fetched_once_until_they_are_old() -> None:
    issuer = _Issuer()
    keys = _remote(issuer)

    for now in (0, 1, 599):
        await keys.current(now=now)
    assert issuer.fetches == 1
    await keys.current(now=600)
    assert issuer.fetches == 2


async def test_unknown_key_ids_cause_at_most_one_fetch_a_minute() -> None:
    issuer = _Issuer()
    keys = _remote(issuer)
    await keys.current(now=0)

    assert await keys.newer(now=10) is not None
    for _ in range(10_000):
        assert await keys.newer(now=69) is None
    assert issuer.fetches == 2
    assert await keys.newer(now=70) is not None


async def test_requests_that_come_together_share_the_first_fetch() -> None:
    issuer = _Issuer()
    issuer.gate = asyncio.Event()
    keys = _remote(issuer)

    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(keys.current(now=0)) for _ in range(50)]
        await _others_go_on()
        assert issuer.fetches == 1
        issuer.gate.set()

    assert issuer.fetches == 1
    assert {id(task.result()) for task in asked} == {id(asked[0].result())}


async def test_requests_with_a_new_key_share_its_fetch_and_none_is_turned_away() -> None:
    issuer = _Issuer()
    keys = _remote(issuer)
    old = await keys.current(now=0)
    issuer.gate = asyncio.Event()

    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(keys.newer(now=1)) for _ in range(50)]
        await _others_go_on()
        assert await keys.current(now=1) is old  # tokens of known keys need not wait
        issuer.gate.set()

    assert issuer.fetches == 2
    assert all(task.result() is not old for task in asked)
    assert None not in [task.result() for task in asked]


async def test_while_old_keys_are_renewed_they_serve() -> None:
    issuer = _Issuer()
    keys = _remote(issuer)
    old = await keys.current(now=0)
    issuer.gate = asyncio.Event()

    async with asyncio.TaskGroup() as group:
        renewing = group.create_task(keys.current(now=600))
        await _others_go_on()
        assert [await keys.current(now=601) for _ in range(10)] == [old] * 10
        issuer.gate.set()

    assert issuer.fetches == 2
    assert renewing.result() is not old


async def test_a_failed_fetch_fails_for_all_who_waited_for_it() -> None:
    issuer = _Issuer(OSError("refused"))
    issuer.gate = asyncio.Event()
    keys = _remote(issuer)

    asked = [asyncio.ensure_future(keys.current(now=0)) for _ in range(5)]
    await _others_go_on()
    issuer.gate.set()
    results = await asyncio.gather(*asked, return_exceptions=True)

    assert [getattr(result, "retry_after_seconds", None) for result in results] == [5] * 5
    assert issuer.fetches == 1


async def test_a_cancelled_fetch_is_taken_over_by_who_waits() -> None:
    issuer = _Issuer()
    issuer.gate = asyncio.Event()
    keys = _remote(issuer)

    first = asyncio.ensure_future(keys.current(now=0))
    await _others_go_on()
    second = asyncio.ensure_future(keys.current(now=0))
    await _others_go_on()
    first.cancel()
    await _others_go_on()
    issuer.gate.set()

    assert isinstance(await second, PublicKeySet)
    assert issuer.fetches == 2


async def test_a_fetch_that_never_ends_is_given_up() -> None:
    """On Cloudflare the request that began it may be gone, and no one goes on with it."""
    issuer = _Issuer()
    never = issuer.gate = asyncio.Event()
    keys = _remote(issuer)
    lost = asyncio.ensure_future(keys.current(now=0))
    await _others_go_on()

    issuer.gate = None
    assert isinstance(await keys.current(now=1), PublicKeySet)  # waits as long as patience lasts, then asks by itself
    assert issuer.fetches == 2
    never.set()
    await lost
    assert await keys.current(now=16) is not None


async def test_a_fetch_of_long_ago_is_not_waited_for() -> None:
    issuer = _Issuer()
    never = issuer.gate = asyncio.Event()

    async def no_sleep(seconds: float) -> None:
        raise AssertionError("nothing to wait for")

    keys = RemoteKeySource(issuer.get, ALLOWED, sleep=no_sleep)
    lost = asyncio.ensure_future(keys.current(now=0))
    await _others_go_on()
    issuer.gate = None

    assert isinstance(await keys.current(now=15), PublicKeySet)
    never.set()
    await lost


BAD = [OSError("refused"), "<html>", '{"keys":[]}', json.dumps({"keys": [{"kty": "oct", "k": "eA"}]})]


@pytest.mark.parametrize("answer", BAD)
async def test_the_last_good_keys_stay(answer: str | OSError, caplog: pytest.LogCaptureFixture) -> None:
    issuer = _Issuer()
    keys = _remote(issuer)
    good = await keys.current(now=0)
    issuer.answer = answer

    assert await keys.current(now=600) is good
    assert await keys.current(now=601) is good
    assert issuer.fetches == 2
    assert "the last good ones stay" in caplog.text
    assert await keys.current(now=660) is good
    assert issuer.fetches == 3


async def test_a_withdrawn_key_goes_with_the_next_fetch() -> None:
    issuer = _Issuer(json.dumps({"keys": [MEMBER, {**MEMBER, "kid": "two"}]}))
    keys = _remote(issuer)
    assert {key.kid for key in (await keys.current(now=0)).keys} == {MEMBER["kid"], "two"}

    issuer.answer = GOOD

    assert {key.kid for key in (await keys.current(now=600)).keys} == {MEMBER["kid"]}


async def test_without_any_good_keys_tokens_are_refused_and_the_issuer_is_asked_again_soon() -> None:
    issuer = _Issuer(OSError("refused"))
    keys = _remote(issuer)

    for now in (0, 4):
        with pytest.raises(KeysUnavailable) as caught:
            await keys.current(now=now)
        assert caught.value.retry_after_seconds == 5
    assert issuer.fetches == 1
    issuer.answer = GOOD
    assert (await keys.current(now=5)).keys[0].kid == MEMBER["kid"]


class _Body:
    """A stream of so many pieces of a thousand bytes; it remembers how many were taken and whether it was cancelled."""

    def __init__(self, pieces: float) -> None:
        self.left = pieces
        self.taken = 0
        self.cancelled = False

    def getReader(self) -> "_Body":
        return self

    async def read(self) -> SimpleNamespace:
        if self.left <= 0:
            return SimpleNamespace(done=True)
        self.left -= 1
        self.taken += 1
        return SimpleNamespace(done=False, value=SimpleNamespace(to_bytes=lambda: b" " * 1000))

    async def cancel(self) -> None:
        self.cancelled = True


def _answering(status: int = 200, body: _Body | None = None) -> tuple[list[dict[str, object]], remote.FetchFunction]:
    asked: list[dict[str, object]] = []

    async def fetch(url: str, **options: object) -> SimpleNamespace:
        asked.append({"url": url, **options})
        return SimpleNamespace(status=status, body=body)

    return asked, fetch


async def test_a_document_is_fetched_without_following_redirects() -> None:
    asked, fetch = _answering(body=_Body(3))

    assert await remote.fetch_document("https://issuer/jwks", fetch, limit=3000) == " " * 3000
    assert asked == [{"url": "https://issuer/jwks", "redirect": "manual"}]


@pytest.mark.parametrize("status", [204, 301, 302, 304, 401, 404, 500])
async def test_only_200_is_an_answer(status: int) -> None:
    _, fetch = _answering(status, _Body(1))

    with pytest.raises(OSError, match=f"answered {status}"):
        await remote.fetch_document("https://issuer/jwks", fetch)


async def test_a_document_without_end_is_cut() -> None:
    body = _Body(float("inf"))
    _, fetch = _answering(body=body)

    with pytest.raises(OSError, match="larger than 5000 bytes"):
        await remote.fetch_document("https://issuer/jwks", fetch, limit=5000)
    assert (body.taken, body.cancelled) == (6, True)


async def test_an_issuer_that_never_answers_is_given_up() -> None:
    async def fetch(url: str, /, *, redirect: str) -> remote.FetchedResponse:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(OSError, match=r"did not answer within 0\.01 seconds"):
        await remote.fetch_document("https://issuer/jwks", fetch, timeout_seconds=0.01)


async def test_whatever_a_service_binding_raises_is_a_failed_fetch() -> None:
    async def fetch(url: str, /, *, redirect: str) -> remote.FetchedResponse:
        raise RuntimeError("the other worker threw")

    with pytest.raises(OSError, match="cannot be fetched: the other worker threw"):
        await remote.fetch_document("https://issuer/jwks", fetch)
