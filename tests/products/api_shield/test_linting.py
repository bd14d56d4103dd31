"""What is allowed and most likely not meant is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.config import Config, Route, Worker, Zone
from edgeworker.products.api_shield.config import RateLimitRule, ShieldConfig
from edgeworker.products.api_shield.keys import read_keys
from edgeworker.products.api_shield.linting import lint, lint_split_tokens
from edgeworker.products.api_shield.split_token_routes import find_split_token_routes
from edgeworker.routing import Resolver
from tests.products.api_shield.minting import key_set, signing_key, small_rsa_key
from tests.products.api_shield.zones import configuration, custom, operation, rule

KEYS = key_set(signing_key("RS256"))
CHECKED = (
    'is_jwt_valid("A") and http.request.jwt.claims.iss["A"][0] eq "i" '
    'and any(http.request.jwt.claims.aud["A"][*] eq "a")'
)
CLEAN = ShieldConfig(
    operations=(operation("/users/{id}"),),
    configurations=(configuration("A", KEYS),),
    rules=(rule(CHECKED),),
)


def _texts(config: ShieldConfig) -> list[str]:
    return [finding.text for finding in lint(config)]


def test_a_sound_configuration_has_no_findings() -> None:
    assert _texts(CLEAN) == []
    assert _texts(ShieldConfig()) == []


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (
            'is_jwt_valid("A") or not is_jwt_valid("A")',
            "validates nothing: its expression is true whatever the tokens are",
        ),
        ('is_jwt_valid("A") and not is_jwt_present("A")', "is violated by every request"),
        ('http.request.method eq "GET"', "asks for no token"),
        ('is_jwt_present("A")', "lets invalid tokens pass"),
        ('is_jwt_valid("A") and len(http.request.headers["X-A"][0]) > 0', 'asks for the header "X-A"'),
    ],
)
def test_a_rule_that_cannot_be_meant_is_told(expression: str, text: str) -> None:
    found = lint(replace(CLEAN, rules=(rule(expression),)))

    assert any(text in finding.text and finding.place == ("rules", 0) for finding in found), found


def test_the_rule_that_decides_is_told_and_how_two_become_one() -> None:
    """The migration between identity providers, with two rules as the guide says: it loads, and one does nothing."""
    config = replace(
        CLEAN,
        configurations=(configuration("A", KEYS), configuration("B", KEYS)),
        rules=(rule('is_jwt_valid("A")', id="old"), rule('is_jwt_valid("B")', id="new")),
    )

    found = [finding for finding in lint(config) if "never decides" in finding.text]

    assert [finding.place for finding in found] == [("rules", 1)]
    assert '"rule old" comes before it on all of them' in found[0].text
    assert found[0].text.endswith('write one rule: (is_jwt_valid("A")) or (is_jwt_valid("B"))')


def test_what_is_not_covered_is_told() -> None:
    excluded = replace(CLEAN, rules=(rule(CHECKED, excluded=("GET /users/{id}", "gone")),))

    assert [text for text in _texts(excluded) if "covers no operation" in text] == [
        'the rule "rule r1" covers no operation and never acts'
    ]
    assert any('excludes the operation "gone"' in text for text in _texts(excluded))
    assert not any("no rule covers the operation" in text for text in _texts(excluded))
    elsewhere = replace(CLEAN, rules=(replace(rule(CHECKED), include_hosts=("other.test",)),))
    assert any("no rule covers the operation GET api.test/users/{var1}" in text for text in _texts(elsewhere))
    assert any("no operations" in text for text in _texts(replace(CLEAN, operations=())))


def test_claims_that_no_rule_checks_are_told() -> None:
    only_iss = 'is_jwt_valid("A") and lookup_json_string(http.request.jwt.claims["A"][0], "iss") eq "i"'

    assert "no rule checks iss and aud" in _texts(replace(CLEAN, rules=(rule('is_jwt_valid("A")'),)))[0]
    assert "no rule checks aud of" in _texts(replace(CLEAN, rules=(rule(only_iss),)))[0]
    by_custom = custom('not any(http.request.jwt.claims.aud["A"][*] eq "a")')
    assert _texts(replace(CLEAN, rules=(rule(only_iss),), custom_rules=(by_custom,))) == []


def test_keys_that_were_left_out_and_sources_that_hide_are_told() -> None:
    without_alg = {name: value for name, value in signing_key("RS256").jwk().items() if name != "alg"}
    keys = read_keys([without_alg, small_rsa_key("small").jwk()])
    sources = ('http.request.headers["cf-access-jwt-assertion"][0]', 'http.request.cookies["t"][0]')

    texts = _texts(replace(CLEAN, configurations=(configuration("A", keys, *sources),)))

    assert any("keys[0].alg was omitted" in text for text in texts)
    assert any("keys[1] was dropped" in text for text in texts)
    assert any('the header "cf-access-jwt-assertion" is removed' in text for text in texts)
    assert any("has several sources" in text for text in texts)


def test_a_custom_rule_that_a_missing_claim_passes_is_told() -> None:
    config = replace(CLEAN, custom_rules=(custom('http.request.jwt.claims.sub["B"][0] ne "root"'),))

    texts = _texts(config)

    assert any("is false where the claim is missing" in text for text in texts)
    assert any('asks for claims of "B", which is not a token configuration' in text for text in texts)


def test_a_rate_limit_on_a_claim_needs_a_rule_that_blocks() -> None:
    limit = RateLimitRule("l", 10, 60, ('http.request.jwt.claims.sub["A"][0]',))
    logging = replace(CLEAN, rules=(rule(CHECKED, "log"),), rate_limits=(limit,))

    assert any("share one counter" in text for text in _texts(logging))
    assert not any("share one counter" in text for text in _texts(replace(CLEAN, rate_limits=(limit,))))
    by_path = RateLimitRule("l", 10, 60, ("http.request.uri.path",))
    assert not any("share one counter" in text for text in _texts(replace(logging, rate_limits=(by_path,))))


def test_a_rule_that_blocks_split_tokens_is_told() -> None:
    gateway = Worker("gateway", Path("worker.py"), is_default_script=True)
    zones = (Zone("api.test", "z1"),)
    routed = Config(workers=(gateway,), zones=zones, routes=(Route("api.test/users/*", "gateway"),))
    everywhere = Config(workers=(gateway,), zones=zones, default_worker="gateway", default_on_every_host=True)
    elsewhere = Config(workers=(gateway,), zones=zones, routes=(Route("api.test/orders/*", "gateway"),))
    other = replace(routed, workers=(replace(gateway, is_default_script=False),))

    def told(config: Config, shield: ShieldConfig = CLEAN) -> list[str]:
        ways = find_split_token_routes(config, Resolver(config), shield)
        return [finding.text for finding in lint_split_tokens(shield, ways)]

    assert ["blocks split tokens: the route api.test/users/* takes them" in text for text in told(routed)] == [True]
    assert ['the worker "gateway" on every host takes them' in text for text in told(everywhere)] == [True]
    assert told(elsewhere) == told(other) == []
    assert told(routed, replace(CLEAN, rules=(rule(CHECKED, "log"),))) == []
    two = replace(CLEAN, operations=(*CLEAN.operations, operation("/users/{id}", method="POST")))
    assert len(told(routed, two)) == 1
