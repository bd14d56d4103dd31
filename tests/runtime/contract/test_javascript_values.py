"""Values that cross between JavaScript and Python, and back."""

import datetime
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.runtime.contract.javascript_values import decode, encode

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("$ew"), inner),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_sent_arrives(value: object) -> None:
    assert decode(encode(value)) == value


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ({"$ew": "undefined"}, None),
        ({"$ew": "bigint", "value": "12345678901234567890"}, 12345678901234567890),
        ({"$ew": "number", "value": "Infinity"}, math.inf),
        ({"$ew": "date", "value": 5000}, datetime.datetime(1970, 1, 1, 0, 0, 5, tzinfo=datetime.UTC)),
        ({"$ew": "map", "value": [["a", 1], [2, {"$ew": "bytes", "value": "AQI="}]]}, {"a": 1, 2: b"\x01\x02"}),
        ({"$ew": "set", "value": [1]}, [1]),
    ],
)
def test_what_json_does_not_have_has_a_mark(told: object, value: object) -> None:
    assert decode(told) == value


@pytest.mark.parametrize("told", [{"$ew": "x"}, {"$ew": "bytes", "value": "?"}, {"$ew": "date", "value": "x"}])
def test_an_unknown_mark_is_refused(told: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(told)


def test_what_cannot_be_sent_is_refused() -> None:
    nested: list[object] = []
    for _ in range(300):
        nested = [nested]

    for value in (object(), nested):
        with pytest.raises(TypeError):
            encode(value)
