"""Every text that a person reads when something is wrong is asserted by a test, or is listed here with a reason."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("edgeworker", "wrangler_compat")
ERRORS = {
    "ArgumentTypeError",
    "ConfigError",
    "KVError",
    "KVTypeError",
    "OriginError",
    "ScriptError",
    "SocketError",
    "StoreError",
}
pytestmark = pytest.mark.checkout

# Shorter parts of texts could stand anywhere.
LEAST_CHARACTERS = 9
PLACE = "only says where; what is wrong follows, in a text that is asserted where it is made"
VALUES = "the tests assert it with its values, of which the constant parts are too short to be found"
SYSTEM = "needs a network or an amount of data that no test has"
PENDING = "plain, and not asserted yet"
LISTED: dict[str, str] = {
    '"…" is not a key of ….': VALUES,
    '"…" should be a objects, but got ': VALUES,
    ": it is not text.": PENDING,
    ": … is not in there": PENDING,
    "--der is binary, which a terminal cannot show": PENDING,
    "--keys …: it did not come within": SYSTEM,
    "--keys …: it is not text; give a JWK set or PEM.": PENDING,
    "--keys …: the document is larger than": SYSTEM,
    'Expected "…" to be of type … but got ….': VALUES,
    "Only one of VALUE and TOKEN can come from standard input.": PENDING,
    "Part … of … of the token": PLACE,
    "Python entrypoint": VALUES,
    'The field "…" should be a string but got ….': VALUES,
    "The token has … characters": SYSTEM,
    "The token is empty": PENDING,
    "This line is not KEY=value. Write": VALUES,
    "You can write or delete a maximum of": VALUES,
    "a route is for": VALUES,
    "assigned to … bindings.": VALUES,
    "binding …: the worker has no assets": PENDING,
    "cannot be connected to": PLACE,
    "cannot be reached: no route to it": SYSTEM,
    "cannot listen on": PLACE,
    "has an origin for": VALUES,
    "has … already, and nothing is overwritten": PENDING,
    "has expired, at": VALUES,
    "is not JSON (": PLACE,
    "larger than … MiB; import it in parts": SYSTEM,
    'origin "…": has a path': VALUES,
    "the API token is empty": PENDING,
    "the answer broke off": SYSTEM,
    'the binding "…" means': VALUES,
    'the entry "…" is not a ': PLACE,
    "this line is not KEY=value; write": VALUES,
    "triggers.crons": PLACE,
    'worker "…": ': PLACE,
    "has no script: set its": VALUES,
    'zone "…": ': PLACE,
    "a quote here or above is not closed": PENDING,
    "the backup cannot be completed": SYSTEM,
    "is not a backup": PENDING,
    "bytes; a secret is shorter": SYSTEM,
    "did not finish within … s; see what it waits for": SYSTEM,
    "cannot be run: … (": SYSTEM,
    "The worker has more than … modules": SYSTEM,
    "The worker's modules are larger than": SYSTEM,
    "engine is not there": PENDING,
    "a kind of script that does not run here": VALUES,
    "is not a workerd that runs here": SYSTEM,
    "give the path of the program": PENDING,
    "does not run here: ": SYSTEM,
    "did not start within": SYSTEM,
    "cannot be started: ": SYSTEM,
    "workerd ended while a worker ran": SYSTEM,
    "has no entrypoint": VALUES,
    "process …, which serves": SYSTEM,
    "process … has not reloaded within": SYSTEM,
}


def _literals(node: ast.AST) -> Iterator[str]:
    """The constant parts of the texts in an expression, without those inside of {...}."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=values):
            for value in values:
                if isinstance(value, ast.Constant):
                    yield str(value.value)
        case ast.BinOp(left=left, right=right):
            yield from _literals(left)
            yield from _literals(right)
        case ast.IfExp(body=body, orelse=other):
            yield from _literals(body)
            yield from _literals(other)
        case _:
            pass


def _messages(file: Path) -> Iterator[tuple[int, list[str]]]:
    """(line, constant parts) of each error that is raised with a text of its own."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[first, *_]) if name in ERRORS:
                pass
            # Diagnostics of configuration files, and argparse's parser.
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="error"), args=[first, *_]) if (
                owner != "_log"
            ):
                pass
            case _:
                continue
        parts = list(_literals(first))
        if sum(map(len, parts)) >= LEAST_CHARACTERS:
            yield node.lineno, parts


@cache
def _said_in_tests() -> frozenset[str]:
    """All constant texts of the tests, a regular expression without its escapes."""
    said: set[str] = set()
    for file in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) >= LEAST_CHARACTERS:
                said.add(node.value)
                said.update(part for part in re.split(r"\.\*|\.\+", node.value.replace("\\", "")))
    return frozenset(text for text in said if len(text) >= LEAST_CHARACTERS)


def _recorded() -> Iterator[str]:
    """What the real wrangler says, which the conformance tests compare with ours to the letter."""
    pending: list[object] = [
        json.loads(file.read_text(encoding="utf-8")) for file in (ROOT / "tests/conformance/cases").glob("*.json")
    ]
    while pending:
        match pending.pop():
            case str(text):
                yield text
            case list(items):
                pending += items
            case dict(items):
                pending += items.values()
            case _:
                pass


def test_every_message_is_asserted_by_a_test_or_listed_with_a_reason() -> None:
    messages = {
        f"{file.relative_to(ROOT)}:{line}": parts
        for package in PACKAGES
        for file in sorted((ROOT / package).rglob("*.py"))
        for line, parts in _messages(file)
    }
    said = _said_in_tests() | {text for text in _recorded() if len(text) >= LEAST_CHARACTERS}
    everything = "\0".join("\0".join(parts) for parts in messages.values())
    parts_said = [text for text in said if text in everything]
    whole = "\0".join(said)

    unasserted = {
        place: "…".join(parts)
        for place, parts in messages.items()
        if not any(text in "\0".join(parts) for text in parts_said)
        and not any(part.strip() in whole for part in parts if len(part.strip()) >= 2 * LEAST_CHARACTERS)
    }

    unlisted = {place: text for place, text in unasserted.items() if not any(start in text for start in LISTED)}
    assert unlisted == {}, "assert these texts in a test, or list them in tests/test_messages.py with a reason"
