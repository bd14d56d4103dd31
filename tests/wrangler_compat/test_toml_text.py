"""On which lines TOML values stand, and what an error in TOML means."""

import json
from collections.abc import Iterator

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.schema.diagnostics import KeyPath
from wrangler_compat.syntax_error import DocumentSyntaxError
from wrangler_compat.toml_text import explain, scan

TEXT = '''\
name = "x" # comment with = and [
"a b".'c.d' = 1

[[list]]
x = 1
[list.inner]
deep = [1,
  { q = "]}", r = [[2]] },
]
[[list]]
x = 2

[env."p.q".vars]
S = """a
"b" \\"""
c"""
L = \'\'\'no \\\'\'\'
after = {}
'''


@pytest.mark.parametrize(
    ("where", "line"),
    [
        (("name",), 1),
        (("a b", "c.d"), 2),
        (("list",), 4),
        (("list", 0), 4),
        (("list", 0, "x"), 5),
        (("list", 0, "inner"), 6),
        (("list", 0, "inner", "deep"), 7),
        (("list", 0, "inner", "deep", 0), 7),
        (("list", 0, "inner", "deep", 1), 8),
        (("list", 0, "inner", "deep", 1, "q"), 8),
        (("list", 0, "inner", "deep", 1, "r", 0, 0), 8),
        (("list", 1), 10),
        (("list", 1, "x"), 11),
        (("env",), 13),
        (("env", "p.q", "vars"), 13),
        (("env", "p.q", "vars", "S"), 14),
        (("env", "p.q", "vars", "L"), 17),
        (("env", "p.q", "vars", "after"), 18),
    ],
)
def test_every_value_has_its_line(where: KeyPath, line: int) -> None:
    assert scan(TEXT).lines[where] == line


def _paths(value: object, where: KeyPath = ()) -> Iterator[KeyPath]:
    if where:
        yield where
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _paths(item, (*where, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _paths(item, (*where, index))


KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\x7f", exclude_categories=("Cc", "Cs")), min_size=1)
SCALARS = (
    st.integers(-10, 10).map(str)
    | st.booleans().map(lambda value: "true" if value else "false")
    | KEYS.map(lambda text: json.dumps(text, ensure_ascii=False))
    | st.just("1979-05-27T07:32:00Z")
    | st.just("'[x' # ]")
    | st.just('"""\n[not.a.table]\nx = 1\n"""')
)


def _safe(scalar: str) -> str:
    return scalar.split(" # ")[0]


VALUES = st.recursive(
    SCALARS.map(_safe),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[\n" + "".join(f"  {item}, # ]\n" for item in items) + "]")
        | st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), inner, max_size=2).map(
            lambda table: "{ # }\n" + "".join(f"{key} = {value}, # }}\n" for key, value in table.items()) + " }"
        )
    ),
    max_leaves=6,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.lists(st.dictionaries(KEYS, VALUES, max_size=2), max_size=3))
def test_whatever_tomli_reads_has_a_line(top: dict[str, str], tables: list[dict[str, str]]) -> None:
    lines = [f"{json.dumps(key, ensure_ascii=False)} = {value}" for key, value in top.items() if key != "many"]
    for table in tables:
        lines += ["[[many]]", *(f"{json.dumps(key, ensure_ascii=False)} = {value}" for key, value in table.items())]
    text = "\n".join(lines)

    assert set(_paths(tomli.loads(text))) <= set(scan(text).lines)


def _fault(text: str) -> DocumentSyntaxError:
    with pytest.raises(tomli.TOMLDecodeError) as refused:
        tomli.loads(text)
    return explain(text, refused.value.msg, refused.value.pos)


# The tutorial's file: the array is never closed. Source: split-token tutorial, "Create a Worker".
TUTORIAL = """\
name = "split-tokens-worker"
type = "webpack"
route = "example.com/*"
kv-namespaces = [
{ binding = "TOKENS", id = "5ad...0a7" }
"""


@pytest.mark.parametrize("rest", ["", "\n\n", "[vars]\nA = 1\n", "# end\n[env.production]\n", "workers_dev = true\n"])
def test_an_array_that_is_never_closed_is_named_with_the_line_where_the_bracket_belongs(rest: str) -> None:
    fault = _fault(TUTORIAL + rest)

    assert (fault.line, fault.column) == (4, 17)
    assert fault.text.splitlines() == [
        'The array "kv-namespaces" that begins on line 4 is never closed. Add a "]" after its last item (line 5).',
        'The name with a hyphen is from wrangler 1; wrangler reads "kv_namespaces" today.',
    ]
    assert fault.also == (5,)


def test_a_table_header_behind_a_comma_is_not_taken_for_an_item() -> None:
    fault = _fault("a = [\n1,\n2,\n[vars]\nx = 1\n")

    assert (fault.line, fault.also) == (1, (3,))


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("a = {b = 1\n", 1, 5, 'The inline table "a"'),
        ("a = 1\na = 2\n", 2, 1, 'The key "a" stands here for the second time'),
        ("[a]\nb = 1\n[a]\nc = 2\n", 3, 1, "The table [a] stands here for the second time"),
        ('a = "x\nb = 1\n', 1, 5, "has no closing quote"),
        ("a = \n", 1, 5, "a value is missing"),
        ("a = x y\n", 1, 5, "texts stand in quotes"),
        ("a 1\n", 1, 3, "Expected '=' after a key"),
        ("a = [1 2]\n", 1, 8, "Unclosed array"),
        ("a = 1\rb = 2\n", 1, 6, "A carriage return without a line feed"),
        ("a = 1\n# x\r", 2, 4, "A carriage return without a line feed"),
        ('a = """\nx\n\n', 1, 5, "has no closing quote"),
    ],
)
def test_an_error_says_what_is_wrong_at_its_place(text: str, line: int, column: int, says: str) -> None:
    fault = _fault(text)

    assert says in fault.text
    assert (fault.line, fault.column) == (line, column)


@pytest.mark.parametrize("opened", ["{a=", "[", "[{a="])
def test_an_error_before_deep_nesting_is_explained_too(opened: str) -> None:
    """tomli stops at the first error; the scanner looks for its reason in the whole text."""
    text = 'name = "\\@"\nx = ' + opened * 3000
    with pytest.raises(tomli.TOMLDecodeError) as raised:
        tomli.loads(text)

    assert explain(text, raised.value.msg, raised.value.pos).line == 1
