"""Words: one name for one thing, and plain English, as far as a machine can hold it."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Each is one source that is copied into deployable folders (`poe copies`).
COPIES = re.compile(r"scripts/(split_token|protected_api|oauth/src)/(verifier/|client_network\.py)")

VIEW = "two or three views of one standard type: the core's, the web platform's, the Python SDK's"
RUNTIME = "the name that Cloudflare's runtime looks for"
PUBLIC = "the public name for tests, and the core's own"
DEPLOYED = "a script is deployed alone, and shares no module with the edge"
ENGINES = "each engine of JavaScript has its own"
TWICE = {
    "Blob": VIEW,
    "Default": RUNTIME,
    "Edge": PUBLIC,
    "File": VIEW,
    "FormData": VIEW,
    "Headers": VIEW,
    "InvalidToken": DEPLOYED,
    "Invocation": ENGINES,
    "KeysUnavailable": DEPLOYED,
    "Request": VIEW,
    "Response": VIEW,
    "ScheduledController": RUNTIME,
    "URL": VIEW,
    "Worker": "its configuration, and what runs of it; both are imported by module where they meet",
}
NOT_PLAIN = re.compile(r"\b(nobody|somebody|whoever|whomever)\b|\bby whom it may be\b|\bof which there is none\b", re.I)

pytestmark = pytest.mark.checkout


def sources(*folders: str) -> dict[str, str]:
    files = (file for folder in folders for file in sorted((ROOT / folder).rglob("*.py")))
    named = {file.relative_to(ROOT).as_posix(): file for file in files if "__pycache__" not in file.parts}
    return {name: file.read_text("utf-8") for name, file in named.items() if COPIES.match(name) is None}


def test_a_class_name_stands_for_one_thing() -> None:
    places: dict[str, set[str]] = defaultdict(set)
    for name, source in sources("edgeworker", "wrangler_compat", "scripts").items():
        if name.startswith("scripts/templates/"):
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].add(name)
    twice = {name: sorted(files) for name, files in places.items() if len(files) > 1}

    assert {name: files for name, files in twice.items() if name not in TWICE} == {}, "give one of them another name"
    assert sorted(TWICE) == sorted(twice), "take what is no more off the list"


def test_english_is_plain() -> None:
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, source in sources("edgeworker", "wrangler_compat", "scripts").items()
        for number, line in enumerate(source.splitlines(), 1)
        if NOT_PLAIN.search(line)
    ]

    assert found == [], 'write "no one", "anyone who", "if ..." as one would say it'
