"""Why a request is blocked, part by part."""

from dataclasses import replace

from edgeworker.messages import URL, Headers, Request
from edgeworker.products.api_shield.config import ShieldConfig
from edgeworker.products.api_shield.explaining import ShieldExplanation, explain_request, explanation_lines
from tests.products.api_shield.minting import NOW, key_set, mint, signing_key
from tests.products.api_shield.zones import configuration, custom, operation, rule

KEY = signing_key("ES256")
CONFIG = ShieldConfig(
    operations=(operation("/users/{id}"),),
    configurations=(configuration("A", key_set(KEY)),),
    rules=(rule('is_jwt_valid("A") and http.request.jwt.claims.iss["A"][0] eq "https://idp.test"'),),
)
TOKEN = f"Bearer {mint(KEY)}"


def _explain(config: ShieldConfig, target: str = "/users/7", token: str | None = TOKEN) -> ShieldExplanation:
    headers = Headers() if token is None else Headers({"Authorization": token})
    return explain_request(
        config, Request("GET", URL.from_target("https", "api.test", target), headers), now_ms=NOW * 1000
    )


def test_the_parts_of_the_deciding_rule_have_their_values() -> None:
    found = _explain(CONFIG)

    assert found.passes
    assert found.deciding is not None
    assert not found.deciding.fires
    lines = list(explanation_lines(found))
    assert any('["A"][0]  ->  "https://idp.test"' in line for line in lines)
    assert lines[-1] == "the request passes"
    assert not any("eyJ" in line for line in lines)


def test_the_reason_of_a_token_is_told() -> None:
    expired = f"Bearer {mint(KEY, {'exp': NOW - 61})}"

    found = _explain(CONFIG, token=expired)

    assert not found.passes
    assert [one.result for one in found.tokens] == ["expired"]
    assert "token       A: expired  " + 'http.request.headers["authorization"][0], kid k1, ES256' in "\n".join(
        explanation_lines(found)
    )


def test_rules_behind_the_first_one_are_named_with_the_expression_that_has_both() -> None:
    other = replace(rule('is_jwt_valid("A")', id="r2"), title="second")

    text = "\n".join(explanation_lines(_explain(replace(CONFIG, rules=(*CONFIG.rules, other)))))

    assert '"second" covers the operation too and is not asked: only the first rule decides' in text
    assert "to accept what each of them accepts: (is_jwt_valid" in text


def test_an_operation_without_a_rule_and_a_request_without_an_operation() -> None:
    unruled = list(explanation_lines(_explain(replace(CONFIG, rules=()))))
    unknown = list(explanation_lines(_explain(CONFIG, "/elsewhere", None)))

    assert "rule        none covers the operation" in unruled
    assert unknown[0] == "operation   none: validation rules do nothing on this request"
    assert unknown[-1] == "the request passes"


def test_custom_rules_act_on_every_request() -> None:
    found = _explain(
        replace(CONFIG, custom_rules=(custom('starts_with(http.request.uri.path, "/else")'),)), "/elsewhere"
    )

    assert not found.passes
    assert [one.fires for one in found.custom_rules] == [True]
    assert any('custom rule "custom" matches: block' in line for line in explanation_lines(found))


def test_values_are_shown_so_that_no_terminal_acts_on_them() -> None:
    config = replace(CONFIG, rules=(rule('http.request.headers["x-a"][0] eq "a"'),))
    url = URL.from_target("https", "api.test", "/users/7")

    found = explain_request(config, Request("GET", url, Headers({"X-A": "\u009b31m"})), now_ms=NOW * 1000)

    assert all(line.isprintable() for line in explanation_lines(found))
