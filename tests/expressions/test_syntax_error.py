"""The place of a mistake, for a person and for a machine."""

import pytest

from edgeworker.errors import ConfigError
from edgeworker.expressions import CUSTOM_RULES, ExpressionError, parse


def test_an_error_points_at_its_line_with_carets() -> None:
    with pytest.raises(ExpressionError) as raised:
        parse('ssl and\n  http.hots eq "é"', CUSTOM_RULES)

    assert (raised.value.line, raised.value.column) == (2, 3)
    assert raised.value.pointed == '  http.hots eq "é"\n  ^^^^^^^^^ unknown identifier'
    assert str(raised.value) == "unknown identifier (line 2, column 3)"


def test_columns_count_bytes_and_carets_characters() -> None:
    with pytest.raises(ExpressionError) as raised:
        parse('http.host eq "é" zz', CUSTOM_RULES)

    assert raised.value.column == 18
    assert raised.value.pointed.splitlines()[1].index("^") == 16


def test_an_error_in_an_expression_is_one_of_the_configuration() -> None:
    with pytest.raises(ConfigError):
        parse("", CUSTOM_RULES)


def test_an_expression_has_a_greatest_length() -> None:
    parse('http.host eq "' + "a" * 4081 + '"', CUSTOM_RULES)

    with pytest.raises(ExpressionError, match="longer than 4096 characters"):
        parse('http.host eq "' + "a" * 4082 + '"', CUSTOM_RULES)
