"""Stacks with the places of the sources."""

import json
from pathlib import Path

from edgeworker.javascript.project import Module, Project
from edgeworker.javascript.sourcemaps import SourceMap
from edgeworker.javascript.stack import map_stack, map_text

MAP = SourceMap.parse(json.dumps({"version": 3, "sources": ["src/a.ts"], "mappings": ";AAAA;AAEA,EAAE"}))
PROJECT = Project(Path("/p"), "a.js", (Module("a.js", "esm", b""),), False, {"a.js": MAP}, ())


def test_frames_are_those_of_the_sources() -> None:
    stack = "Error: x\n    at fetch (a.js:3:4)\n    at run (edgeworker-runtime.mjs:9:1)\n    at other (b.js:1:2)"

    assert map_stack(stack, PROJECT) == "Error: x\n    at fetch (src/a.ts:3:3)\n    at other (b.js:1:2)"


def test_a_place_in_words_is_that_of_the_source() -> None:
    assert map_text("SyntaxError: no\n  at a.js:2:1", PROJECT) == "SyntaxError: no\n  at src/a.ts:1:1"
