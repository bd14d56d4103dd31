"""A dataclass says what is read from wrangler's configuration."""

from dataclasses import dataclass, field
from math import inf, nan
from pathlib import Path

import pytest

from edgeworker.schema.diagnostics import Diagnostics
from edgeworker.schema.wrangler_checks import FieldContext, string
from edgeworker.schema.wrangler_shape import (
    BOOLEAN,
    OBJECT,
    PATH,
    STRING,
    TEXT,
    TEXTS,
    TEXTS_BY_KEY,
    WHOLE,
    WranglerType,
    choice,
    key,
    member,
    members_of,
    read_table,
    read_tables,
    required,
    rows_of,
    setting,
    table_of,
)
from wrangler_compat.document import ConfigFile

FOLDER = Path("/project")


@dataclass(frozen=True, slots=True)
class Door:
    name: str = field(metadata=required(text="no name"))
    width: int = member(80, WHOLE)
    colour: str = member("white", choice("white", "red"))
    code: str | None = member(None, secret=True)


@dataclass(frozen=True, slots=True)
class House:
    root: Path
    doors: str = "not written"
    open: bool = setting(False, BOOLEAN, "inherited", "USE", "whether it is open")
    front: Door | None = setting(None, table_of(Door), "own", "MAP", name="front_door")
    labels: dict[str, str] = field(default_factory=dict, metadata=key(TEXTS_BY_KEY, "own", "USE", compare="vars"))


def test_the_checks_of_a_table_are_those_of_its_fields() -> None:
    assert [(one.name, one.kind, one.required) for one in members_of(Door)] == [
        ("name", "string", True),
        ("width", "number", False),
        ("colour", "string", False),
        ("code", "string", False),
    ]
    assert members_of(Door)[0].text == "no name"


def test_the_rows_of_a_worker_are_those_of_its_fields() -> None:
    assert [(row.name, row.inheritance, row.support, row.note, row.compare) for row in rows_of(House)] == [
        ("open", "inherited", "USE", "whether it is open", None),
        ("front_door", "own", "MAP", "", None),
        ("labels", "own", "USE", "", "vars"),
    ]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"name": "a"}, Door("a")),
        ({"name": "a", "width": 90, "colour": "red", "code": "1"}, Door("a", 90, "red", "1")),
        ({"name": "a", "width": 90.0}, Door("a", 90)),
        ({"name": "a", "width": 90.5, "colour": "green", "code": 7}, Door("a")),
        ({"name": "a", "width": True}, Door("a")),
        ({"name": 1}, None),
        ({}, None),
        (None, None),
    ],
)
def test_what_does_not_fit_reads_as_if_it_were_not_there(written: dict[str, object] | None, read: Door | None) -> None:
    assert read_table(Door, written, FOLDER) == read


def test_a_secret_is_not_in_the_text_of_its_table() -> None:
    assert "1234" not in repr(Door("a", code="1234"))


def test_fields_that_no_key_sets_are_given() -> None:
    written: dict[str, object] = {"open": True, "front_door": {"name": "a"}, "labels": {"a": "b", "c": 1}, "root": "x"}

    assert read_table(House, written, FOLDER, root=FOLDER) == House(
        FOLDER, open=True, front=Door("a"), labels={"a": "b"}
    )


def test_tables_of_an_array_keep_their_places() -> None:
    assert list(read_tables(Door, [{"name": "a"}, {}, "b", {"name": "c"}], FOLDER)) == [(0, Door("a")), (3, Door("c"))]


@pytest.mark.parametrize(
    ("type_", "written", "read"),
    [
        (STRING, "", ""),
        (TEXT, "", None),
        (TEXT, 1, None),
        (PATH, "a/../b", FOLDER / "b"),
        (PATH, "", None),
        (TEXTS, ["a", 1], ("a",)),
        (TEXTS, "a", None),
        (OBJECT, {"a": [1]}, {"a": [1]}),
        (OBJECT, ["a"], None),
        (WHOLE, inf, None),
        (WHOLE, nan, None),
        (WHOLE, "1", None),
        (choice("a"), "b", None),
    ],
)
def test_a_value_is_read_as_its_type_says(type_: WranglerType, written: object, read: object) -> None:
    assert type_.value(written, FOLDER) == read


@pytest.mark.parametrize(("value", "errors"), [("a", []), ("b", ["one of"]), (1, ["of type string"])])
def test_a_check_of_a_key_runs_on_values_of_its_kind(value: object, errors: list[str]) -> None:
    diagnostics = Diagnostics()
    context = FieldContext(ConfigFile(FOLDER / "wrangler.toml", "wrangler.toml", {}, {}), diagnostics, ("x",), "x")

    choice("a").whole_check()(context, value)

    found = [message.text for message in diagnostics.of("error")]
    assert len(found) == len(errors)
    assert all(error in text for error, text in zip(errors, found, strict=True))


def test_a_type_without_a_kind_has_its_check_alone() -> None:
    assert WranglerType(None, string).whole_check() is string
