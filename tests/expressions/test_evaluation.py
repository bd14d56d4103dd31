"""What expressions come to on one request."""

from collections.abc import Mapping

import pytest

from edgeworker.clock import SystemClock
from edgeworker.expressions import (
    TOKEN_VALIDATION_RULES,
    Outcome,
    RequestFacts,
    TokenFact,
    compile_expression,
    explain,
    parse,
)
from edgeworker.messages import URL, Client, Headers, Request

TOKENS: Mapping[str, TokenFact] = {
    "good": TokenFact(
        present=True,
        valid=True,
        claims={"sub": "u-1", "aud": ["api", "web"], "iat": 1_700_000_000, "roles": ["reader"], "admin": True},
        claims_json=b'{"sub":"u-1","user":{"name":"Ann"},"roles":["reader"],"level":3,"admin":true,"big":1e400}',
    ),
    "bad": TokenFact(present=True, valid=False),
    "none": TokenFact(present=False, valid=False),
}
REQUEST = Request(
    "POST",
    URL.parse("https://api.example.com/v1/Orders/7.json?a=1&b=2&a=3"),
    Headers(
        [
            ("Host", "api.example.com"),
            ("X-Tag", "one"),
            ("X-Tag", "two"),
            ("Cookie", "session=abc; theme=dark"),
            ("User-Agent", "curl/8"),
        ]
    ),
    client=Client("192.0.2.7"),
)
FACTS = RequestFacts(REQUEST, now_ms=1_700_000_123_456, tokens=TOKENS)


@pytest.mark.parametrize(
    "expression",
    [
        'http.host eq "api.example.com"',
        'http.request.method in {"GET" "POST"}',
        'http.request.uri.path eq "/v1/Orders/7.json"',
        'http.request.uri.path wildcard "/v1/orders/*"',
        'not http.request.uri.path strict wildcard "/v1/orders/*"',
        r'http.request.uri.path matches r"^/v1/\w+/[0-9]+\.json$"',
        'http.request.uri.path.extension eq "json"',
        'http.request.uri.args["a"][1] eq "3"',
        'http.request.headers["x-tag"][1] eq "two"',
        'any(http.request.headers["x-tag"][*] eq "two")',
        'not all(http.request.headers["x-tag"][*] eq "two")',
        'any(http.request.headers[*][*] contains "curl")',
        'any(lower(http.request.headers.names[*])[*] eq "user-agent")',
        'any(starts_with(http.request.headers["x-tag"][*], "tw"))',
        'http.request.cookies["theme"][0] eq "dark"',
        "ip.src in {192.0.2.0/24}",
        "ip.src ne 2001:db8::1",
        "not ip.src lt 2001:db8::1",
        "http.request.timestamp.sec eq 1700000123 and http.request.timestamp.msec eq 456",
        "len(http.user_agent) eq 6",
        "http.request.timestamp.sec & 1",
        "http.request.timestamp.sec in {1..2 1700000000..1800000000}",
        "ssl",
        'is_jwt_valid("good")',
        'is_jwt_present("bad") and not is_jwt_valid("bad")',
        'not is_jwt_present("none")',
        'not is_jwt_present("no such configuration")',
        'lookup_json_string(http.request.jwt.claims["good"][0], "sub") eq "u-1"',
        'lookup_json_string(http.request.jwt.claims["good"][0], "user", "name") eq "Ann"',
        'lookup_json_string(http.request.jwt.claims["good"][0], "roles", 0) eq "reader"',
        'lookup_json_integer(http.request.jwt.claims["good"][0], "level") ge 3',
        'any(http.request.jwt.claims.aud["good"][*] eq "web")',
        'any(http.request.jwt.claims.aud.values[*] eq "api")',
        'http.request.jwt.claims.aud.names[1] eq "good"',
        'http.request.jwt.claims.iat.sec["good"][0] eq 1700000000',
        'http.request.jwt.claims.sub["good"][0] eq http.request.jwt.claims.sub.values[0]',
        'coalesce(http.request.headers["x-absent"][0], "default") eq "default"',
        'concat("a", http.request.headers["x-absent"][0], "b") eq "ab"',
        'has_key(http.request.headers, "x-tag") and not has_key(http.request.headers, "x-other")',
        # `and` binds tighter than `xor`, and that tighter than `or`.
        "ssl or ssl xor ssl",
        "not (ssl xor ssl and ssl)",
        'ssl xor http.host eq "x" xor http.host eq "y"',
    ],
)
def test_these_are_true(expression: str) -> None:
    assert compile_expression(parse(expression, TOKEN_VALIDATION_RULES))(FACTS) is True


@pytest.mark.parametrize(
    "expression",
    [
        # https://developers.cloudflare.com/ruleset-engine/rules-language/values/: every comparison with a missing value
        'http.request.headers["x-absent"][0] eq ""',
        'http.request.headers["x-absent"][0] ne "a"',
        'http.request.headers["x-tag"][2] ne "a"',
        'http.request.headers["x-absent"][0] in {"a"}',
        'http.request.headers["x-absent"][0] matches ".*"',
        'lower(http.request.headers["x-absent"][0]) ne "a"',
        'http.request.headers["x-absent"][0] eq http.request.headers["x-other"][0]',
        'len(http.request.headers["x-absent"][0]) eq 0',
        # a token that is not valid has no claims, and a claim of another type is missing
        'http.request.jwt.claims.sub["bad"][0] ne "x"',
        'lookup_json_string(http.request.jwt.claims["bad"][0], "sub") ne "x"',
        'lookup_json_string(http.request.jwt.claims["good"][0], "level") ne "x"',
        'lookup_json_integer(http.request.jwt.claims["good"][0], "sub") ne 1',
        'lookup_json_integer(http.request.jwt.claims["good"][0], "admin") eq 1',
        'lookup_json_integer(http.request.jwt.claims["good"][0], "big") gt 0',
        'lookup_json_string(http.request.jwt.claims["good"][0], "roles", 9) ne "x"',
        # header names are lower case
        'http.request.headers["X-Tag"][0] eq "one"',
        'any(http.request.headers["x-absent"][*] eq "a")',
        "ip.src in {}",
        "ip.src lt 2001:db8::1",
        'is_jwt_valid("none")',
    ],
)
def test_these_are_false(expression: str) -> None:
    assert compile_expression(parse(expression, TOKEN_VALIDATION_RULES))(FACTS) is False


def test_an_explanation_has_the_value_of_every_part() -> None:
    expression = parse('is_jwt_valid("bad") or (http.request.method eq "POST" and not ssl)', TOKEN_VALIDATION_RULES)

    assert explain(expression, FACTS) == [
        Outcome('is_jwt_valid("bad") or (http.request.method eq "POST" and not ssl)', False, 0),
        Outcome('is_jwt_valid("bad")', False, 1),
        Outcome('http.request.method eq "POST" and not ssl', False, 1),
        Outcome('http.request.method eq "POST"', True, 2),
        Outcome("http.request.method", b"POST", 3),
        Outcome("not ssl", False, 2),
        Outcome("ssl", True, 3),
    ]


def test_an_explanation_shows_the_elements_of_an_array_and_that_a_value_is_missing() -> None:
    expression = parse(
        'any(http.request.headers["x-tag"][*] eq "two") and http.request.headers["x-absent"][0] eq "a"',
        TOKEN_VALIDATION_RULES,
    )

    outcomes = {outcome.text: outcome.value for outcome in explain(expression, FACTS)}

    assert outcomes['http.request.headers["x-tag"][*] eq "two"'] == [False, True]
    assert outcomes['http.request.headers["x-tag"][*]'] == [b"one", b"two"]
    assert outcomes['http.request.headers["x-absent"][0]'] is None


def test_a_deep_expression_is_evaluated() -> None:
    nested = compile_expression(parse("(not " * 64 + "ssl" + ")" * 64, TOKEN_VALIDATION_RULES))
    called = compile_expression(parse("lower(" * 128 + "http.host" + ")" * 128 + ' ne ""', TOKEN_VALIDATION_RULES))

    assert (nested(FACTS), called(FACTS)) == (True, True)


def test_a_long_text_does_not_slow_a_pattern_down_exponentially() -> None:
    """Python's `re` would need longer than the universe has for this one."""
    matches = compile_expression(parse('http.user_agent matches "^(a+)+$"', TOKEN_VALIDATION_RULES))
    request = Request("GET", URL.parse("https://example.com/"), Headers({"user-agent": "a" * 20_000 + "!"}))

    assert matches(RequestFacts(request, now_ms=SystemClock().now_ms(), tokens={})) is False
