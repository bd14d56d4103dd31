"""TypeScript and JSX without a bundler."""

from pathlib import Path

import pytest

from edgeworker.errors import ScriptError
from edgeworker.javascript.build import Build
from edgeworker.javascript.unbundled import collect

pytest.importorskip("quickjs", reason="quickjs-bindings has wheels for CPython 3.11 and 3.13")
from edgeworker.runtime.quickjs.typescript import TypeStripper  # imports quickjs


def test_types_go_and_the_lines_stay() -> None:
    source = "interface A {\n  b: string\n}\nenum C { D = 3 }\nexport const e = <T,>(f: T): T => f satisfies T\n"

    stripped = TypeStripper()(source, Path("a.ts"))

    assert stripped.count("\n") == source.count("\n")
    assert "interface" not in stripped
    assert "export const e = (f) => f" in stripped.splitlines()[4]


def test_one_stripper_takes_many_files_and_jsx() -> None:
    strip = TypeStripper()

    assert strip("let a: number = 1", Path("a.ts")) == "let a = 1"
    assert "React.createElement" in strip("export const a = <b>{1 as any}</b>", Path("a.tsx"))
    assert "React.createElement" in strip("export const a = <b/>", Path("a.jsx"))


def test_what_it_does_not_parse_is_told_with_its_place_and_the_way_out() -> None:
    with pytest.raises(ScriptError, match=r"src/a\.ts:2:\d+: .*npm install --save-dev esbuild"):
        TypeStripper()("let a = 1\nlet b: = 2", Path("src/a.ts"))


def test_a_project_of_typescript_files_needs_no_bundler(tmp_path: Path) -> None:
    (tmp_path / "index.ts").write_text("import { a } from './b'\nexport default { fetch: (): Response => a() }\n")
    (tmp_path / "b.ts").write_text("export const a = (): Response => new Response('b')\n")

    project = collect(tmp_path / "index.ts", Build(tmp_path), TypeStripper())

    assert [module.name for module in project.modules] == ["index.ts", "b.ts"]
    assert b": Response" not in project.modules[0].content


def test_a_file_that_takes_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    strip = TypeStripper()
    strip("let a = 1", Path("a.ts"))
    monkeypatch.setattr("edgeworker.runtime.quickjs.typescript._SECONDS", 0.0)

    with pytest.raises(ScriptError, match=r"slow\.ts: its types cannot be removed here; "):
        strip("let a = 1\n" * 10_000, Path("slow.ts"))
