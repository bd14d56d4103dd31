"""JSON with comments: its values, its lines and its errors."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrangler_compat.jsonc import parse_jsonc
from wrangler_compat.syntax_error import DocumentSyntaxError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON), st.sampled_from([None, 2]))
def test_every_json_object_is_read_as_json_reads_it(values: dict[str, object], indent: int | None) -> None:
    assert parse_jsonc(json.dumps(values, indent=indent))[0] == values


def test_comments_and_trailing_commas_are_allowed() -> None:
    text = '\ufeff// head\n{ /* a */ "a": [1, 2, /* b */ ], // "c": 3\n "b": {"x": "// no comment",},\n}\n/* end */'

    values, lines = parse_jsonc(text)

    assert values == {"a": [1, 2], "b": {"x": "// no comment"}}
    assert lines == {("a",): 2, ("a", 0): 2, ("a", 1): 2, ("b",): 3, ("b", "x"): 3}


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("", 1, 1, 'one object: "{" is expected'),
        ("[]", 1, 1, 'one object: "{" is expected'),
        ('{"a": 1} 2', 1, 10, "Nothing may follow"),
        ('{"a": 1\n "b": 2}', 2, 2, '"," or "}" is expected here, not """'),
        ('{"a": [1 2]}', 1, 10, '"," or "]" is expected here'),
        ('{"a" 1}', 1, 6, '":" is expected after "a"'),
        ("{a: 1}", 1, 2, "A name in double quotes is expected here"),
        ('{"a": }', 1, 7, "A value is expected here"),
        ('{"a": nope}', 1, 7, "A value is expected here"),
        ('{"a": 01}', 1, 8, '"," or "}" is expected here'),
        ('{"a": ١}', 1, 7, "A value is expected here"),
        ('{"a": 1٢}', 1, 8, '"," or "}" is expected here'),
        ('{"a": 1.٢}', 1, 8, '"," or "}" is expected here'),
        ('{"a": 1e999}', 1, 7, "A number is too large"),
        ('{"a": "\\ud800"}', 1, 7, "Half of a surrogate pair"),
        ('{"a": NaN}', 1, 7, "A value is expected here"),
        ('{"a": "x}', 1, 7, "Unterminated string"),
        ('{"a": "\\q"}', 1, 8, "Invalid \\escape"),
        ('{"a": 1, /* b', 1, 10, 'no "*/"'),
        ('{"a": 1,\n "a": 2}', 2, 2, 'The name "a" stands twice in the same object'),
        ('{"a": 1,,}', 1, 9, "A name in double quotes is expected here"),
        ('{"a": 1', 1, 8, "but the file ends"),
        ('{"a":' + "[" * 200, 1, 106, "Nested deeper than 100 levels"),
    ],
)
def test_an_error_says_what_is_expected_and_where(text: str, line: int, column: int, says: str) -> None:
    with pytest.raises(DocumentSyntaxError) as caught:
        parse_jsonc(text)

    assert says in caught.value.text
    assert (caught.value.line, caught.value.column) == (line, column)
