"""What no single test can see: the shape of the tree."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("edgeworker", "wrangler_compat")
MAX_LINES = 400

pytestmark = pytest.mark.checkout


def _modules(*folders: str) -> list[Path]:
    return sorted(
        file for folder in folders for file in (ROOT / folder).rglob("*.py") if "__pycache__" not in file.parts
    )


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_file_is_longer_than_400_lines() -> None:
    files = _modules(*PACKAGES, "tests", "scripts")

    assert [_named(file) for file in files if len(file.read_text(encoding="utf-8").splitlines()) > MAX_LINES] == []


def test_every_module_says_what_it_is() -> None:
    undocumented = [
        _named(file)
        for file in _modules(*PACKAGES, "scripts")
        if not ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    ]

    assert undocumented == []


def test_no_room_has_the_name_of_a_module_of_the_standard_library() -> None:
    """`python edgeworker/__main__.py` puts the package's own folder first: a `http.py` there broke aiohttp."""
    rooms = [path for package in PACKAGES for path in (ROOT / package).iterdir()]

    # Nothing that we use imports the standard library's coverage tool `trace`.
    assert [_named(room) for room in rooms if room.stem in sys.stdlib_module_names - {"trace"}] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_room_has_tests_in_its_mirror(package: str) -> None:
    folders = {module.parent for module in _modules(package)}
    tests = ROOT / "tests" if package == "edgeworker" else ROOT / "tests" / package

    untested = [
        _named(folder)
        for folder in folders
        if not any(tests.joinpath(folder.relative_to(ROOT / package)).rglob("test_*.py"))
        and not tests.joinpath(folder.relative_to(ROOT / package)).with_name(f"test_{folder.name}.py").exists()
    ]

    assert untested == []


def test_every_module_of_the_oauth_server_that_does_something_has_tests_of_its_own() -> None:
    modules = _modules("scripts/oauth/src/issuer")
    # A module of types alone (`endpoint_context`) does nothing that could be wrong.
    active = [file for file in modules if re.search(r"^ *(async )?def ", file.read_text(encoding="utf-8"), re.M)]
    tests = ROOT / "tests/scripts/oauth"

    assert [_named(file) for file in active if not (tests / f"test_{file.stem}.py").exists()] == []


def test_the_architecture_names_every_room() -> None:
    text = (ROOT / "edgeworker/ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = "".join(
        line.split("|")[1] for line in text.split("## Rooms")[1].split("\n## ")[0].splitlines() if "|" in line
    )
    rooms = {
        path.stem for path in (ROOT / "edgeworker").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }

    assert {room for room in re.findall(r"`(\w+)`", rows)} == {room for room in rooms if not room.startswith("__")}


def test_the_architecture_names_files_that_exist() -> None:
    text = (ROOT / "edgeworker/ARCHITECTURE.md").read_text(encoding="utf-8")
    # `cli/NAME.py` stands for a file that is to be written.
    named = {
        name for name in re.findall(r"`([\w./]+/[\w.]*)[`:]", text) if "NAME" not in name and not name.startswith("/")
    }
    folders = (ROOT, ROOT / "edgeworker", ROOT / "edgeworker/server")

    assert len(named) > 15
    assert [
        name
        for name in sorted(named)
        if not any((folder / name).exists() or (folder / f"{name}.py").exists() for folder in folders)
    ] == []


def test_decisions_stand_in_the_order_of_their_dates() -> None:
    text = (ROOT / "edgeworker/DECISIONS.md").read_text(encoding="utf-8")
    dates = re.findall(r"^\* \*\*(\d{4}-\d\d-\d\d) ", text, re.M)

    assert len(dates) == len(re.findall(r"^\* ", text, re.M))
    assert dates == sorted(dates)


def test_every_error_is_raised_somewhere() -> None:
    errors = ast.parse((ROOT / "edgeworker/errors.py").read_text(encoding="utf-8"))
    names = [node.name for node in errors.body if isinstance(node, ast.ClassDef) and node.name != "EdgeworkerError"]
    source = "\n".join(file.read_text(encoding="utf-8") for file in _modules(*PACKAGES))

    assert [name for name in names if f"raise {name}(" not in source and f"return {name}(" not in source] == []


def test_no_lock_file_with_download_addresses_is_kept() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()

    assert [name for name in tracked if Path(name).name in {"uv.lock", "package-lock.json"}] == []


# Of what a script or a program under test is given, and nothing that a test waits for.
_OWN_TIMEOUTS = ("tests/bench/", "tests/runtime/examples/", "tests/runtime/python/test_http_libraries.py")
_WAITS = re.compile(r"(?:\btimeout=|asyncio\.timeout\(|\.wait\(|settimeout\()[1-9][0-9.]*[,)]")


def test_what_a_test_waits_for_has_the_patience_of_all_tests() -> None:
    """A limit of a few seconds fails on a slow machine; tests/patience.py has the one there is."""
    impatient = [
        f"{_named(file)}:{number}"
        for file in _modules("tests")
        if not _named(file).startswith(_OWN_TIMEOUTS)
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if _WAITS.search(line) and "warned.wait" not in line
    ]

    assert impatient == []


def test_every_dependency_is_imported_by_the_product_itself() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[<>=;\[ ]", line)[0].lower() for line in project["dependencies"]}
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in _modules(*PACKAGES)]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported = plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}

    modules = packages_distributions()
    used = {name.lower() for module in imported for name in modules.get(module.partition(".")[0], ())}

    assert names - used == set()


def test_every_private_name_of_a_module_is_used() -> None:
    unused = []
    for package in PACKAGES:
        for module in _modules(package):
            text = module.read_text(encoding="utf-8")
            for name in re.findall(r"^(?:(?:async )?def |class |)(_[a-zA-Z]\w*)(?:\(|:)", text, re.M):
                if name != "_log" and len(re.findall(rf"\b{name}\b", text)) == 1:
                    unused.append(f"{_named(module)}: {name}")

    # Imported early, see there.
    assert [name for name in unused if not name.endswith("serving_process.py: _LOADED_EARLY")] == []
