"""Every script deploys to real Cloudflare: it imports what is there, and reads no entropy while it is imported."""

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
# The tests of a project that `edgeworker init` writes stay at home.
# `origins` are no scripts: servers behind the edge.
FILES = sorted(
    path for path in SCRIPTS.rglob("*.py") if not {"tests", "origins"} & set(path.relative_to(SCRIPTS).parts)
)

# `workers` and `asgi` are Cloudflare's Python SDK; the others are packages that its Python has.
PACKAGES = {"workers", "asgi", "jwt", "cryptography", "fastapi"}

# Not there in a browser's WebAssembly, or of no use in it.
MISSING = {
    "socket",
    "ssl",
    "multiprocessing",
    "subprocess",
    "threading",
    "sqlite3",
    "fcntl",
    "termios",
    "pty",
    "tkinter",
}

# The modules of the verifier that check signatures; without a JWKS the gateway imports none of them.
NEED_PYJWT = {"keys.py", "remote.py", "access_token.py"}

ENTROPY = {"secrets", "random", "uuid"}


def _imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            yield node.module.partition(".")[0]


def _modules(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Whole names, and of `from a import b` both `a` and `a.b`."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _own_modules(path: Path) -> set[str]:
    """What lies beside the script's main file: the folder with wrangler.toml, or a `src` that workers share."""
    for folder in path.relative_to(SCRIPTS).parents:
        if folder.name in ("src", "shared") or (SCRIPTS / folder / "wrangler.toml").is_file():
            return {entry.stem for entry in (SCRIPTS / folder).iterdir()}
    raise AssertionError(f"{path} belongs to no worker: no folder above it has a wrangler.toml")


def test_there_are_scripts() -> None:
    assert {path.relative_to(SCRIPTS).parts[0] for path in FILES} >= {"hello", "split_token"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SCRIPTS)))
def test_a_script_imports_only_what_cloudflare_has(path: Path) -> None:
    imported = set(_imported(ast.walk(ast.parse(path.read_text()))))

    assert imported - _own_modules(path) - PACKAGES - (sys.stdlib_module_names - MISSING) == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SCRIPTS)))
def test_no_script_has_entropy_at_hand_at_its_top_level(path: Path) -> None:
    tree = ast.parse(path.read_text())
    top = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    calls = [ast.unparse(node.func) for part in top for node in ast.walk(part) if isinstance(node, ast.Call)]

    assert [call for call in calls if call.partition(".")[0] in ENTROPY or call == "os.urandom"] == []


def test_a_gateway_that_does_not_verify_needs_no_package() -> None:
    top_level = {
        name
        for path in FILES
        if path.is_relative_to(SCRIPTS / "split_token") and path.name not in NEED_PYJWT
        for name in _modules(ast.parse(path.read_text()).body)
    }

    assert top_level.isdisjoint({"jwt", "cryptography", *(f"verifier.{Path(name).stem}" for name in NEED_PYJWT)})
