"""What Cloudflare's own engine accepts and refuses, and at which line and column.

The judge is octorules-wirefilter: Cloudflare's wirefilter engine with the fields and functions of its rules. Where it
is no judge:

* It lacks the map `http.request.jwt.claims` itself, which Cloudflare documents; the fields below it are there.
* Its `lookup_json_string` and `lookup_json_integer` take one key; Cloudflare documents several, and numbers.
* It takes an empty expression, and removes white space around one before it counts columns.
* It knows `hash_in_range`, which Cloudflare does not document; we do not.
* Within a regular expression it takes "(?u)" and more than 100 nested groups; we refuse both.
"""

import re
from typing import Final

import octorules_wirefilter
import pytest

from edgeworker.expressions import CUSTOM_RULES, TOKEN_VALIDATION_RULES, ExpressionError, parse
from tests.expressions.generating import Generator

_PLACE: Final = re.compile(r"Filter parsing error \((\d+):(\d+)\)")
_CLAIMS_THEMSELVES: Final = re.compile(r"http\.request\.jwt\.claims(?![.\w])")
_HOW_MANY: Final = 12_000

Place = tuple[int, int] | None


def _engine(expression: str) -> Place:
    error = octorules_wirefilter.parse_expression(expression).get("error")
    if error is None:
        return None
    place = _PLACE.match(error)
    assert place is not None, error
    return int(place[1]), int(place[2])


def _ours(expression: str) -> Place:
    try:
        parse(expression, TOKEN_VALIDATION_RULES)
    except ExpressionError as error:
        return error.line, error.column
    return None


def test_generated_expressions_are_accepted_and_refused_alike_and_at_the_same_column() -> None:
    generator = Generator(20261128)
    expressions = [
        text
        for text in (generator.expression().strip() for _ in range(_HOW_MANY))
        if text and not _CLAIMS_THEMSELVES.search(text)
    ]

    different = [(text, _engine(text), _ours(text)) for text in expressions if _engine(text) != _ours(text)]

    assert different == []
    accepted = sum(_ours(text) is None for text in expressions)
    assert len(expressions) > 10_000
    assert 3_000 < accepted < len(expressions) - 3_000, "the generator draws too much of one kind"


_HEADER: Final = 'http.request.headers["a"]'


@pytest.mark.parametrize(
    "expression",
    [
        # Section 8 of the reference that this is built after, and what the engine's own tests ask.
        'is_jwt_valid("a") or not is_jwt_present("a")',
        'is_jwt_valid("a") xor is_jwt_present("a")',
        'is_jwt_valid("a") ^^ is_jwt_present("a")',
        '!is_jwt_valid("a")',
        "is_jwt_valid(http.host)",
        'is_jwt_valid("a") == true',
        "true",
        'http.request.headers["authorization"][0]',
        'http.request.jwt.claims.aud["a"][0] eq "b"',
        'any(http.request.jwt.claims.aud["a"][*] eq "b")',
        'http.request.jwt.claims.exp.sec["a"][0] > 3',
        'len(http.request.headers["authorization"]) eq 1',
        'http.host in {"a" "b"}',
        'http.host strict wildcard "a"',
        'http.host strict  wildcard "a"',
        'http.host eq r#"a"#',
        # No word ends where the next begins.
        "notssl",
        "ssl orssl",
        'http.host eq"a"',
        'http.host in {"a""b"}',
        "http.host eqssl",
        # Numbers.
        "cf.waf.score eq 08",
        "cf.waf.score eq 0x",
        "cf.waf.score eq - 5",
        "cf.waf.score eq 9223372036854775808",
        "cf.waf.score in {5..3}",
        "cf.waf.score in {5 ..6}",
        "cf.waf.score eq ag",
        "cf.waf.score eq 1g",
        # Texts.
        'http.host eq "a',
        'http.host eq "a\\q"',
        'http.host eq "\\x4"',
        'http.host eq "\\400"',
        'http.host eq r"a',
        "http.host eq 61",
        "http.host eq 61-62",
        "http.host eq 61:62",
        "http.host eq é",
        'http.host eq "é" zz',
        'http.host in {"a" , "b"}',
        'http.host in {"a"',
        "http.host in $A",
        "http.host in $a.",
        "http.host in $",
        # Addresses.
        "ip.src in {10 1.2/16 01.2.3.4 ::1}",
        "ip.src in {1.2.3.4/8}",
        "ip.src in {1.2.3.4/33}",
        "ip.src in {1.2.3.4/}",
        "ip.src in {1.2.3.4/32/1}",
        "ip.src in {1.2.3.4/300}",
        "ip.src in {::1..1.1.1.1}",
        "ip.src eq 1.2",
        "ip.src eq abg",
        "ip.src in {256}",
        "ip.src eq 1.2.3.4/32",
        "ip.src eq 1:2:3:4:5:6:7::",
        "ip.src in {1.2.3.4..5}",
        # Indices.
        f'{_HEADER}[-1] eq "a"',
        f'{_HEADER}[x] eq "a"',
        f'{_HEADER}["a"] eq "a"',
        f"{_HEADER}[0",
        f'{_HEADER}[08] eq "a"',
        'http.request.headers["\\xff"][0] eq "a"',
        f'{_HEADER}[4294967296] eq "a"',
        'lower(http.host)[0] eq "a"',
        # Functions.
        "lower http.host",
        'lower("a") eq "a"',
        "len(http.host, 1) eq 2",
        "len() eq 1",
        "len(,) eq 1",
        "len(a1b) eq 3",
        'concat(1,"a") eq "a"',
        'concat(http.request.headers.names,"a")[0] eq "a"',
        "any()",
        "any(1)",
        "any(ssl)",
        "any",
        'any(http.request.headers.names[*] eq "a", ssl)',
        "any(http.request.headers.names[*] eq http.host)",
        'starts_with(http.request.headers.names[*],"a")',
        'substring(http.host,-1,0x10) eq "a"',
        "unknown(1)",
        'contains("a", http.request.headers.names[*])',
        'lookup_json_string(http.cookie) eq "b"',
        # Nesting.
        "(" * 128 + "ssl" + ")" * 128,
        "(" * 129 + "ssl" + ")" * 129,
        "not " * 129 + "ssl",
        "lower(" * 129 + "http.host" + ")" * 129 + ' eq "a"',
        # Patterns.
        'http.host matches "(a"',
        r'http.host matches r"(a"',
        'http.host matches "[\\"]"',
        'http.host matches "[a"',
        'http.host matches "a(?=b)"',
        'http.host matches "a{2,1}"',
        r'http.host matches r"\pL"',
        "http.host matches 61:62",
        'http.host wildcard "a**"',
        'http.host wildcard r"a\\b"',
        'http.host wildcard "' + "a*" * 11 + '"',
        "http.host wildcard 61:62",
        # Lines.
        "ssl\nand foo",
        "ssl and\n  http.host eq 1",
        "ssl\t and ssl",
        "ssl\r\nand\r\nssl",
    ],
)
def test_these_expressions_are_read_as_the_engine_reads_them(expression: str) -> None:
    assert _ours(expression) == _engine(expression)


def test_patterns_are_accepted_and_refused_alike() -> None:
    pieces = [
        "a",
        "b",
        "0",
        "_",
        ".",
        "^",
        "$",
        "*",
        "+",
        "?",
        "(",
        ")",
        "|",
        "[",
        "]",
        "{",
        "}",
        "\\",
        "d",
        "w",
        "b",
        "B",
        "n",
        ",",
        "1",
        "-",
        "&&",
        "--",
        "(?i)",
        "(?:",
        "(?P<n>",
        "[[:alpha:]]",
        "[^",
        "\\x41",
        "\\x{41}",
        "\\b{start}",
        "é",
        " ",
    ]
    generator = Generator(7)
    patterns = generator.sequences(pieces, count=4_000, longest=8)

    different = [
        pattern
        for pattern in patterns
        if (_engine(f'http.host matches r###"{pattern}"###') is None)
        != (_ours(f'http.host matches r###"{pattern}"###') is None)
    ]

    assert different == []


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ('lookup_json_string(http.request.jwt.claims["a"][0], "user", 0, "name") eq "x"', "the engine lacks the map"),
        ('http.request.jwt.claims["a"][0] contains "x"', "the engine lacks the map"),
        ('lookup_json_integer(http.cookie, "a", 1) eq 3', "the engine takes one key"),
    ],
)
def test_what_the_engine_lacks_and_cloudflare_documents_is_accepted(expression: str, why: str) -> None:
    assert _ours(expression) is None, why
    assert _engine(expression) is not None, "the judge has learnt it: compare it too"


def test_the_two_functions_about_tokens_are_unknown_in_custom_rules() -> None:
    with pytest.raises(ExpressionError, match="unknown identifier") as raised:
        parse('ssl and is_jwt_valid("a")', CUSTOM_RULES)

    assert raised.value.column == 9
