"""Which Python of a machine the single binary is made with: .ci/pythons.py."""

import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

FILE: Final = Path(__file__).parent.parent / ".ci" / "pythons.py"


@pytest.fixture(scope="module")
def pythons() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pythons_of_the_machine", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclass looks for its annotations
    spec.loader.exec_module(module)
    return module


def place(folder: Path, release: str, **told: object) -> Path:
    """A program that says of itself what a Python of that release says."""
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / f"libpython{release}.so.1.0"
    library.touch()
    folder.joinpath("Python.h").touch()
    said = {
        "version": [*map(int, release.split(".")), 1],
        "prefix": str(folder),
        "program": str(folder / "python3"),
        "lacks": [],
        "include": str(folder),
        "shared": [str(folder), library.name],
    } | told
    program = folder / "python3"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(said)}\nEND\n")
    program.chmod(0o755)
    return program


@pytest.mark.skipif(sys.platform != "linux", reason="the files are those of Linux")
@pytest.mark.parametrize(
    ("release", "told", "lacks"),
    [
        ("3.13", {}, ""),
        ("3.11", {}, ""),
        ("3.12", {}, "no quickjs-bindings for 3.12"),
        ("3.14", {}, "no quickjs-bindings for 3.14"),
        ("3.13", {"lacks": ["no module sqlite3"]}, "no module sqlite3"),
        ("3.13", {"shared": ["/nowhere", "libpython3.13.so.1.0"]}, "no shared library libpython3.13"),
        ("3.13", {"shared": ["/", ""]}, "no shared library libpython3.13"),
    ],
)
def test_what_a_python_lacks_for_the_binary_is_told(
    pythons: ModuleType, tmp_path: Path, release: str, told: dict[str, object], lacks: str
) -> None:
    assert ", ".join(pythons.inspect_python(place(tmp_path, release, **told)).lacks) == lacks


def test_this_python_is_found_and_known_again(pythons: ModuleType) -> None:
    found = [python for python in pythons.find_pythons() if pythons.is_this(python)]

    assert [python.version for python in found] == [sys.version_info[:3]]


def test_what_is_not_a_python_is_none(pythons: ModuleType, tmp_path: Path) -> None:
    broken = tmp_path / "python3.13"
    broken.write_text("#!/bin/sh\necho 'pyenv: python3.13: command not found' >&2\nexit 127\n")
    broken.chmod(0o755)

    assert pythons.inspect_python(broken) is None
    assert pythons.inspect_python(tmp_path / "nothing") is None


def made(pythons: ModuleType, releases: Sequence[str]) -> list[object]:
    """The newest first. One in brackets lacks something."""
    return [
        pythons.Python(
            Path("/x") / text, Path("/"), tuple(map(int, text.strip("()").split("."))), ("a part",) * ("(" in text)
        )
        for text in releases
    ]


@pytest.mark.parametrize(
    ("releases", "wanted", "chosen"),
    [
        (["3.13.1", "3.11.2"], None, "3.13.1"),
        (["(3.14.0)", "3.13.1", "3.11.2"], None, "3.13.1"),
        (["3.13.1", "3.11.9", "3.11.2"], "3.11", "3.11.9"),
        (["3.13.1", "3.11.9", "3.11.2"], "3.11.2", "3.11.2"),
        (["3.13.1", "(3.11.9)", "3.11.2"], "3.11", "3.11.2"),
    ],
)
def test_the_newest_that_has_all_parts_is_chosen(
    pythons: ModuleType, releases: list[str], wanted: str | None, chosen: str
) -> None:
    assert pythons.choose_python(made(pythons, releases), wanted).program == Path("/x") / chosen


@pytest.mark.parametrize(
    ("releases", "wanted", "says"),
    [
        (["3.13.1"], "3.12", r"no Python 3\.12 here; install one .* Found:\n  Python 3\.13\.1"),
        (["(3.14.0)"], None, r"no Python here can make the binary; .*\n  Python 3\.14\.0 \(/x/\(3\.14\.0\)\): a part"),
        (["(3.12.1)", "3.11.2"], "3.12", r"no Python here can make .*\n  Python 3\.12\.1 .*: a part$"),
        ([], None, "Found: none"),
    ],
)
def test_where_none_can_make_it_that_is_said(
    pythons: ModuleType, releases: list[str], wanted: str | None, says: str
) -> None:
    with pytest.raises(SystemExit, match=says):
        pythons.choose_python(made(pythons, releases), wanted)


def test_a_path_that_is_not_a_python_is_refused(pythons: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r'--python: ".*/nothing" is not a Python that runs here'):
        pythons.find_python(str(tmp_path / "nothing"))
