"""The modules that wheels of `poe build-fast` and the binary have compiled: what mypyc takes, and gets right.

What it takes and gets wrong: a class that is not compiled cannot derive from one that is, and `raise ... from` sets no
`__cause__` (errors.with_cause does, where one is read). `poe check-compiled` finds what else there is.
"""

import ast
import importlib.util
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.cli.running import environment

ROOT: Final = Path(__file__).parent.parent
MODULES: Final[list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["edgeworker"]["compiled"]
WAITING: Final = (ast.Await, ast.AsyncFor, ast.AsyncWith)


def tree_of(module: str) -> ast.Module:
    return ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))


def handlers_that_wait(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Try):
            for body in (node.finalbody, *(handler.body for handler in node.handlers)):
                yield from (part.lineno for line in body for part in ast.walk(line) if isinstance(part, WAITING))


def asynchronous_generators(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef):
            yield from (part.lineno for part in ast.walk(node) if isinstance(part, ast.Yield | ast.YieldFrom))


def unsafe_constructions(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "__new__" and ast.unparse(node.value) == "object":
            yield node.lineno


def test_the_list_is_sorted_and_names_each_module_once() -> None:
    assert sorted(set(MODULES)) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_a_compiled_module_awaits_nothing_while_it_handles_an_exception(module: str) -> None:
    """mypyc 2.4 leaves the exception in the thread's state then: a later `except` may be given a stale one."""
    assert list(handlers_that_wait(tree_of(module))) == []


@pytest.mark.parametrize("module", MODULES)
def test_a_compiled_module_has_no_asynchronous_generator(module: str) -> None:
    assert list(asynchronous_generators(tree_of(module))) == []


@pytest.mark.parametrize("module", MODULES)
def test_a_compiled_module_makes_no_object_past_its_constructor(module: str) -> None:
    """`object.__new__(Class)` is a TypeError for a compiled class."""
    assert list(unsafe_constructions(tree_of(module))) == []


def test_what_is_not_allowed_is_found() -> None:
    tree = ast.parse(
        "async def one():\n  try:\n    pass\n  except OSError:\n    await two()\n  finally:\n    await three()\n"
        "async def four():\n  yield 1\nobject.__new__(int)\n"
    )

    assert sorted(handlers_that_wait(tree)) == [5, 7]
    assert list(asynchronous_generators(tree)) == [9]
    assert list(unsafe_constructions(tree)) == [10]


in_compiled_form = pytest.mark.skipif(
    "EDGEWORKER_COMPILED" not in os.environ, reason="`poe check-compiled` sets it, which tests the compiled form"
)


def not_compiled() -> list[str]:
    specs = {name: importlib.util.find_spec(name) for name in MODULES}
    return [name for name, spec in specs.items() if spec is None or not str(spec.origin).endswith(".so")]


@in_compiled_form
def test_the_compiled_form_is_what_is_tested() -> None:
    assert not_compiled() == []


@in_compiled_form
def test_what_a_test_starts_is_the_compiled_form(tmp_path: Path) -> None:
    def printed(*command: str) -> str:
        return subprocess.run(
            command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True
        ).stdout

    program = "from tests.test_compiled import not_compiled\nprint(not_compiled())"
    assert printed(sys.executable, "-c", program) == "[]\n"
    for command in ([sys.executable, "-m", "edgeworker"], [str(Path(sys.executable).with_name("edgeworker"))]):
        assert "(compiled, " in printed(*command, "--version")
