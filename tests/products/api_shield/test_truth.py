"""What an expression says about tokens, whatever the rest of a request is."""

import pytest

from edgeworker.expressions import TOKEN_VALIDATION_RULES, parse
from edgeworker.products.api_shield.truth import is_always, passes_invalid_tokens


@pytest.mark.parametrize(
    ("expression", "always", "never", "passes_invalid"),
    [
        ('is_jwt_valid("A")', False, False, False),
        ('is_jwt_valid("A") or not is_jwt_present("A")', False, False, False),
        # An older page of the documentation printed this one for "ignore requests without a token".
        ('is_jwt_valid("A") or not is_jwt_valid("A")', True, False, True),
        ('is_jwt_valid("A") or is_jwt_present("A") or not is_jwt_present("A")', True, False, True),
        ('is_jwt_present("A") or not is_jwt_valid("A")', True, False, True),
        ('not is_jwt_valid("A") or is_jwt_present("B")', False, False, True),
        ('is_jwt_valid("A") and not is_jwt_present("A")', False, True, False),
        ('is_jwt_valid("A") xor is_jwt_valid("A")', False, True, False),
        ('not (is_jwt_valid("A") and not is_jwt_present("A"))', True, False, True),
        ('is_jwt_present("A")', False, False, True),
        ('is_jwt_valid("A") or http.request.method eq "OPTIONS"', False, False, False),
        ('http.host eq "a" or not http.host eq "a"', True, False, True),
        ('http.host eq "a" or not http.host eq "b"', False, False, True),
        ('not ssl and ssl and is_jwt_valid("A")', False, True, False),
        ('any(http.request.headers.names[*] eq "x") or is_jwt_valid("A")', False, False, False),
    ],
)
def test_what_an_expression_says_of_tokens(expression: str, always: bool, never: bool, passes_invalid: bool) -> None:
    parsed = parse(expression, TOKEN_VALIDATION_RULES)

    assert is_always(parsed, True) is always
    assert is_always(parsed, False) is never
    assert passes_invalid_tokens(parsed) is passes_invalid


def test_an_expression_with_too_many_parts_is_not_judged() -> None:
    expression = " or ".join(f'is_jwt_valid("{number}")' for number in range(13)) + " or ssl or not ssl"

    assert is_always(parse(expression, TOKEN_VALIDATION_RULES), True) is False
