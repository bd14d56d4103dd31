"""The checks behind the rows of fields. Their texts are compared with wrangler's in tests/conformance."""

from datetime import date

import pytest

from edgeworker.schema.diagnostics import Diagnostics
from edgeworker.schema.wrangler_checks import (
    MISSING,
    Check,
    FieldContext,
    Member,
    bindings,
    boolean,
    compatibility_date,
    listed,
    number,
    one_of,
    string,
    string_list,
    string_or_strings,
    strings,
    table,
    to_json_text,
    type_of,
    without_passwords,
    worker_name,
)
from tests.wrangler_compat.project import document


def said(check: Check, value: object) -> list[str]:
    diagnostics = Diagnostics()
    check(FieldContext(document("x = 1\n[x_table]\n"), diagnostics, ("x",), "x"), value)
    return [message.text for message in diagnostics.messages]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\u00e9\n", '"a\u00e9\\n"'),
        (1.0, "1"),
        (1.5, "1.5"),
        (float("nan"), "null"),
        (True, "true"),
        (None, "null"),
        (MISSING, "undefined"),
        ([1, {"a": "b"}], '[1,{"a":"b"}]'),
        (date(2025, 12, 19), '"2025-12-19"'),
    ],
)
def test_a_value_is_shown_as_javascript_shows_it(value: object, text: str) -> None:
    assert to_json_text(value) == text


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "boolean"), (1, "number"), (1.5, "number"), ("", "string"), ([], "object"), (None, "object"),
        (MISSING, "undefined"),
    ],
)  # fmt: skip
def test_types_are_those_of_javascript(value: object, kind: str) -> None:
    assert type_of(value) == kind


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (string, "a"),
        (boolean, False),
        (number, 1.5),
        (worker_name, "my-worker_2"),
        (worker_name, ""),
        (one_of("a", "b"), "b"),
        (string_list, []),
        (strings, ["a"]),
        (string_or_strings, "a"),
        (string_or_strings, ["a"]),
        (compatibility_date, "2024-02-29"),
        (table(Member("a")), {"a": "x"}),
        (table(other_keys=True), {"zz": 1}),
        (bindings(Member("binding", required=True)), [{"binding": "A"}]),
        (listed(Member("name", required=True)), {"bindings": [{"name": "A"}]}),
    ],
)
def test_what_is_right_is_not_talked_about(check: Check, value: object) -> None:
    assert said(check, value) == []


@pytest.mark.parametrize(
    ("check", "value", "texts"),
    [
        (string, 1, ['Expected "x" to be of type string but got 1.']),
        (boolean, 0, ['Expected "x" to be of type boolean but got 0.']),
        (number, True, ['Expected "x" to be of type number but got true.']),
        (string_list, ["a", 1], ['Expected "x" to be of type string array but got ["a",1].']),
        (strings, "a", ['Expected "x" to be an array of strings but got "a"']),
        (strings, [1], ['Expected "x.[0]" to be of type string but got 1.']),
        (string_or_strings, 5, ['Expected "x" to be of type string but got 5.']),
        (compatibility_date, "20240101",
         ['"x" field should be a valid ISO-8601 date (YYYY-MM-DD), but got "20240101".']),
        (table(Member("a", required=True)), {"b": 1},
         ['"x.a" is a required field.', 'Unexpected fields found in x field: "b"']),
        (table(), 5, ['The field "x" should be an object but got 5.']),
        (bindings(), 5, ['The field "x" should be an array but got 5.']),
        (bindings(), [5], ['"x" bindings should be objects, but got 5']),
        (listed(), 5, ['The field "x" should be an object but got 5.']),
        (listed(), {}, ['The field "x" is missing the required "bindings" property.']),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(check: Check, value: object, texts: list[str]) -> None:
    assert said(check, value) == texts


def test_a_binding_is_looked_at_closely_only_if_all_its_types_are_right() -> None:
    def refuse(context: FieldContext, value: object) -> None:
        context.error(f"no {value}")

    check = bindings(Member("binding", required=True), Member("bucket", check=refuse))

    assert said(check, [{"binding": "A", "bucket": "b"}]) == ["no b"]
    assert said(check, [{"bucket": "b"}]) == [
        '"x[0]" bindings should have a string "binding" field but got {"bucket":"b"}.'
    ]


def test_a_message_knows_the_line_of_the_key_that_it_is_about() -> None:
    diagnostics = Diagnostics()
    read = document('[dev]\nip = "a"\nport = "80"\n')

    table(Member("ip"), Member("port", "number"))(FieldContext(read, diagnostics, ("dev",), "dev"), read.values["dev"])

    (message,) = diagnostics.messages
    assert [str(location) for location in message.locations] == ["wrangler.toml:3 (dev.port)"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('"https://user:pass@host/x"', '"https://***@host/x"'),
        ('"https://user:p/a@s#s@host"', '"https://***@host"'),
        ("see https://a.example and mail me@a.example", "see https://a.example and mail me@a.example"),
        ('["https://u:p@a", "https://u:p@b"]', '["https://***@a", "https://***@b"]'),
    ],
)
def test_a_message_quotes_urls_without_their_passwords(text: str, shown: str) -> None:
    assert without_passwords(text) == shown
