"""Bundling with the esbuild that a project has."""

import os
from pathlib import Path

import pytest

from edgeworker.errors import ScriptError
from edgeworker.javascript.build import Build
from edgeworker.javascript.esbuild import Esbuild, bundle, find_esbuild
from tests.javascript.test_unbundled import write
from tests.npm_tools import node_tools

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def esbuild() -> Esbuild:
    found = find_esbuild(node_tools())
    assert found is not None, "wrangler brings esbuild"
    return found


def test_a_project_becomes_one_module_and_what_it_carries(tmp_path: Path, esbuild: Esbuild) -> None:
    write(
        tmp_path,
        {
            "src/index.ts": (
                'import page from "./page.html"\nimport { b } from "./b"\nimport crypto from "crypto"\n'
                'import { env } from "cloudflare:workers"\n'
                "export default { fetch(): Response { return new Response(page + b(2) + crypto + env) } }\n"
            ),
            "src/b.ts": "export function b(n: number): string {\n  return String(n)\n}\n",
            "src/page.html": "<p>",
        },
    )

    project = bundle(tmp_path / "src/index.ts", Build(tmp_path), esbuild)

    assert project.main == "index.js"
    assert [module.kind for module in project.modules] == ["esm", "text"]
    assert project.modules[1].content == b"<p>"
    assert f'from "./{project.modules[1].name}"' in project.modules[0].content.decode()
    assert not project.is_service_worker
    assert {file.name for file in project.files} == {"index.ts", "b.ts", "page.html"}
    code = project.modules[0].content.decode().splitlines()
    line = next(number for number, text in enumerate(code, 1) if "String(n)" in text)
    position = project.source_maps["index.js"].find(line, 3)
    assert position is not None
    assert position.source == "src/b.ts"
    assert position.line == 2


def test_a_package_in_commonjs_finds_modules_of_node(tmp_path: Path, esbuild: Esbuild) -> None:
    write(
        tmp_path,
        {
            "worker.js": 'import old from "old"\naddEventListener("fetch", old)',
            "node_modules/old/index.js": 'const crypto = require("crypto")\nmodule.exports = () => crypto',
        },
    )

    project = bundle(tmp_path / "worker.js", Build(tmp_path), esbuild)

    assert project.is_service_worker
    assert "getBuiltinModule" in project.modules[0].content.decode().splitlines()[0]


def test_define_alias_and_rules_are_esbuilds(tmp_path: Path, esbuild: Esbuild) -> None:
    write(
        tmp_path,
        {
            "worker.js": 'import x from "short"\nexport default { fetch() { return new Response(VERSION + x) } }',
            "long.js": "export default 'from long'",
        },
    )
    build = Build(tmp_path, define={"VERSION": '"v7"'}, alias={"short": "./long.js"})

    code = bundle(tmp_path / "worker.js", build, esbuild).modules[0].content.decode()

    assert '"v7"' in code
    assert "from long" in code


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("\nlet y: = 3", 'Unexpected "="\n\n    worker.ts:2:7:\n      2 │ let y: = 3\n        ╵        ^'),
        ('import { z } from "zod"\nexport default z', 'Could not resolve "zod"\n\n    worker.ts:1:18:'),
    ],
)
def test_an_error_has_the_place_in_the_source(tmp_path: Path, esbuild: Esbuild, source: str, text: str) -> None:
    write(tmp_path, {"worker.ts": source})

    with pytest.raises(ScriptError) as told:
        bundle(tmp_path / "worker.ts", Build(tmp_path), esbuild)

    assert str(told.value).startswith(text)


def test_an_esbuild_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    program = tmp_path / "node_modules/esbuild/bin/esbuild"
    write(tmp_path, {"node_modules/esbuild/bin/esbuild": "#!/nonexistent/node\n", "worker.js": ""})
    program.chmod(0o755)
    found = find_esbuild(tmp_path)
    assert found is not None
    assert found.program == program

    with pytest.raises(ScriptError, match=r"cannot be run: No such file or directory") as told:
        bundle(tmp_path / "worker.js", Build(tmp_path), found)
    assert str(told.value).endswith("; install the project's packages again on this machine (npm ci)")


def test_an_esbuild_that_does_not_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"node_modules/esbuild/bin/esbuild": "#!/bin/sh\nsleep 60\n", "worker.js": ""})
    (tmp_path / "node_modules/esbuild/bin/esbuild").chmod(0o755)
    found = find_esbuild(tmp_path)
    assert found is not None
    monkeypatch.setattr("edgeworker.javascript.esbuild._TIMEOUT_SECONDS", 0.2)

    with pytest.raises(ScriptError, match=r" did not finish within 0 s; see what it waits for"):
        bundle(tmp_path / "worker.js", Build(tmp_path), found)


def test_no_esbuild_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)

    assert find_esbuild(tmp_path) is None
