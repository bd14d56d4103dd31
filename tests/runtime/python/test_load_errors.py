"""What a person reads whose script cannot be loaded."""

import logging
import sys
import warnings
from pathlib import Path

import pytest

from edgeworker import config
from edgeworker.errors import ScriptError
from edgeworker.runtime import ScriptFailure, load
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
    ("async def on_fech(request, env):\n    pass\n", ['; there is on_fech. Did you mean "on_fetch"?']),
    (
        "class Defualt:\n    async def fetch(self, request):\n        pass\n",
        ['; there is Defualt. Did you mean "Default"?'],
    ),
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


# (script, which Python's syntax it has, None if no release can read it)
SYNTAX = [
    # https://docs.python.org/3/whatsnew/3.12.html#new-features
    ("type Point = tuple[int, int]", (3, 12)),
    ("type Pair[T] = tuple[T, T]", (3, 12)),
    ("def first[T](items: list[T]) -> T: ...", (3, 12)),
    ("async def first[T](items): ...", (3, 12)),
    ("class Box[T]: ...", (3, 12)),
    ("class Box:\n    def put[*Ts, **P](self): ...", (3, 12)),
    ("x = f'{'a'}'", (3, 12)),
    ('x = f"{d["a"]}"', (3, 12)),
    ('x = f"{a["b"]["c"]} and {d}"', (3, 12)),
    ('x = f"{", ".join(a)}"', (3, 12)),
    ('x = rf"{a["b"]}"', (3, 12)),
    ("x = f'{chr(10):{'>'}10}'", (3, 12)),
    ("x = f'{'\\n'.join(a)}'", (3, 12)),
    ("x = f'{\n    a\n}'", (3, 12)),
    ('x = f"{a(\n    b,\n)}"', (3, 12)),
    ('x = f"{a # why\n}"', (3, 12)),
    # https://docs.python.org/3/whatsnew/3.13.html (PEP 696)
    ("class Box[T = int]: ...", (3, 13)),
    ("def first[T: (int, str) = int](items): ...", (3, 13)),
    ("type Pair[T = int] = tuple[T, T]", (3, 13)),
    # https://docs.python.org/3/whatsnew/3.14.html (PEP 750, PEP 758)
    ("x = t'{name}'", (3, 14)),
    ('f(rt"{name}")', (3, 14)),
    ("x = Tr'''\n{name}\n'''", (3, 14)),
    ("try: ...\nexcept ValueError, TypeError: ...", (3, 14)),
    ("try: ...\nexcept* json.JSONDecodeError, KeyError, a(): ...", (3, 14)),
    ("try: ...\nexcept ValueError, TypeError as e: ...", None),
    ("try: ...\nexcept ValueError, TypeError e: ...", None),
    ("type = 1 +", None),
    ("def f(:", None),
    ("x = f'{a'", None),
    ("x = f'{a b}'", None),
    ("x = f'{a}' + '", None),
    ("x = 'a' 'b", None),
    ("x = 'a' t'b", None),
    ("y = = 3 # t'x'", None),
    ("part'x'", None),
    ("print 'x'", None),
]


@pytest.mark.parametrize(("script", "needed"), SYNTAX)
async def test_syntax_of_a_newer_python_is_told_with_what_runs_it(
    stage: Stage, script: str, needed: tuple[int, int] | None
) -> None:
    if needed is not None and sys.version_info >= needed:
        compile(script, "worker.py", "exec")
        return

    with pytest.raises(ScriptError) as told:
        stage.add(script + "\n")

    if needed is None:
        assert "written for" not in str(told.value)
        return
    here = ".".join(map(str, sys.version_info[:2]))
    assert f"This is written for Python 3.{needed[1]} or newer, and edgeworker runs on Python {here}" in str(told.value)
    assert f"Run it there: uv run --python 3.{max(needed[1], 13)} edgeworker dev" in str(told.value)


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python reads it")
@pytest.mark.parametrize(
    ("date", "flags", "says"),
    [
        ("2026-09-07", ("python_workers",), "would run this worker on Python 3.13."),
        ("2025-09-28", ("python_workers",), "has it from compatibility date 2026-09-08 on, and would run this worker"),
        ("2026-09-08", ("python_workers",), None),
        ("2025-01-01", ("python_workers", "python_workers_314"), None),
    ],
)
def test_syntax_that_cloudflare_reads_later_is_told_so(
    stage: Stage, date: str, flags: tuple[str, ...], says: str | None
) -> None:
    with pytest.raises(ScriptError) as told:
        stage.add("x = t'{1}'\n", date=date, flags=flags)

    assert (says in str(told.value)) if says else ("Cloudflare" not in str(told.value))


NEWER = [
    # (script, the release that has it, what is said of it)
    ("from itertools import batched", (3, 12), "cannot import name 'batched' from 'itertools'"),
    ("import typing\n@typing.override\ndef f(): ...", (3, 12), "module 'typing' has no attribute 'override'"),
    ("from warnings import deprecated", (3, 13), "cannot import name 'deprecated' from 'warnings'"),
    ("import annotationlib", (3, 14), "No module named 'annotationlib'"),
    ("from string.templatelib import Template", (3, 14), "No module named 'string.templatelib'"),
    ("import compression.zstd", (3, 14), "No module named 'compression'"),
    ("from uuid import uuid7", (3, 14), "cannot import name 'uuid7' from 'uuid'"),
]


@pytest.mark.parametrize(("script", "release", "says"), NEWER)
def test_what_came_with_a_newer_python_is_told_with_what_runs_it(
    stage: Stage, script: str, release: tuple[int, int], says: str
) -> None:
    if sys.version_info >= release:
        stage.add(IMPORTS + script + "\n" + DEFAULT)
        return

    with pytest.raises(ScriptError) as told:
        stage.add(script + "\n")

    text = str(told.value)
    assert says in text
    here = ".".join(map(str, sys.version_info[:2]))
    assert f"t came with Python 3.{release[1]}, and edgeworker runs on Python {here}" in text
    assert f"uv run --python 3.{max(release[1], 13)} edgeworker dev" in text
    assert "is not installed" not in text


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python has it")
def test_a_binary_names_no_command_of_uv(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)

    with pytest.raises(ScriptError) as told:
        stage.add("x = t'{1}'\n")

    assert "The single binary brings its Python along: install edgeworker where Python 3.14 is" in str(told.value)
    assert "uv run" not in str(told.value)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="this Python has it")
def test_what_went_from_the_standard_library_is_told(stage: Stage) -> None:
    with pytest.raises(ScriptError) as told:
        stage.add("import smtpd\n")

    assert "No module named 'smtpd': it went from the standard library with Python 3.12, and edgeworker" in str(
        told.value
    )
    assert "is not installed" not in str(told.value)


@pytest.mark.parametrize(
    ("module", "date", "flags", "says"),
    [
        ("cgi", "2025-09-29", ("python_workers",), "cgi went from the standard library with Python 3.13"),
        ("cgi", "2025-09-28", ("python_workers",), None),
        (
            "cgi",
            "2025-09-28",
            ("python_workers", "python_workers_20250116"),
            "Cloudflare runs this worker on Python 3.13",
        ),
        ("cgi", None, (), None),
        ("imp", "2025-01-01", ("python_workers",), "imp went from the standard library with Python 3.12"),
        ("importlib", "2025-09-29", ("python_workers",), None),
    ],
)
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python does not have them")
def test_a_module_that_cloudflares_python_no_longer_has_is_told(
    stage: Stage,
    caplog: pytest.LogCaptureFixture,
    module: str,
    date: str | None,
    flags: tuple[str, ...],
    says: str | None,
) -> None:
    files = {"worker.py": f"{IMPORTS}import util\n{DEFAULT}", "util.py": f"import os, {module}\n"}

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        stage.add(files, date=date, flags=flags)

    if says is None:
        assert "standard library" not in caplog.text
    else:
        assert says in caplog.text
        assert "util.py, line 1: " in caplog.text


@pytest.mark.skipif(sys.version_info < (3, 13), reason="this Python does not read it")
def test_syntax_that_the_python_of_cloudflare_does_not_read_is_told(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.add(f"{IMPORTS}class Box[T = int]: ...\n{DEFAULT}", date="2025-01-01", flags=("python_workers",))

    assert "worker.py, line 2: this is syntax of Python 3.13. It runs here; Cloudflare runs this" in caplog.text
    assert "Set compatibility_date to 2025-09-29 or later, or write it for Python 3.12" in caplog.text


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


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("import numpi", 'package "numpi" is not installed where edgeworker runs'),
        ("import importlib; importlib.import_module('pandaz.io')", 'package "pandaz" is not installed where'),
        ("import util.more", "util is the worker's own, and has no such module"),
        ("import micropip", "packages are declared in pyproject.toml"),
        ("from .util import x", "worker.py are imported by their names, as in import util"),
        ("from workers import Respons", 'Did you mean "Response"?'),
    ],
)
async def test_an_import_that_fails_in_a_handler_is_told_what_would_be_right(
    stage: Stage, caplog: pytest.LogCaptureFixture, line: str, says: str
) -> None:
    script = (
        "from workers import Response, WorkerEntrypoint\nclass Default(WorkerEntrypoint):\n"
        f"    async def fetch(self, request):\n        {line}\n        return Response('x')\n"
    )
    stage.add({"worker.py": script, "util.py": "x = 1\n"})

    with pytest.raises(ScriptFailure) as failed:
        await stage.get()

    assert says in failed.value.described
    assert says in caplog.text
    original = str(failed.value.original)
    assert caplog.text.count(original) == 1, "the advice does not say the error's text again"


def test_the_binary_says_where_packages_may_lie(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)

    with pytest.raises(ScriptError) as raised:
        stage.add("import nowhere_to_be_found\n")

    assert f"uv pip install --target python_modules --python {sys.version_info[0]}." in str(raised.value)
    assert "--python-path DIR" in str(raised.value)
