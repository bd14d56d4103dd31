"""What wrangler says about a configuration file, said by us: recorded with record_wrangler_config.mjs."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

import pytest

from edgeworker.schema.diagnostics import Diagnostics
from wrangler_compat import LoadOptions, load
from wrangler_compat.compatibility_flags import KNOWN_FLAGS
from wrangler_compat.document import parse_document
from wrangler_compat.environments import choose
from wrangler_compat.fields import FIELDS, LEGACY


class SyntaxRecord(TypedDict):
    text: str
    line: int
    column: int


class Case(TypedDict):
    name: str
    file: str
    text: str
    env: str | None
    warnings: list[str]
    error: str | SyntaxRecord | None


class SchemaKeys(TypedDict):
    top: list[str]
    environment: list[str]


class Command(TypedDict):
    name: str
    text: str
    lines: list[str]


class Recording(TypedDict):
    wrangler: str
    workerd: str
    fields: SchemaKeys
    flags: list[str]
    commands: list[Command]
    cases: list[Case]


RECORDING: Final[Recording] = json.loads(
    Path(__file__).with_name("cases").joinpath("wrangler_config.json").read_text("utf-8")
)
CASES: Final = RECORDING["cases"]

# Where we mean to say something else, and why.
DIFFERENT: Final[dict[str, str]] = {
    "a protocol that does not exist": "wrangler also complains about upstream_protocol, which the file does not have",
    "texts that are numbers": "wrangler's reader breaks on a tsconfig that is a number and says nothing else",
    "observability": "wrangler also complains about three keys that the file does not have",
}

_OURS: Final = (
    *(f'Deprecation: "{legacy.name}"' for legacy in LEGACY),
    "Multiple environments are defined",  # wrangler's commands say it, not its reader, which was recorded
)


_BUILD_ADVICE: Final = (
    "This might mean that your entry-point file needs to be generated (which is the general case when a framework is "
    "being used)."
)


@dataclass(frozen=True, slots=True)
class Said:
    warnings: Counter[str]
    errors: Counter[str]


def _lines(*texts: str) -> Counter[str]:
    """The lines of a message, however deep they stand and in whatever order: the order of fields is ours."""
    return Counter(line.strip() for text in texts for line in text.splitlines() if line.strip())


def _recorded(case: Case) -> Said:
    return Said(_lines(*case["warnings"]), _lines(case["error"] if isinstance(case["error"], str) else ""))


def _ours(case: Case) -> Said:
    diagnostics = Diagnostics(f"Processing {case['file']} configuration:")
    document = parse_document(case["text"], Path(case["file"]), case["file"], diagnostics)
    assert document is not None
    choose(document, case["env"], diagnostics)
    for part in (diagnostics, *diagnostics.children):
        part.messages = [message for message in part.messages if not message.text.startswith(_OURS)]
    return Said(
        _lines(diagnostics.render("warning", locations=False)), _lines(diagnostics.render("error", locations=False))
    )


def _is_syntax(case: Case) -> bool:
    return isinstance(case["error"], dict)


@pytest.mark.parametrize("case", [case for case in CASES if not _is_syntax(case)], ids=lambda case: case["name"])
def test_a_file_gets_the_messages_that_wrangler_has_for_it(case: Case) -> None:
    said, recorded = _ours(case), _recorded(case)

    if case["name"] in DIFFERENT:
        assert said != recorded, "no longer different: take it off the list"
    else:
        assert said.errors == recorded.errors
        assert said.warnings == recorded.warnings


@pytest.mark.parametrize("case", [case for case in CASES if _is_syntax(case)], ids=lambda case: case["name"])
def test_a_file_that_wrangler_cannot_read_cannot_be_read_here_and_the_line_is_told(case: Case) -> None:
    recorded = case["error"]
    assert isinstance(recorded, dict)
    diagnostics = Diagnostics()

    assert parse_document(case["text"], Path(case["file"]), case["file"], diagnostics) is None

    (message,) = diagnostics.messages
    (place,) = message.locations
    assert place.line is not None
    # wrangler names the line where it got lost; for an unclosed bracket we name the one where that was opened.
    assert place.line <= recorded["line"]
    assert f"{case['file']}:{place.line}:" in message.text


@pytest.mark.parametrize("command", RECORDING["commands"], ids=lambda command: command["name"])
def test_what_wranglers_commands_say_is_said_here(command: Command, tmp_path: Path) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(command["text"].replace(".mjs", ".py"))
    tmp_path.joinpath("w.py").touch()

    loaded = load(LoadOptions(tmp_path / "builtin.py", cwd=tmp_path, for_deployment=True))

    said = _lines(*(message.text for message in loaded.diagnostics.walk()))
    # The file of JavaScript stands for one of Python.
    expected = [line.replace(".mjs", ".py") for line in command["lines"]]
    advice = expected.index(_BUILD_ADVICE) if _BUILD_ADVICE in expected else len(expected)
    assert [line for line in expected[:advice] if line not in said] == []


def test_every_field_of_wranglers_schema_has_a_row_and_no_row_is_of_a_field_that_it_has_not() -> None:
    assert sorted(field.name for field in FIELDS) == RECORDING["fields"]["top"]
    assert (
        sorted(field.name for field in FIELDS if field.inheritance != "top level") == RECORDING["fields"]["environment"]
    )


def test_the_known_compatibility_flags_are_those_that_workerd_accepts() -> None:
    assert sorted(KNOWN_FLAGS) == RECORDING["flags"]
