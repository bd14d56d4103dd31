"""Source: https://tc39.es/ecma262/#sec-samevaluezero"""

import math

import pytest

from edgeworker.runtime.webapi.data import JsMap
from edgeworker.runtime.webapi.ffi import JsException, jsnull
from edgeworker.runtime.webapi.identity import as_kept, identify
from edgeworker.runtime.webapi.sets import JsSet

THING = object()


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (1, True, False),
        (0, False, False),
        (1, 1.0, True),
        (0.0, -0.0, True),
        (math.nan, float("nan"), True),
        (math.nan, "NaN", False),
        (math.inf, -math.inf, False),
        ("1", 1, False),
        ("a", b"a", False),
        (None, jsnull, False),
        (THING, THING, True),
        ([], [], False),
        ({}, {}, False),
        (JsMap(), JsMap(), False),
    ],
)
def test_values_are_one_as_in_javascript(one: object, other: object, is_same: bool) -> None:
    assert (identify(one) == identify(other)) is is_same
    assert JsSet([one, other]).size == (1 if is_same else 2)
    assert JsMap([[one, "a"], [other, "b"]]).size == (1 if is_same else 2)


def test_a_number_is_not_taken_for_an_object_with_that_id() -> None:
    kept = JsSet([THING])

    assert not kept.has(id(THING))


def test_the_first_key_stays_and_the_last_value_counts() -> None:
    values = JsMap([[1, "a"]])
    values.set(1.0, "b")

    assert list(values.items()) == [(1, "b")]


@pytest.mark.parametrize(("value", "kept"), [(-0.0, 0), (1.0, 1), (1.5, 1.5), (True, True), ("x", "x")])
def test_a_number_is_kept_as_javascript_shows_it(value: object, kept: object) -> None:
    assert repr(as_kept(value)) == repr(kept)


def test_a_set_with_a_number_and_its_truth_is_not_made_a_set_of_python() -> None:
    assert JsSet([1, False]).to_py() == {1, False}
    with pytest.raises(JsException, match="it contains both 0 and false as keys"):
        JsSet([0, False]).to_py()
    with pytest.raises(JsException, match="convert Map into Python since it contains both 1 and true as keys"):
        JsMap([[True, 1], [1, 2]]).to_py()


def test_what_is_not_there_is_a_key_error() -> None:
    values = JsMap([[1, "a"]])

    with pytest.raises(KeyError, match="True"):
        values[True]
    with pytest.raises(KeyError, match="True"):
        del values[True]
    assert values.delete(True) is False
