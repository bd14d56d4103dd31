"""What the language knows and nothing here can evaluate is refused, with its place."""

import pytest

from edgeworker.expressions import CUSTOM_RULES, ExpressionError, check_evaluable, parse
from edgeworker.expressions.fields import FIELDS
from edgeworker.expressions.request_fields import FIELD_READERS


@pytest.mark.parametrize(
    ("expression", "column", "reason"),
    [
        ("ssl and cf.waf.score < 40", 9, 'the field "cf.waf.score" has no value here'),
        ('regex_replace(http.host, "a", "b") eq "b"', 1, 'the function "regex_replace" is not evaluated here'),
        ("not (ip.src in $office)", 6, 'there is no list "$office"'),
        ('any(http.request.body.form["a"][*] eq "b")', 5, 'the field "http.request.body.form" has no value here'),
        ('lower(uuidv4(cf.random_seed)) eq "a"', 7, 'the function "uuidv4" is not evaluated here'),
        ("http.request.timestamp.sec gt cf.waf.score", 31, 'the field "cf.waf.score" has no value here'),
    ],
)
def test_what_has_no_value_here_is_refused(expression: str, column: int, reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason.replace("$", r"\$")) as raised:
        check_evaluable(parse(expression, CUSTOM_RULES))

    assert raised.value.column == column


def test_every_field_that_has_a_value_is_one_of_the_language() -> None:
    unknown = set(FIELD_READERS) - set(FIELDS)

    assert unknown == set()
