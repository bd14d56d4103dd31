"""What a file imports and exports, told without parsing it."""

import pytest

from edgeworker.javascript.syntax import read_syntax


@pytest.mark.parametrize(
    "source",
    [
        "export default { fetch() {} }",
        "const worker = {}\nexport { worker as default }",
        "const worker = {}; export{worker as default,other}",
        'export { default } from "./worker"',
        'export * as default from "./worker"',
        'export { w as "default" }',
        "export default class extends WorkerEntrypoint {}",
        "// export nothing\n/* export */ export default async () => 1",
        "var a = b / c; /x`/.test(y); export default a",
        "const s = `${`}`} export`; export default s",
        "if (a) /export default/.test(b)\nexport default a",
    ],
)
def test_a_default_export_is_found(source: str) -> None:
    syntax = read_syntax(source)

    assert syntax.has_default_export
    assert syntax.is_module


@pytest.mark.parametrize(
    ("source", "is_module"),
    [
        ("addEventListener('fetch', e => e.respondWith(r()))", False),
        # The OAuth tutorial's worker exports functions and is a service worker all the same.
        ("addEventListener('fetch', f)\nexport async function give(request) {}", True),
        ("import crypto from 'crypto'\naddEventListener('fetch', f)", True),
        ("const text = 'export default {}'", False),
        ("const text = `export default ${1} {}`", False),
        ("const pattern = /export default {}/", False),
        ("/* export default {} */", False),
        ("function f() { return { default: 1, export: 2 } }", False),
        ("module.exports = { fetch() {} }; exports.default = 1", False),
        ("loader.import('x'); loader.export", False),
        ("const m = import('./later.js')", False),
        ("console.log(import.meta.url)", True),
        ("export { worker as fallback, default as other } from './x'", True),
        ("export const defaults = 1", True),
        ("a = b\n/ export / default", False),
        ("export type { Env } from './env'", True),
    ],
)
def test_no_default_export_is_seen_where_none_is(source: str, is_module: bool) -> None:
    syntax = read_syntax(source)

    assert not syntax.has_default_export
    assert syntax.is_module is is_module


def test_imports_are_listed_with_their_lines() -> None:
    source = """import a from "./a.js"
import { b as c, default as d } from './b'
import * as e
  from "e"
import "./side"
import f, { g } from "f" with { type: "json" }
export * from "./h"
export { i } from "./i"
import type { Env } from "./types"
const j = await import("./j.js")
export const k = "from './nowhere'"
"""

    imports = read_syntax(source).imports

    assert [(found.specifier, found.line, found.is_dynamic) for found in imports] == [
        ("./a.js", 1, False),
        ("./b", 2, False),
        ("e", 3, False),
        ("./side", 5, False),
        ("f", 6, False),
        ("./h", 7, False),
        ("./i", 8, False),
        ("./j.js", 10, True),
    ]
    assert [source[found.start : found.end] for found in imports][:2] == ['"./a.js"', "'./b'"]


@pytest.mark.parametrize(
    "source", ["`${", "'", "/*", "/", "export", "import", "export {", "}}}", "import(", "\\", "#!x"]
)
def test_a_file_with_an_error_is_read_as_far_as_it_goes(source: str) -> None:
    read_syntax(source)
