"""The auth worker checks ID tokens with the token worker's published keys."""

import json
from dataclasses import dataclass
from types import SimpleNamespace

import jwt
import pytest

from issuer import keys
from issuer.own_keys import OwnKeySignatures
from tests.scripts.oauth.in_memory import StreamedBody
from verifier.claims import InvalidToken

URL = "https://auth.example.com/jwks"
RING = keys.new(["ES256"], now=0)
KEY = RING.keys[0]
HEADER: dict[str, object] = {"alg": "ES256", "kid": KEY.kid}
TOKEN = jwt.encode({"sub": "u_ann"}, KEY.private, algorithm="ES256", headers=HEADER)


@dataclass
class TokenWorker:
    """Serves the key set, or answers with another status."""

    status: int = 200
    fetches: int = 0

    async def fetch(self, url: str, /, *, redirect: str) -> SimpleNamespace:
        assert (url, redirect) == (URL, "manual")
        self.fetches += 1
        return SimpleNamespace(status=self.status, body=StreamedBody([json.dumps(keys.public(RING, now=0)).encode()]))


async def test_a_token_of_the_own_key_is_good_and_the_keys_are_fetched_once() -> None:
    worker = TokenWorker()
    signatures = OwnKeySignatures(URL, worker.fetch)

    for now in (1000, 1001):
        await signatures.check(TOKEN, HEADER, now=now)

    assert worker.fetches == 1


@pytest.mark.parametrize("header", [HEADER | {"kid": "other"}, HEADER | {"alg": "HS256"}, HEADER | {"alg": "none"}])
async def test_another_token_is_not(header: dict[str, object]) -> None:
    with pytest.raises(InvalidToken):
        await OwnKeySignatures(URL, TokenWorker().fetch).check(TOKEN, header, now=1000)


async def test_a_changed_token_is_not() -> None:
    head, _, signature = TOKEN.split(".")
    with pytest.raises(InvalidToken):
        await OwnKeySignatures(URL, TokenWorker().fetch).check(f"{head}.e30.{signature}", HEADER, now=1000)


async def test_without_keys_nothing_is_said_about_the_token() -> None:
    """A hint that cannot be checked proves nothing; it is not an error of the user's."""
    with pytest.raises(OSError, match="503"):
        await OwnKeySignatures(URL, TokenWorker(status=503).fetch).check(TOKEN, HEADER, now=1000)
