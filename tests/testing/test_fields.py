"""JSON objects read member by member."""

import pytest

from edgeworker.config import JSON
from edgeworker.testing.content import MISSING
from edgeworker.testing.fields import BadControlRequest, Fields


def test_members_are_read_with_their_kinds() -> None:
    fields = Fields({"t": "x", "n": 1.5, "i": 2, "f": True, "o": {"a": "b"}, "v": None})

    assert (fields.text("t"), fields.number("n"), fields.integer("i"), fields.flag("f")) == ("x", 1.5, 2, True)
    assert (fields.object("o"), fields.texts("o"), fields.value("v")) == ({"a": "b"}, {"a": "b"}, None)
    fields.finish()


def test_absent_members_are_absent() -> None:
    fields = Fields({})

    assert (fields.text("t"), fields.number("n"), fields.integer("i"), fields.flag("f")) == (None, None, None, False)
    assert (fields.object("o"), fields.texts("o"), fields.value("v")) == (None, None, MISSING)


@pytest.mark.parametrize(
    ("method", "value", "text"),
    [
        ("text", 1, '"x" must be text, not a number'),
        ("number", "1", '"x" must be a number, not text'),
        ("number", True, '"x" must be a number, not true or false'),
        ("integer", 1.5, '"x" must be a whole number, not a number'),
        ("flag", "yes", '"x" must be true or false, not text'),
        ("object", [], '"x" must be an object, not a list'),
        ("texts", {"a": 1}, '"x.a" must be text, not a number'),
    ],
)
def test_a_wrong_kind_is_named(method: str, value: JSON, text: str) -> None:
    with pytest.raises(BadControlRequest) as raised:
        getattr(Fields({"x": value}), method)("x")

    assert str(raised.value) == text


def test_an_unknown_member_is_refused() -> None:
    fields = Fields({"patern": "/x"})
    fields.text("pattern")

    with pytest.raises(BadControlRequest, match="unknown: patern; there are: pattern"):
        fields.finish()


@pytest.mark.parametrize(("content", "kind"), [(None, "null"), ([], "a list"), ("x", "text"), ({}, None)])
def test_only_an_object_has_members(content: JSON, kind: str | None) -> None:
    if kind is None:
        Fields(content).finish()
        return
    with pytest.raises(BadControlRequest, match=f"a JSON object is needed, not {kind}"):
        Fields(content)
