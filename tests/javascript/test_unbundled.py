"""A worker's own files as modules, where nothing bundles them."""

from pathlib import Path

import pytest

from edgeworker.errors import ScriptError
from edgeworker.javascript.build import Build, ModuleRule
from edgeworker.javascript.project import Module
from edgeworker.javascript.stack import map_place
from edgeworker.javascript.unbundled import collect


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def strip(source: str, file: Path) -> str:
    return source.replace(": number", "")


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ('{"version": 3, "sources": ["../src/shop.ts"], "mappings": "AAAA;AACA"}', "src/shop.ts:2:1"),
        ('{"version": 3, "sourceRoot": "../..", "sources": ["shop.ts"], "mappings": "AAAA;AACA"}', "../shop.ts:2:1"),
        ('{"version": 2}', "index.js:2:1"),
        ("not JSON", "index.js:2:1"),
    ],
)
def test_the_source_map_beside_a_ready_bundle_says_where_its_lines_come_from(
    tmp_path: Path, written: str, place: str
) -> None:
    write(tmp_path, {"dist/index.js": "export default {\n};\n", "dist/index.js.map": written})

    project = collect(tmp_path / "dist/index.js", Build(tmp_path, no_bundle=True), strip)

    assert map_place("index.js", 2, 1, project) == place


def test_imports_are_followed_and_named_exactly(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "src/index.ts": (
                'import { a } from "./a"\nimport page from "../page.html"\nimport data from "./data.json"\n'
                "import { createHash } from \"crypto\"\nimport lib from './lib'\nexport default { fetch() {} }\n"
            ),
            "src/a.ts": 'import { b } from "./b.js"\nexport const a: number = b\n',
            "src/b.ts": 'import "./a"\nexport const b = 1\n',
            "src/lib/index.js": "export default 1\n",
            "src/data.json": "{}",
            "page.html": "<p>",
        },
    )

    project = collect(tmp_path / "src/index.ts", Build(tmp_path, base_dir=tmp_path), strip)

    assert project.main == "src/index.ts"
    assert not project.is_service_worker
    assert {module.name: module.kind for module in project.modules} == {
        "src/index.ts": "esm",
        "src/a.ts": "esm",
        "src/b.ts": "esm",
        "src/lib/index.js": "esm",
        "src/data.json": "json",
        "page.html": "text",
    }
    main = project.modules[0].content.decode()
    assert 'from "./a.ts"' in main
    assert 'from "../page.html"' in main
    assert "from './lib/index.js'" in main
    assert 'from "crypto"' in main
    assert Module("src/a.ts", "esm", b'import { b } from "./b.ts"\nexport const a = b\n') in project.modules
    assert len(project.files) == 6


def test_a_script_without_imports_and_exports_is_a_classic_service_worker(tmp_path: Path) -> None:
    write(tmp_path, {"worker.js": "addEventListener('fetch', e => e.respondWith(new Response('x')))"})

    project = collect(tmp_path / "worker.js", Build(tmp_path), None)

    assert project.is_service_worker
    assert [module.kind for module in project.modules] == ["script"]


def test_a_file_outside_of_the_base_keeps_its_name(tmp_path: Path) -> None:
    write(tmp_path, {"src/index.js": 'import "../../shared/a.js"\nexport default {}', "../shared/a.js": ""})

    project = collect(tmp_path / "src/index.js", Build(tmp_path), None)

    names = [module.name for module in project.modules]
    assert names[0] == "index.js"
    assert names[1].startswith("_/")
    assert names[1].endswith("shared/a.js")
    assert f'import "./{names[1]}"' in project.modules[0].content.decode()


def test_no_bundle_leaves_the_texts_and_brings_what_the_rules_name(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "dist/index.js": 'import { a } from "./chunk.mjs"\nexport default { fetch() {} }',
            "dist/chunk.mjs": "export const a = 1",
            "dist/node_modules/x/index.mjs": "",
            "dist/page.html": "<p>",
        },
    )
    build = Build(tmp_path, no_bundle=True, find_additional_modules=True, rules=(ModuleRule("esm", ("**/*.mjs",)),))

    project = collect(tmp_path / "dist/index.js", build, None)

    assert {module.name: module.kind for module in project.modules} == {
        "index.js": "esm",
        "chunk.mjs": "esm",
        "page.html": "text",
    }


@pytest.mark.parametrize(
    ("files", "text"),
    [
        (
            {"src/index.js": '\nimport "./nope"'},
            'src/index.js:2: the import "./nope" matches no file; correct its path',
        ),
        (
            {"src/index.js": 'import { Hono } from "hono"'},
            'src/index.js:1: "hono" is a package, and there is no esbuild to bundle it: run "npm install --save-dev '
            'esbuild" in the project, or let "main" be a ready bundle',
        ),
        (
            {"src/index.js": 'import "./a.ts"', "src/a.ts": ""},
            "src/a.ts: TypeScript and JSX need esbuild or the embedded JavaScript engine: run "
            '"npm install --save-dev esbuild" in the project, or install edgeworker[javascript], on Python 3.11 or '
            "3.13",
        ),
    ],
)
def test_what_cannot_be_collected_is_told_with_its_line(tmp_path: Path, files: dict[str, str], text: str) -> None:
    write(tmp_path, files)

    with pytest.raises(ScriptError) as told:
        collect(tmp_path / "src/index.js", Build(tmp_path), None)

    assert str(told.value) == text


def test_a_file_that_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "worker.js").write_bytes(b"//\n// \xff")

    with pytest.raises(ScriptError) as told:
        collect(tmp_path / "worker.js", Build(tmp_path), None)

    assert str(told.value) == "worker.js:2: the file is not UTF-8; save it as UTF-8"


def test_a_dynamic_import_of_what_is_not_there_is_left_to_run_time(tmp_path: Path) -> None:
    write(tmp_path, {"worker.js": 'export default { fetch() { return import("./later.js") } }'})

    assert len(collect(tmp_path / "worker.js", Build(tmp_path), None).modules) == 1


def test_more_files_than_a_worker_may_have_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"worker.js": 'import "./a.js"\nexport default {}', "a.js": "0" * 100})
    monkeypatch.setattr("edgeworker.javascript.unbundled.MAX_FILES", 1)
    with pytest.raises(ScriptError, match="modules; bundle it, and point main at the bundle"):
        collect(tmp_path / "worker.js", Build(tmp_path), None)

    monkeypatch.setattr("edgeworker.javascript.unbundled.MAX_FILES", 2)
    monkeypatch.setattr("edgeworker.javascript.unbundled.MAX_BYTES", 100)
    with pytest.raises(ScriptError, match="MiB; bundle it with minify = true"):
        collect(tmp_path / "worker.js", Build(tmp_path), None)
