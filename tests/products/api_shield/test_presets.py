"""The dashboard's choices: https://developers.cloudflare.com/api-shield/security/jwt-validation/"""

import pytest

from edgeworker.expressions import TOKEN_VALIDATION_RULES, parse
from edgeworker.products.api_shield.presets import Preset, combine, expand

BOTH = ("A", "B")


@pytest.mark.parametrize(
    ("preset", "expression"),
    [
        (Preset(("A",)), 'is_jwt_valid("A")'),
        (Preset(("A",), "ignore"), 'is_jwt_valid("A") or not is_jwt_present("A")'),
        (Preset(BOTH), 'is_jwt_valid("A") and is_jwt_valid("B")'),
        (
            Preset(BOTH, "ignore"),
            '(is_jwt_valid("A") or not is_jwt_present("A")) and (is_jwt_valid("B") or not is_jwt_present("B"))',
        ),
        (Preset(BOTH, validate="any"), 'is_jwt_valid("A") or is_jwt_valid("B")'),
        (Preset(("A",), pass_preflight=True), 'is_jwt_valid("A") or http.request.method eq "OPTIONS"'),
        (
            Preset(BOTH, pass_preflight=True),
            '(is_jwt_valid("A") and is_jwt_valid("B")) or http.request.method eq "OPTIONS"',
        ),
    ],
)
def test_a_choice_expands_to_the_documented_expression(preset: Preset, expression: str) -> None:
    assert expand(preset) == expression
    parse(expression, TOKEN_VALIDATION_RULES)


def test_two_rules_are_combined_into_one() -> None:
    assert combine(['is_jwt_valid("A")', 'is_jwt_valid("B")']) == '(is_jwt_valid("A")) or (is_jwt_valid("B"))'
