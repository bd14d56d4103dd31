"""API Shield in front of a zone, request by request."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.clock import SystemClock
from edgeworker.config import JSON
from edgeworker.messages import URL, Headers, Request, VerifiedToken
from edgeworker.products.api_shield.config import HeaderTransform, RateLimitRule, ShieldConfig
from edgeworker.products.api_shield.zone_objects import ZoneObjects
from edgeworker.state import SQLiteState
from tests.products.api_shield.minting import NOW, key_set, mint, mint_raw, signing_key
from tests.products.api_shield.zones import (
    ShieldedEdge,
    configuration,
    custom,
    from_api,
    operation,
    rule,
)

KEY = signing_key("RS256")
NEW = signing_key("RS256", "new")
CONFIG = ShieldConfig(
    operations=(operation("/users/{id}"),),
    configurations=(configuration("A", key_set(KEY)),),
    rules=(rule('is_jwt_valid("A")'),),
)
CLAIM = 'lookup_json_string(http.request.jwt.claims["A"][0], "sub")'


async def test_what_was_verified_travels_with_the_request() -> None:
    edge = ShieldedEdge(CONFIG)

    await edge.get(token=mint(KEY))
    await edge.get("/elsewhere", token="garbage")

    claims = {"sub": "u-1", "iss": "https://idp.test", "exp": NOW + 3600}
    assert [request.verified_tokens for request in edge.origin.requests] == [(VerifiedToken("A", claims),), ()]


@pytest.mark.parametrize(
    "target",
    ["/users/7", "/x/../users/7", "/%75sers/7", "/users/7?a=b", "/./users/./7", "/users/%37", "/users/%2e%2e/users/7"],
)
async def test_the_canonical_path_decides(target: str) -> None:
    """H6: every spelling of an operation's path is that operation."""
    assert await ShieldedEdge(CONFIG).status(target) == 403


@pytest.mark.parametrize("target", ["/users/7/", "/Users/7", "/users/", "/users", "/"])
async def test_what_is_not_an_operation_is_not_looked_at_by_validation_rules(target: str) -> None:
    assert await ShieldedEdge(CONFIG).status(target) == 200


async def test_a_token_in_a_body_is_not_looked_at() -> None:
    """A limitation of the product: https://developers.cloudflare.com/api-shield/security/jwt-validation/"""
    edge = ShieldedEdge(replace(CONFIG, operations=(operation("/users/{id}", method="POST"),)))

    assert await edge.status(method="POST") == 403


async def test_an_unexpired_token_passes_again() -> None:
    """No replay is found out, as on Cloudflare: COMPATIBILITY.md says so."""
    edge = ShieldedEdge(CONFIG)
    token = mint(KEY)

    assert [await edge.status(token=token) for _ in range(3)] == [200, 200, 200]


async def test_a_remembered_token_ends_at_its_expiry_and_not_before() -> None:
    edge = ShieldedEdge(CONFIG)
    token = mint(KEY, {"exp": NOW + 100, "nbf": NOW + 70})

    statuses = []
    for seconds in (0, 9, 1, 90, 60, 1):  # at 0, 9, 10, 100, 160, 161 seconds
        edge.clock.advance(seconds)
        statuses.append(await edge.status(token=token))

    assert statuses == [403, 403, 200, 200, 200, 403]


async def test_a_rule_that_logs_lets_pass_and_tells_why() -> None:
    edge = ShieldedEdge(replace(CONFIG, rules=(rule('is_jwt_valid("A")', "log"),)))
    token = mint(KEY, {"sub": "u-1", "iss": "i", "jti": "j", "exp": 1, "email": "private@example.com"})

    assert await edge.status(token=token) == 200

    (event,) = edge.shield.events
    assert event.record() == {
        "timestamp": NOW,
        "service": "API Shield - Token Validation",
        "action": "log",
        "rule_id": "r1",
        "rule_title": "rule r1",
        "ray_id": "0123456789abcdef-LOC",
        "method": "GET",
        "host": "api.test",
        "path": "/users/7",
        "operation_id": "GET /users/{id}",
        "client_ip": "127.0.0.1",
        "user_agent": "",
        "violations": [
            {
                "config_id": "A",
                "result": "expired",
                "source": 'http.request.headers["authorization"][0]',
                "kid": "k1",
                "alg": "RS256",
                "claims": {"iss": "i", "sub": "u-1", "jti": "j"},
                "detail": "",
            }
        ],
    }


async def test_no_token_and_no_line_break_gets_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """H29, J22."""
    edge = ShieldedEdge(CONFIG)
    token = mint_raw(signing_key("RS256", "stranger"), b'{"alg":"RS256","kid":"k1\\n"}', '{"sub":"a\\r\\nb\\ud800"}')

    with caplog.at_level(logging.WARNING):
        await edge.get(token=token, headers={"User-Agent": "x\x85y"})

    (record,) = caplog.records
    line = record.getMessage()
    assert len(line.splitlines()) == 1
    assert json.loads(line)["violations"][0]["result"] == "unknown_kid"
    assert not any(segment in line for segment in token.split("."))


@pytest.mark.parametrize(
    ("accept", "kind", "body"),
    [
        ("text/html,*/*", "text/html; charset=UTF-8", "Sorry, you have been blocked"),
        ("application/json", "application/json", '"ray_id": "0123456789abcdef-LOC"'),
        ("application/problem+json", "application/json", '"status": 403'),
        ("*/*", "text/plain; charset=UTF-8", "error code: 1020"),
    ],
)
async def test_a_blocked_client_gets_the_form_that_it_asks_for(accept: str, kind: str, body: str) -> None:
    response = await ShieldedEdge(CONFIG).get(headers={"Accept": accept})

    assert (response.status, response.headers.get("content-type")) == (403, kind)
    assert response.headers.get("cf-ray") == "0123456789abcdef-LOC"
    assert response.headers.get("www-authenticate") is None
    assert response.body is not None
    assert body in (await response.body.read()).decode()


async def test_a_challenge_is_given_where_it_is_switched_on() -> None:
    """RFC 6750, section 3."""
    edge = ShieldedEdge(replace(CONFIG, challenge=True, custom_rules=(custom('http.request.method eq "PUT"'),)))

    missing, invalid, other = await edge.get(), await edge.get(token="x"), await edge.get(method="PUT")

    assert (missing.status, invalid.status, other.status) == (401, 401, 403)
    assert missing.headers.get("www-authenticate") == 'Bearer realm="api.test"'
    assert 'error="invalid_token"' in (invalid.headers.get("www-authenticate") or "")
    assert other.headers.get("www-authenticate") is None


async def test_only_the_first_enabled_rule_of_an_operation_decides() -> None:
    """ "Migration between identity providers" with two rules, as the guide has it: the first one is all that counts."""
    both = (configuration("A", key_set(KEY)), configuration("B", key_set(NEW)))
    a, b = rule('is_jwt_valid("A")', id="a"), rule('is_jwt_valid("B")', id="b")

    async def statuses(*rules: object) -> list[int]:
        edge = ShieldedEdge(replace(CONFIG, configurations=both, rules=rules))  # type: ignore[arg-type]  # rules
        return [await edge.status(token=mint(key)) for key in (KEY, NEW)]

    assert await statuses(a, b) == [200, 403]
    assert await statuses(b, a) == [403, 200]
    assert await statuses(replace(a, enabled=False), b) == [403, 200]
    assert await statuses(replace(a, excluded_operations=("GET /users/{id}",)), b) == [403, 200]
    assert await statuses(replace(a, include_hosts=("other.test",)), b) == [403, 200]
    assert await statuses(replace(a, include_hosts=("other.test", "api.test")), b) == [200, 403]
    assert await statuses(replace(a, action="log"), b) == [200, 200]


async def test_the_migration_recipe_goes_from_one_provider_to_the_next() -> None:
    """Rule on A; then "A or B" that logs, and blocks once nothing is logged any more; then B alone."""
    both = (configuration("A", key_set(KEY)), configuration("B", key_set(NEW)))
    either = 'is_jwt_valid("A") or is_jwt_valid("B")'
    steps = [
        (rule('is_jwt_valid("A")'), [200, 403, 403]),
        (rule(either, "log"), [200, 200, 200]),
        (rule(either), [200, 200, 403]),
        (rule('is_jwt_valid("B")'), [403, 200, 403]),
    ]
    for step, expected in steps:
        edge = ShieldedEdge(replace(CONFIG, configurations=both, rules=(step,)))

        assert [await edge.status(token=token) for token in (mint(KEY), mint(NEW), "old")] == expected


async def test_a_custom_rule_acts_without_any_operation_where_its_expression_is_true() -> None:
    """https://developers.cloudflare.com/waf/custom-rules/use-cases/check-jwt-claim-to-protect-admin-user/"""
    edge = ShieldedEdge(
        ShieldConfig(
            configurations=(configuration("A", key_set(KEY)),),
            custom_rules=(custom(f'starts_with(http.request.uri.path, "/admin") and not {CLAIM} eq "root"'),),
        )
    )

    assert await edge.status("/admin", mint(KEY, {"sub": "root"})) == 200
    assert await edge.status("/admin", mint(KEY, {"sub": "u-1"})) == 403
    assert await edge.status("/admin", mint(signing_key("RS256", "x"), {"sub": "root"}, {"kid": "k1"})) == 403
    assert await edge.status("/admin") == 403
    assert await edge.status("/") == 200
    assert {event.service for event in edge.shield.events} == {"Custom rules"}


async def test_no_rule_is_asked_about_the_edges_own_paths() -> None:
    edge = ShieldedEdge(replace(CONFIG, custom_rules=(custom('http.host eq "api.test"'),)))

    assert await edge.status("/cdn-cgi/access/login") == 200
    assert await edge.status("/cdn-cgi") == 403


async def test_a_claim_becomes_a_header_that_no_client_can_send() -> None:
    """Deleted first, in each spelling, then set: also where the claim is missing."""
    transforms = (
        HeaderTransform("t1", "X-User", CLAIM),
        HeaderTransform("t2", "X-Admin", '"yes"', f'{CLAIM} eq "root"'),
    )
    edge = ShieldedEdge(replace(CONFIG, header_transforms=transforms))
    forged = {"X-User": "root", "x_user": "root", "X_USER": "root", "X-Other": "kept", "X-Admin": "yes"}

    await edge.get(token=mint(KEY, {"sub": "u-1"}), headers=forged)
    await edge.get("/elsewhere", headers=forged)

    seen = [
        [(name, value) for name, value in request.headers if name.startswith("x") and "forwarded" not in name]
        for request in edge.origin.requests
    ]
    assert [dict(fields).get("x-user") for fields in seen] == ["u-1", None]
    assert all("x_user" not in dict(fields) and dict(fields)["x-other"] == "kept" for fields in seen)
    # A transform that does not apply leaves the field alone, as Cloudflare does: name the condition in the value.
    assert [dict(fields).get("x-admin") for fields in seen] == ["yes", "yes"]


@pytest.mark.parametrize(
    ("claim", "header"),
    [
        ("Jürgen", "Jürgen".encode().decode("latin-1")),
        ("a\r\nX-Admin: yes", None),
        ("a\0b", None),
        ("\ud800", None),
        ("x" * 5000, None),
        ("", ""),
    ],
)
async def test_what_a_claim_holds_cannot_break_a_header(claim: str, header: str | None) -> None:
    """J22, H9."""
    edge = ShieldedEdge(replace(CONFIG, header_transforms=(HeaderTransform("t1", "X-User", CLAIM),)))

    assert await edge.status(token=mint(KEY, {"sub": claim})) == 200

    assert edge.origin.requests[0].headers.get("x-user") == header
    assert edge.origin.requests[0].headers.get("x-admin") is None


async def test_requests_are_limited_by_a_claim_and_those_without_one_together() -> None:
    limit = RateLimitRule("l1", 2, 60, (CLAIM,), 120)
    edge = ShieldedEdge(replace(CONFIG, rules=(), rate_limits=(limit,)))
    ann, bob = mint(KEY, {"sub": "ann"}), mint(KEY, {"sub": "bob"})
    edge.clock.advance(-NOW % 60)

    assert [await edge.status(token=ann) for _ in range(4)] == [200, 200, 429, 429]
    assert await edge.status(token=bob) == 200
    assert [await edge.status(token="garbage"), await edge.status(), await edge.status(token="x")] == [200, 200, 429]
    response = await edge.get(token=ann)
    assert (response.status, response.headers.get("retry-after")) == (429, "120")
    edge.clock.advance(119)
    assert await edge.status(token=ann) == 429
    edge.clock.advance(1)
    assert await edge.status(token=ann) == 200


async def test_a_change_over_the_api_counts_at_the_next_request_in_every_process(tmp_path: Path) -> None:
    """A key that is taken out wins over what was remembered of tokens that it signed."""
    async with SQLiteState(tmp_path, SystemClock()) as mine, SQLiteState(tmp_path, SystemClock()) as theirs:
        edge = ShieldedEdge(ShieldConfig(operations=CONFIG.operations), mine.documents("api_shield"))
        other = ZoneObjects(theirs.documents("api_shield"), "z1")
        token = mint(KEY)
        assert await edge.status() == 200

        await other.put_configuration(configuration("A", key_set(KEY)))
        await other.put_rules([from_api(rule('is_jwt_valid("A")'))], ["r1"], order_revision=0)
        assert [await edge.status(), await edge.status(token=token)] == [403, 200]
        assert await edge.status(token=token) == 200

        await other.put_configuration(configuration("A", key_set(NEW)))
        assert [await edge.status(token=token), await edge.status(token=mint(NEW))] == [403, 200]
        await other.delete_rule("r1")
        assert await edge.status() == 200


async def test_when_keys_were_imported_is_told_of_the_file_and_after_a_request_of_the_api() -> None:
    written = replace(CONFIG.configurations[0], keys_imported_at=5)
    edge = ShieldedEdge(replace(CONFIG, configurations=(written, configuration("undated", key_set(NEW)))))
    await edge.objects.put_configuration(replace(configuration("B", key_set(NEW)), keys_imported_at=9))
    assert edge.shield.key_imports() == {("api.test", "A"): 5}

    await edge.get()

    assert edge.shield.key_imports() == {("api.test", "A"): 5, ("api.test", "B"): 9}


async def test_a_rule_whose_configuration_is_gone_counts_as_violated() -> None:
    """It was made over the API, and the configuration was in a file that has changed since."""
    edge = ShieldedEdge(ShieldConfig(operations=CONFIG.operations))
    stored = from_api(rule('is_jwt_valid("gone") or ssl'))
    await edge.objects.put_rules([stored], ["r1"], order_revision=0)

    assert await edge.status(token=mint(KEY)) == 403


async def test_secrets_are_kept_apart_from_what_the_api_shows(tmp_path: Path) -> None:
    key = signing_key("HS256", "secret-kid")
    async with SQLiteState(tmp_path, SystemClock()) as state:
        documents = state.documents("api_shield")
        edge = ShieldedEdge(ShieldConfig(operations=CONFIG.operations, rules=CONFIG.rules), documents)
        await ZoneObjects(documents, "z1").put_configuration(configuration("A", key_set(key)))

        assert await edge.status(token=mint(key)) == 200
        (shown,) = await documents.list("z1/configuration")
        assert '"k"' not in json.dumps(dict(shown.value))
        assert [document.id for document in await documents.list("z1/secret")] == ["A"]


async def test_a_token_in_every_configuration_is_verified_by_the_one_that_has_its_key() -> None:
    keys = [signing_key("ES256", f"k{number}") for number in range(4)]
    configurations = tuple(configuration(f"C{number}", key_set(key)) for number, key in enumerate(keys))
    edge = ShieldedEdge(replace(CONFIG, configurations=configurations, rules=(rule('is_jwt_valid("C2")'),)))

    assert [await edge.status(token=mint(key)) for key in keys] == [403, 403, 200, 403]
    request = edge.origin.requests[0]
    assert [token.configuration_id for token in request.verified_tokens] == ["C2"]


@pytest.mark.parametrize("claims", [{"sub": "a" * 3000}, {"nested": {"a": [1] * 100}}])
async def test_large_claims_are_taken(claims: dict[str, JSON]) -> None:
    assert await ShieldedEdge(CONFIG).status(token=mint(KEY, claims)) == 200


async def test_no_field_of_a_request_makes_the_shield_fail() -> None:
    """No answer is 500, whatever a client sends."""
    edge = ShieldedEdge(replace(CONFIG, custom_rules=(custom('any(http.request.headers.values[*] contains "zz")'),)))
    values = ["\x80", "a\xff", ";;==", "t=\x01", "é=é", ",,,", "q=1;q=", "%", "{" * 100]
    for name in ("Authorization", "Cookie", "Accept-Language", "User-Agent", "Accept"):
        for value in values:
            request = Request("GET", URL.parse("https://api.test/users/7"), Headers([(name, value)]))
            assert (await edge.handler.fetch(request)).status == 403
