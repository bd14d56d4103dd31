"""What a person reads whose script cannot be loaded."""

import logging
import sys
from pathlib import Path

import pytest

from edgeworker import config
from edgeworker.errors import ScriptError
from edgeworker.runtime import load
from edgeworker.runtime.python import load_errors
from tests.runtime.stage import IMPORTS, Stage

ON_FETCH = "async def on_fetch(request):\n    return Response('')\n"
DEFAULT = "class Default(WorkerEntrypoint):\n    pass\n"

BROKEN = [
    # (script, what the message says)
    ("x = 1\nif x\n    y = 2\n", ["worker.py, line 2: SyntaxError: expected ':'", "\n    if x\n        ^"]),
    ("def f():\n\treturn 1\n        return 2\n", ["worker.py, line 3: TabError"]),
    ("import util\n", ["util.py, line 3: SyntaxError: unmatched ')'", "\n    )\n    ^"]),
    (
        "\nimport not_installed_anywhere.sub\n",
        [
            "worker.py, line 2: No module named 'not_installed_anywhere'",
            'package "not_installed_anywhere" is not installed',
            "\n    import not_installed_anywhere.sub",
        ],
    ),
    ("import pkg.missing\n", ["No module named 'pkg.missing': pkg is the worker's own, and has no such module"]),
    ("from pkg import missing\n", ["worker.py, line 1: ImportError: cannot import name 'missing' from 'pkg'"]),
    ("import wsgi\n", ["No module named 'wsgi': the SDK has it as a part of workers: from workers import wsgi"]),
    ("import micropip\n", ["line 1: No module named 'micropip': packages are declared in pyproject.toml"]),
    ("from workers import Nothing\n", ["cannot import name 'Nothing' from 'workers'"]),
    (
        "def f():\n    return 1 / 0\nf()\n",
        ["worker.py, line 2: ZeroDivisionError: division by zero", "line 3, in <module>"],
    ),
    ("raise SystemExit(3)\n", ["worker.py, line 1: SystemExit: 3"]),
    ("x = 1\n", ['does not export a handler named "on_fetch"', "class Default(WorkerEntrypoint)"]),
    ("def onFetch(request): pass\n", ["the function onFetch would have to be on_fetch"]),
    ("class Default: pass\n", ["class Default must be a WorkerEntrypoint"]),
    (IMPORTS + "__all__ = ['x']\nx = 1\n" + DEFAULT, ["one exists, but __all__ does not list it"]),
    (
        IMPORTS + DEFAULT + ON_FETCH,
        ["Cannot define multiple default entrypoints: keep class Default or the module's on_fetch"],
    ),
]


@pytest.mark.parametrize(("script", "says"), BROKEN)
def test_a_script_that_cannot_be_loaded_is_told_where_and_why(stage: Stage, script: str, says: list[str]) -> None:
    files = {"worker.py": script, "util.py": "x = (\n)\n)\n", "pkg/__init__.py": ""}

    with pytest.raises(ScriptError) as raised:
        stage.add(files)

    text = str(raised.value)
    for part in says:
        assert part in text
    for ours in ("edgeworker/runtime", "importlib", "w@"):
        assert ours not in text


def test_a_package_that_is_built_for_webassembly_is_named_with_what_to_do(stage: Stage) -> None:
    files = {
        "worker.py": "import onlywasm\n",
        "python_modules/onlywasm/__init__.py": "from onlywasm._core import value\n",
        "python_modules/onlywasm/_core.cpython-313-wasm32-emscripten.so": "",
    }

    with pytest.raises(ScriptError) as raised:
        stage.add(files)

    text = str(raised.value)
    assert "No module named 'onlywasm._core': " in text
    assert "_core.cpython-313-wasm32-emscripten.so is built for WebAssembly and cannot be loaded here" in text
    assert 'install "onlywasm" where edgeworker runs' in text


def test_a_main_that_does_not_exist_is_told_with_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "entry.py").write_text("")

    with pytest.raises(
        ScriptError, match=r'wrangler.toml: main: main of worker "w" does not exist: .*; beside it lie entry.py'
    ):
        load(config.Worker("w", tmp_path / "worker.py", source="wrangler.toml: main"))
    (tmp_path / "src.py").mkdir()
    with pytest.raises(ScriptError, match="is a folder"):
        load(config.Worker("w", tmp_path / "src.py"))


def test_a_script_in_a_language_that_does_not_run_here_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ScriptError) as told:
        load(config.Worker("w", tmp_path / "index.rb"))

    assert str(told.value) == (
        'main of worker "w" is index.rb, a kind of script that does not run here; its name must end in .py'
    )


async def test_what_failed_to_load_leaves_no_modules(stage: Stage) -> None:
    with pytest.raises(ScriptError):
        stage.add({"worker.py": "import util\n1 / 0\n", "util.py": ""}, name="gone")

    assert not any(name.startswith("gone@") for name in sys.modules)


WARNINGS = [
    # https://developers.cloudflare.com/workers/configuration/compatibility-flags/
    (ON_FETCH, "2025-08-13", ("python_workers",), None),
    (ON_FETCH, "2025-08-14", ("python_workers",), "does not call on_fetch from compatibility date 2025-08-14"),
    (ON_FETCH, "2025-08-14", ("python_workers", "disable_python_no_global_handlers"), None),
    (ON_FETCH, "2025-01-01", ("python_workers", "python_no_global_handlers"), "does not call on_fetch"),
    (DEFAULT, "2026-01-01", ("python_workers",), None),
    (ON_FETCH, None, (), None),
]


@pytest.mark.parametrize(("script", "date", "flags", "warns"), WARNINGS)
def test_a_style_that_cloudflare_would_refuse_at_this_date_runs_with_a_warning(
    stage: Stage,
    caplog: pytest.LogCaptureFixture,
    script: str,
    date: str | None,
    flags: tuple[str, ...],
    warns: str | None,
) -> None:
    with caplog.at_level(logging.WARNING):
        stage.add(IMPORTS + script, date=date, flags=flags)

    assert (warns in caplog.text) if warns else not caplog.text


@pytest.mark.parametrize(
    ("line", "message", "needed"),
    [
        # https://docs.python.org/3/whatsnew/3.12.html#new-features
        ("type Point = tuple[int, int]", "invalid syntax", (3, 12)),
        ("type Pair[T] = tuple[T, T]", "invalid syntax", (3, 12)),
        ("def first[T](items: list[T]) -> T:", "expected '('", (3, 12)),
        ("async def first[T](items): ...", "expected '('", (3, 12)),
        ("class Box[T]:", "invalid syntax", (3, 12)),
        ('    x = f"{d["a"]}"', "f-string: unmatched '['", (3, 12)),
        ("x = f'{d['a']}'", "f-string: unmatched '['", (3, 12)),
        ("x = f'{a!r:\\n}'", "f-string expression part cannot include a backslash", (3, 12)),
        # https://docs.python.org/3/whatsnew/3.13.html (PEP 696)
        ("class Box[T = int]:", "invalid syntax", (3, 13)),
        # https://docs.python.org/3/whatsnew/3.14.html (PEP 750, PEP 758)
        ("x = t'{name}'", "invalid syntax", (3, 14)),
        ("except ValueError, TypeError:", "multiple exception types must be parenthesized", (3, 14)),
        ("type = 1 +", "invalid syntax", None),
        ("def f(:", "invalid syntax", None),
        ("x = f'{a'", "f-string: expecting '}'", None),
        ("x = 'a' 'b", "unterminated string literal", None),
        ("part'x'", "invalid syntax", None),
    ],
)
def test_the_python_is_named_whose_syntax_a_line_has(line: str, message: str, needed: tuple[int, int] | None) -> None:
    assert load_errors.find_needed_version(line, message) == needed


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python reads it")
@pytest.mark.parametrize("line", ["type A = int", "def f[T](x: T): ...", "class A[T]: ...", "x = f'{'a'}'"])
async def test_newer_syntax_says_which_python_is_needed(stage: Stage, line: str) -> None:
    with pytest.raises(ScriptError, match=r"written for Python 3\.12 or newer, and edgeworker runs on Python 3\.11"):
        stage.add(line + "\n")


@pytest.mark.parametrize(
    ("method", "says"),
    [
        (
            "async def fetch(self, request, env):\n        return Response(env.NAME)",
            "line 4: Default.fetch uses its argument env",
        ),
        (
            "async def fetch(self, request, e, c):\n        return c.waitUntil(e)",
            "line 4: Default.fetch uses its argument c",
        ),
        ("async def scheduled(self, event, env, ctx):\n        print(ctx)", "Default.scheduled uses its argument ctx"),
        ("async def scheduled(self, event, env, ctx):\n        print(self.env)", None),
        ("async def fetch(self, request, env=None):\n        return Response('')", None),
    ],
)
async def test_arguments_that_are_none_on_cloudflare_are_told(
    stage: Stage, caplog: pytest.LogCaptureFixture, method: str, says: str | None
) -> None:
    stage.add(
        IMPORTS + f"class Default(WorkerEntrypoint):\n    {method}\n", date="2026-01-01", flags=("python_workers",)
    )

    if says is None:
        assert "uses its argument" not in caplog.text
    else:
        assert says in caplog.text
        assert "which is None on Cloudflare" in caplog.text
        assert "worker.py, line" in caplog.text
