"""JSON within bounds."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.strict_json import JSON, MAX_DEPTH, InvalidJSON, dumps, load_at, loads

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES, st.booleans())
def test_what_json_can_say_is_read_as_it_was_written(value: JSON, ascii_only: bool) -> None:
    text = dumps(value, ascii_only=ascii_only)

    assert loads(text) == loads(text.encode()) == json.loads(text) == value
    assert load_at(f"x{text}]", 1) == (value, len(text) + 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "Expecting value"),
        (b"1 2", "Extra data"),
        (b"NaN", "NaN is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"1e999", "a number is too large"),
        (b"[-1e999]", "a number is too large"),
        (b"9" * 5000, "a number has more than 4000 digits"),
        (b'"\xff"', "not UTF-8 text (byte 1)"),
        (b"\xef\xbb\xbf{}", "Expecting value"),
        (b"{\x00}\x00", "Expecting property name"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2), f"nested deeper than {MAX_DEPTH} levels"),
        (b'{"a":' * (MAX_DEPTH + 2) + b"1" + b"}" * (MAX_DEPTH + 2), f"nested deeper than {MAX_DEPTH} levels"),
        (b'["\\ud800"]', "a lone surrogate"),
        (b'{"\\uDFFF": 1}', "a lone surrogate"),
    ],
)
def test_what_is_not_json_is_refused_with_the_reason(text: bytes, says: str) -> None:
    with pytest.raises(InvalidJSON) as refused:
        loads(text)

    assert says in str(refused.value)


def test_a_pair_of_surrogates_is_one_character_and_a_half_is_read_where_it_may_be() -> None:
    assert loads(b'"\\ud83d\\ude00"') == "\U0001f600"
    assert loads('"\\ud800"', lone_surrogates=True) == "\ud800"
    assert load_at('"\\ud800"', 0)[0] == "\ud800"


def test_the_deepest_value_can_be_written_again_even_far_down_in_the_stack() -> None:
    text = "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)

    def down(frames: int) -> str:
        return down(frames - 1) if frames else dumps({"result": loads(text)})

    assert down(sys.getrecursionlimit() // 2) == f'{{"result":{text}}}'


def test_two_members_of_one_name_are_refused_on_demand() -> None:
    assert loads('{"a": 1, "a": 2}') == {"a": 2}
    with pytest.raises(InvalidJSON, match="two members of one name"):
        loads('{"b": {"a": 1, "a": 2}}', unique_names=True)


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {"a": b"bytes"}, {1j: 1}])
def test_what_json_cannot_say_is_not_written(value: object) -> None:
    with pytest.raises(InvalidJSON):
        dumps(value)
