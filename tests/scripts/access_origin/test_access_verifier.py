"""The helper for origins: what it takes, when it fetches keys, and that it lets nothing pass without any."""

import json
from collections.abc import Iterator

import pytest

from access_verifier import (
    FRESH_SECONDS,
    MAX_LEEWAY_SECONDS,
    REFETCH_SECONDS,
    STALE_SECONDS,
    AccessDenied,
    AccessVerifier,
    KeysUnavailable,
)
from edgeworker.config import JSON
from edgeworker.products.access import jws
from edgeworker.products.access.keys import KeySet, certs
from edgeworker.testing.access_keys import access_key
from tests.scripts.access_origin.minted import Access, access

NOW = 1_800_000_000
TEAM = "https://acme.cloudflareaccess.com"
AUD = "a" * 64
CLAIMS: dict[str, JSON] = {
    "aud": [AUD],
    "iss": TEAM,
    "type": "app",
    "iat": NOW,
    "nbf": NOW,
    "exp": NOW + 600,
    "email": "ada@example.com",
}


class Team:
    """The certs endpoint of a test, and its clock."""

    def __init__(self) -> None:
        self.keys = KeySet(access_key("current"), NOW, upcoming=access_key("upcoming"))
        self.now = NOW
        self.fetches = 0
        self.failing = False
        self.body: bytes | None = None

    async def fetch(self, url: str) -> bytes:
        assert url == f"{TEAM}/cdn-cgi/access/certs"
        self.fetches += 1
        if self.failing:
            raise OSError("no route")
        return self.body or json.dumps(certs(self.keys, now=self.now, swap=True)).encode()

    def verifier(self, **more: int) -> AccessVerifier:
        return AccessVerifier(TEAM, AUD, fetch=self.fetch, now=lambda: self.now, **more)

    def token(self, by: str = "current", changes: dict[str, JSON] | None = None, **more: JSON) -> str:
        claims = {key: value for key, value in {**CLAIMS, **(changes or {}), **more}.items() if value != "REMOVE"}
        return jws.sign(claims, access_key(by).private, access_key(by).kid)


@pytest.fixture
def team() -> Team:
    return Team()


async def _takes(verifier: AccessVerifier, token: str) -> bool:
    try:
        await verifier.verify(token)
    except AccessDenied:
        return False
    return True


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({}, True),
        ({"aud": AUD, "sub": "", "common_name": "ci.access", "nbf": "REMOVE"}, True),
        ({"aud": ["b" * 64]}, False),
        ({"aud": "REMOVE"}, False),
        ({"iss": f"{TEAM}/"}, False),
        ({"iss": "REMOVE"}, False),
        ({"type": "org"}, False),
        ({"type": "REMOVE"}, False),
        ({"exp": "REMOVE"}, False),
        ({"exp": str(NOW + 600)}, False),
        ({"exp": NOW + 600.5}, False),
        ({"exp": True}, False),
        ({"iat": "REMOVE"}, False),
        # 60 seconds between clocks, and not one more.
        ({"exp": NOW - 59}, True),
        ({"exp": NOW - 60}, False),
        ({"iat": NOW + 60, "nbf": NOW + 60}, True),
        ({"iat": NOW + 61}, False),
        ({"nbf": NOW + 61}, False),
    ],
)
async def test_what_is_taken(team: Team, changes: dict[str, JSON], taken: bool) -> None:
    assert await _takes(team.verifier(), team.token(changes=changes)) is taken


async def test_the_leeway_may_be_none_and_has_a_limit(team: Team) -> None:
    assert not await _takes(team.verifier(leeway_seconds=0), team.token(exp=NOW))
    with pytest.raises(ValueError, match="use 0 to 300"):
        team.verifier(leeway_seconds=MAX_LEEWAY_SECONDS + 1)


async def test_keys_are_fetched_once_for_many_tokens_and_again_after_an_hour(team: Team) -> None:
    verifier = team.verifier()
    for _ in range(5):
        assert await _takes(verifier, team.token())
    assert team.fetches == 1

    team.now += FRESH_SECONDS
    assert await _takes(verifier, team.token(exp=NOW + 9999))
    assert team.fetches == 2


async def test_an_unknown_kid_is_looked_for_once_a_minute_at_most(team: Team) -> None:
    verifier = team.verifier()
    assert await _takes(verifier, team.token())
    for number in range(100):
        assert not await _takes(verifier, jws.sign(CLAIMS, access_key("foreign").private, f"{number:064d}"))
    assert team.fetches == 1

    team.now += REFETCH_SECONDS
    team.keys = team.keys.rotate(access_key("rotated 1"), team.now)
    team.keys = team.keys.rotate(access_key("rotated 1"), team.now)
    assert await _takes(verifier, team.token("rotated 1"))
    assert team.fetches == 2


async def test_the_last_good_keys_serve_on_for_seven_days(team: Team) -> None:
    verifier = team.verifier()
    forever = team.token(exp=NOW + 30 * 86_400)
    assert await _takes(verifier, forever)

    team.failing = True
    team.now += STALE_SECONDS - 1
    assert await _takes(verifier, forever)
    team.now += 1
    with pytest.raises(KeysUnavailable):
        await verifier.verify(forever)
    team.failing = False
    team.now += REFETCH_SECONDS
    assert await _takes(verifier, forever)


async def test_without_any_keys_nothing_passes(team: Team) -> None:
    team.failing = True

    with pytest.raises(KeysUnavailable):
        await team.verifier().verify(team.token())


def _set(*keys: dict[str, JSON]) -> bytes:
    return json.dumps({"keys": list(keys)}).encode()


GOOD = access_key("current").jwk
BAD_CERTS = {
    "not JSON": b"<html>",
    "no keys": b"{}",
    "empty": _set(),
    "duplicate kid": _set(GOOD, GOOD),
    "symmetric": _set(GOOD, {"kty": "oct", "k": "c2VjcmV0", "kid": "x"}),
    "for encryption": _set({**GOOD, "use": "enc"}),
    "private": _set({**GOOD, "d": "AQAB"}),
    "short": _set({**GOOD, "n": "sXch0k8"}),
    "without kid": _set({name: value for name, value in GOOD.items() if name != "kid"}),
    "too large": _set(GOOD) + b" " * 70_000,
    "nested": b"[" * 10_000,
}


@pytest.mark.parametrize("name", BAD_CERTS)
async def test_a_key_set_that_is_none_leaves_the_last_good_one(team: Team, name: str) -> None:
    verifier = team.verifier()
    assert await _takes(verifier, team.token())
    team.now += FRESH_SECONDS
    team.body = BAD_CERTS[name]

    assert await _takes(verifier, team.token(exp=NOW + 9999))
    assert team.fetches == 2
    with pytest.raises(KeysUnavailable):
        await team.verifier().verify(team.token(exp=NOW + 9999))


@pytest.fixture
def stage() -> Iterator[Access]:
    with access() as made:
        yield made


def test_every_kind_of_our_tokens_is_taken_and_every_bad_one_refused(stage: Access, team: Team) -> None:
    async def fetch(url: str) -> bytes:
        return stage.server.content

    verifier = AccessVerifier(stage.server.url, stage.aud, fetch=fetch)
    for token in (stage.identity_token(), stage.service_token()):
        assert stage.edge.run(_takes(verifier, token))
    for name, token in stage.bad_tokens().items():
        assert not stage.edge.run(_takes(verifier, token)), name
