"""Most of it is in the recorded cases, tests/conformance/test_kv.py."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.runtime.webapi import json_text
from edgeworker.runtime.webapi.ffi import JsDict, JsException

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_VALUES)
def test_json_comes_back(value: object) -> None:
    assert json_text.parse(json.dumps(value)) == value


@given(_VALUES, st.integers(0, 200), st.sampled_from('{}[]",:x1- \n\\'))
def test_whatever_is_not_json_has_a_syntax_error(value: object, place: int, character: str) -> None:
    text = json.dumps(value)
    broken = text[:place] + character + text[place:]
    try:
        json.loads(broken, parse_constant=str)
    except ValueError:
        with pytest.raises(JsException) as caught:
            json_text.parse(broken)
        assert caught.value.name == "SyntaxError"


def test_objects_are_js_dicts_at_every_depth() -> None:
    parsed = json_text.parse('[{"a": {"b": 1}}]')

    assert isinstance(parsed, list)
    assert isinstance(parsed[0], JsDict)
    assert parsed[0].a == {"b": 1}
    assert isinstance(parsed[0].a, JsDict)


@pytest.mark.parametrize(
    ("text", "kind"), [("1", int), ("1.0", int), ("1e3", int), ("9007199254740993", float), ("1.5", float)]
)
def test_a_number_is_an_int_where_a_double_holds_it_exactly(text: str, kind: type) -> None:
    assert type(json_text.parse(text)) is kind


def test_numbers_of_any_length_are_read() -> None:
    assert json_text.parse("1" * 10_000) == float("inf")


def test_nesting_that_python_cannot_follow_is_a_range_error() -> None:
    with pytest.raises(JsException, match="RangeError: Maximum call stack size exceeded"):
        json_text.parse("[" * 100_000)


def test_an_error_cuts_no_character_in_half() -> None:
    with pytest.raises(JsException) as caught:
        json_text.parse('{"é😀é😀é😀é😀é😀é😀": ?, "more": 12345678}')

    assert str(caught.value).isprintable()
    str(caught.value).encode()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (5.0, "5"),
        (-1.5, "-1.5"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.25e-9, "1.25e-9"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.2e22, "1.2e+22"),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_a_numeral_is_javascripts(value: float, text: str) -> None:
    assert json_text.numeral(value) == text
