"""Which configurations find which token, compared with looking at every source of every configuration."""

import random

import pytest

from edgeworker.expressions.request_fields import cookies_of, headers_of
from edgeworker.messages import URL, Headers, Request
from edgeworker.products.api_shield.compiled import compile_shield
from edgeworker.products.api_shield.config import ShieldConfig
from edgeworker.products.api_shield.token_checks import TokenChecker, TokenFinding, check_token
from edgeworker.products.api_shield.token_sources import find_token
from tests.products.api_shield.minting import NOW, key_set, mint, signing_key
from tests.products.api_shield.zones import configuration

KEYS = [signing_key("ES256", "one"), signing_key("HS256", "two")]
TOKENS = [mint(key, {"sub": f"u{number}", "exp": NOW + 60}) for key in KEYS for number in range(2)]
SOURCES = (
    'http.request.headers["authorization"][0]',
    'http.request.headers["x-token"][0]',
    'http.request.headers["cookie"][0]',
    'http.request.cookies["a"][0]',
)
NAMES = ("Authorization", "authorization", "X-Token", "Cookie", "cookie", "X-Other", "X_Token")


def _random_shield(chance: random.Random) -> ShieldConfig:
    return ShieldConfig(
        configurations=tuple(
            configuration(
                f"C{number}", key_set(chance.choice(KEYS)), *chance.sample(SOURCES, chance.randint(1, len(SOURCES)))
            )
            for number in range(chance.randint(1, 6))
        )
    )


def _random_request(chance: random.Random) -> Request:
    fields = []
    for _ in range(chance.randint(0, 5)):
        token = chance.choice([*TOKENS, "", "Bearer", "x.y.z", "ä"])
        forms = [token, f"Bearer {token}", f"bearer:  {token} ", f"a={token}; b={token}", f"z; a={token}", "a=; a=b"]
        fields.append((chance.choice(NAMES).encode(), chance.choice(forms).encode()))
    return Request("GET", URL.from_target("https", "api.test", "/"), Headers.from_raw(fields))


@pytest.mark.parametrize("seed", range(20))
def test_what_is_found_is_what_every_source_of_every_configuration_has(seed: int) -> None:
    chance = random.Random(seed)
    checker = TokenChecker()
    for _ in range(10):
        shield = compile_shield(_random_shield(chance))
        for _ in range(10):
            request = _random_request(chance)
            headers, cookies = headers_of(request), cookies_of(request)
            expected: dict[str, TokenFinding] = {}
            for group in shield.groups:
                found = find_token(group.sources, headers, cookies)
                if found is not None:
                    expected |= check_token(group, found, NOW).tokens.checks

            for _ in range(2):  # the second time from memory
                tokens = checker.check(shield, request, now=NOW)
                assert tokens.checks == expected
                assert tokens.facts.keys() == expected.keys()
                assert {one for one, fact in tokens.facts.items() if fact.valid} == {
                    one for one, check in expected.items() if check.result == "valid"
                }
                assert sorted(token.configuration_id for token in tokens.verified) == sorted(
                    one for one, fact in tokens.facts.items() if fact.valid
                )


def test_a_token_that_was_seen_elsewhere_is_told_with_the_source_it_has_now() -> None:
    shield = compile_shield(ShieldConfig(configurations=(configuration("C", key_set(KEYS[0]), *SOURCES),)))
    checker = TokenChecker()

    def source_of(field: str, value: str) -> str:
        request = Request("GET", URL.from_target("https", "api.test", "/"), Headers({field: value}))
        return checker.check(shield, request, now=NOW).checks["C"].source

    assert source_of("Authorization", f"Bearer {TOKENS[0]}") == SOURCES[0]
    assert source_of("X-Token", TOKENS[0]) == SOURCES[1]
