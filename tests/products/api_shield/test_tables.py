"""[zones.api_shield] of edge.toml."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edgeworker.products.api_shield.tables import ShieldTable
from edgeworker.schema.diagnostics import Diagnostics
from edgeworker.schema.table_reader import TableReader
from edgeworker.schema.wrangler_checks import FieldContext
from tests.products.api_shield.minting import signing_key
from tests.wrangler_compat.project import document

WHOLE = """\
[api_shield]
operations = ["GET api.example.com/users/{id}", "POST api.example.com/login"]
challenge = true

[[api_shield.token_configurations]]
id = "auth0"
jwks_file = "keys.json"
token_sources = ['http.request.headers["authorization"][0]', 'http.request.cookies["t"][0]']

[[api_shield.token_configurations]]
id = "mine"
require_exp = true
keys = [{ kty = "oct", kid = "h", alg = "HS256", k = "c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3M" }]

[[api_shield.rules]]
title = "Both"
token_configurations = ["auth0", "mine"]
missing_token = "ignore"
validate = "any"
pass_preflight = true
exclude = ["POST api.example.com/login"]

[[api_shield.rules]]
title = "Mine"
action = "log"
expression = 'is_jwt_valid("mine")'
hosts = ["API.example.com"]
enabled = false

[[api_shield.custom_rules]]
description = "admins only"
expression = 'starts_with(http.request.uri.path, "/admin") and not http.request.jwt.claims.sub["mine"][0] eq "root"'

[[api_shield.header_transforms]]
header = "X-User"
value = 'http.request.jwt.claims.sub["mine"][0]'

[[api_shield.rate_limits]]
requests = 10
period = "1m"
characteristics = ['http.request.jwt.claims.sub["mine"][0]']
"""


def read(folder: Path, text: str) -> tuple[ShieldTable | None, list[str], list[str]]:
    """(the table, errors, warnings)"""
    (folder / "keys.json").write_text(json.dumps({"keys": [signing_key("RS256").jwk()]}))
    (folder / "broken.json").write_text("{")
    (folder / "other.json").write_text("[1]")
    diagnostics = Diagnostics()
    file = document(text, "edge.toml")
    context = FieldContext(file, diagnostics, ("api_shield",), "api_shield")
    made = TableReader(folder, "edge.toml").read(ShieldTable, context, file.values["api_shield"])
    errors, warnings = (
        [f"{one.text} [{one.locations[0].line}]" for one in diagnostics.of(kind)] for kind in ("error", "warning")
    )
    return made, errors, warnings


def test_a_table_becomes_a_configuration(tmp_path: Path) -> None:
    table, errors, _ = read(tmp_path, WHOLE)

    assert errors == []
    assert table is not None
    shield = table.shield
    assert shield is not None
    assert [operation.endpoint for operation in shield.operations] == ["/users/{var1}", "/login"]
    assert [(one.id, [key.kid for key in one.keys.keys]) for one in shield.configurations] == [
        ("auth0", ["k1"]),
        ("mine", ["h"]),
    ]
    first, second = shield.rules
    assert first.expression == (
        'is_jwt_valid("auth0") or not is_jwt_present("auth0")'.join("()")
        + ' or (is_jwt_valid("mine") or not is_jwt_present("mine")) or http.request.method eq "OPTIONS"'
    )
    assert first.excluded_operations == (shield.operations[1].id,)
    assert (second.action, second.enabled, second.include_hosts) == ("log", False, ("api.example.com",))
    assert first.source.startswith("edge.toml:15")
    assert [rule.description for rule in shield.custom_rules] == ["admins only"]
    assert [one.header for one in shield.header_transforms] == ["X-User"]
    assert [(one.requests, one.period_seconds) for one in shield.rate_limits] == [(10, 60)]
    assert shield.challenge
    assert "c3Nz" not in repr(table)


def test_an_empty_table_switches_it_on(tmp_path: Path) -> None:
    table, errors, warnings = read(tmp_path, "[api_shield]\n")

    assert table is not None
    assert table.shield is not None
    assert (errors, warnings) == ([], [])


def test_ids_stay_the_same(tmp_path: Path) -> None:
    first, second = read(tmp_path, WHOLE)[0], read(tmp_path, WHOLE)[0]

    assert first is not None
    assert second is not None
    assert first.shield is not None
    assert second.shield is not None
    assert [rule.id for rule in first.shield.rules] == [rule.id for rule in second.shield.rules]


_CONFIGURATION = '[[api_shield.token_configurations]]\nid = "a"\n'
_SOUND = _CONFIGURATION + 'jwks_file = "keys.json"\n'
_RULE = '[[api_shield.rules]]\ntitle = "t"\n'


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ('operations = ["users"]', '"users" is not an operation; write it as "GET api.example.com/users/{id}". [2]'),
        ('operations = ["get a.test/x"]', '"get" is not a method; use one of GET'),
        ('operations = ["GET a.test/{x}", "GET a.test/{y}"]', 'The operation "GET a.test/{y}" stands there twice. [2]'),
        (_CONFIGURATION, 'The token configuration "a" needs either jwks_file or keys'),
        (_SOUND + "keys = []", "needs either jwks_file or keys"),
        (_CONFIGURATION + 'jwks_file = "none.json"', "none.json cannot be read as a key set"),
        (_CONFIGURATION + 'jwks_file = "broken.json"', "broken.json cannot be read as a key set"),
        (_CONFIGURATION + 'jwks_file = "other.json"', "other.json is not a key set"),
        (_CONFIGURATION + 'keys = [{ kty = "oct" }]', "no key is left"),
        (_CONFIGURATION + "keys = [1]", '"api_shield.token_configurations[0].keys" must be an array of JSON Web Keys'),
        (_SOUND + 'token_sources = ["x"]', '"x" is not a token source'),
        (_SOUND + 'token_sources = ["x", "x", "x", "x", "x"]', "token_sources has 5 items; it takes 1 to 4"),
        (_SOUND + f'title = "{"x" * 51}"', "The title has 51 characters; at most 50"),
        (_SOUND + _SOUND, 'There are two token configurations "a". [5]'),
        (_RULE, 'The rule "t" needs either expression or token_configurations. [2]'),
        (_RULE + "expression = 'ssl and'", "expected identifier character (line 1, column 8). [4]"),
        (_RULE + "expression = 'is_jwt_valid(\"b\")'", 'there is no token configuration "b"; there are: none'),
        (_RULE + 'token_configurations = ["b"]', 'there is no token configuration "b"'),
        (_RULE + 'expression = "ssl"\nexclude = ["GET a.test/x"]', '"GET a.test/x" is not one of the operations. [5]'),
        (_RULE + 'expression = "ssl"\naction = "challenge"', 'must be "log" or "block"'),
        (_RULE + 'expression = "ssl"\n' + _RULE + 'expression = "ssl"', 'There are two rules "t". [5]'),
        (
            "[[api_shield.custom_rules]]\nexpression = 'is_jwt_valid(\"a\")'",
            "unknown identifier (line 1, column 1). [3]",
        ),
        ("[[api_shield.custom_rules]]\nexpression = 'cf.waf.score > 1'", 'the field "cf.waf.score" has no value here'),
        ('[[api_shield.header_transforms]]\nheader = "CF-X"\nvalue = "http.host"', "belongs to the edge or to HTTP"),
        (
            '[[api_shield.header_transforms]]\nheader = "X"\nvalue = "ssl"',
            "expected value of type Bytes or Int, but got Bool",
        ),
        ('[[api_shield.rate_limits]]\nrequests = 1\nperiod = "1m"\ncharacteristics = ["x"]', "unknown identifier"),
        ("unknown = 1", '"api_shield.unknown" is not a key of edge.toml'),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, lines: str, error: str) -> None:
    _, errors, _ = read(tmp_path, f"[api_shield]\n{lines}\n")

    assert any(error.lower() in one.lower() for one in errors), errors


def test_what_is_most_likely_not_meant_is_a_warning(tmp_path: Path) -> None:
    text = f"[api_shield]\noperations = ['GET a.test/x']\n{_SOUND}{_RULE}expression = 'is_jwt_present(\"a\")'\n"

    _, errors, warnings = read(tmp_path, text)

    assert errors == []
    assert [warning for warning in warnings if "lets invalid tokens pass" in warning and warning.endswith("[6]")]


def test_reading_a_file_without_the_table_loads_neither_cryptography_nor_the_language() -> None:
    program = (
        "import sys, wrangler_compat.api, wrangler_compat.product_tables\n"
        "print([name for name in ('cryptography', 'edgeworker.expressions') if name in sys.modules])"
    )

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert result.stdout == "[]\n"


def test_keys_of_a_file_were_imported_when_it_was_written_and_those_of_the_configuration_have_no_date(
    tmp_path: Path,
) -> None:
    made, errors, _ = read(tmp_path, WHOLE)

    assert errors == []
    assert made is not None
    dates = {one.made.id: one.made.keys_imported_at for one in made.token_configurations if one.made is not None}
    assert dates == {"auth0": int((tmp_path / "keys.json").stat().st_mtime), "mine": 0}
