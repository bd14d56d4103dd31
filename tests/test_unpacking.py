"""What the single binary unpacks with the import that needs it, here from a file of its own."""

import importlib
import importlib.util
import os
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

from edgeworker import unpacking
from edgeworker.unpacking import Parts, Unpacker

BEFORE = b"what stands in the program before the archive"


def make_unpacker(
    root: Path,
    files: Mapping[str, str],
    needed: Mapping[str, Sequence[str]] | None = None,
    hooks: Mapping[str, str] | None = None,
) -> Unpacker:
    content, places = b"", {}
    for name, text in files.items():
        packed = zlib.compress(text.encode())
        places[name] = (len(content), len(packed))
        content += packed
    root.joinpath("program").write_bytes(BEFORE + content)
    root.joinpath("folder").mkdir(mode=0o700)
    return Unpacker(
        Parts(places, needed or {}, hooks or {}),
        program=str(root / "program"),
        start=len(BEFORE),
        folder=str(root / "folder"),
    )


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Unpacker]:
    """Module names are of this file alone."""
    names = ("unpacked_one", "unpacked_two", "unpacked_hook", "unpacked_package", "unpacked_package.inner")
    unpacker = make_unpacker(
        tmp_path,
        {
            "unpacked_one.py": "import unpacked_two\n",
            "unpacked_two.py": "value = 'two'\n",
            "unpacked_hook.py": "import unpacked_two\nunpacked_two.value += ' and hooked'\n",
            "unpacked_package/inner.py": "value = 'inner'\n",
            "data/a.txt": "a",
            "data/b/c.txt": "c",
            "database/d.txt": "d",
        },
        {
            "unpacked_one": ["unpacked_one.py"],
            "unpacked_two": ["unpacked_two.py"],
            "unpacked_hook": ["unpacked_hook.py"],
            "unpacked_package.inner": ["unpacked_package/inner.py"],
        },
        {"unpacked_two": "unpacked_hook"},
    )
    monkeypatch.syspath_prepend(str(tmp_path / "folder"))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(unpacking, "_installed", None)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    unpacking.install(unpacker)
    yield unpacker
    for name in names:
        sys.modules.pop(name, None)


def unpacked(root: Path) -> list[str]:
    folder = root / "folder"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_an_import_unpacks_what_it_needs_and_nothing_else(installed: Unpacker, tmp_path: Path) -> None:
    assert unpacked(tmp_path) == []

    module = importlib.import_module("unpacked_one")

    assert module.unpacked_two.value == "two and hooked"
    assert unpacked(tmp_path) == ["unpacked_hook.py", "unpacked_one.py", "unpacked_two.py"]


def test_a_module_that_was_only_looked_for_has_its_hook_when_it_is_imported(installed: Unpacker) -> None:
    assert importlib.util.find_spec("unpacked_two") is not None

    assert importlib.import_module("unpacked_two").value == "two and hooked"


def test_a_finder_that_asks_the_others_may_stand_beside_it(installed: Unpacker) -> None:
    class Asking:
        @staticmethod
        def find_spec(
            name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
        ) -> ModuleSpec | None:
            others = (each for each in sys.meta_path if each is not Asking)
            return next((spec for each in others if (spec := each.find_spec(name, path, target)) is not None), None)

    sys.meta_path.insert(0, Asking)

    assert importlib.import_module("unpacked_two").value == "two and hooked"


def test_a_module_with_a_hook_keeps_its_own_loader(installed: Unpacker) -> None:
    module = importlib.import_module("unpacked_two")

    assert module.__spec__ is not None
    assert module.__spec__.loader is module.__loader__
    assert type(module.__loader__).__name__ == "SourceFileLoader"


def test_a_folder_that_was_searched_before_is_searched_again(installed: Unpacker, tmp_path: Path) -> None:
    inside = str(tmp_path / "folder" / "unpacked_package")
    sys.path.append(inside)
    try:
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("inner_that_is_nowhere")  # Python keeps that there is no such folder
        assert sys.path_importer_cache[inside] is None

        installed.unpack_below("unpacked_package")

        assert importlib.import_module("inner").value == "inner"
    finally:
        sys.path.remove(inside)
        sys.modules.pop("inner", None)


@pytest.mark.parametrize(
    ("folder", "files"),
    [("data", ["data/a.txt", "data/b/c.txt"]), ("data/b", ["data/b/c.txt"]), ("nothing", []), ("dat", [])],
)
def test_data_is_unpacked_by_its_folder(installed: Unpacker, tmp_path: Path, folder: str, files: list[str]) -> None:
    unpacking.unpack_below(folder)

    assert unpacked(tmp_path) == files


def test_all_of_it_can_be_unpacked_at_once(installed: Unpacker, tmp_path: Path) -> None:
    unpacking.unpack_below("")

    assert len(unpacked(tmp_path)) == 7


def test_elsewhere_than_in_the_binary_there_is_nothing_to_unpack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "_installed", None)

    unpacking.unpack_below("scripts")


def test_only_its_user_may_read_what_was_unpacked_whatever_the_umask_is(tmp_path: Path) -> None:
    unpacker = make_unpacker(tmp_path, {"one/two/file": "x"})
    before = os.umask(0)
    try:
        unpacker.unpack(["one/two/file"])
    finally:
        os.umask(before)

    folder = tmp_path / "folder"
    assert {path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))} == {0o700}


def test_what_is_there_already_stays(tmp_path: Path) -> None:
    unpacker = make_unpacker(tmp_path, {"file": "new"})
    (tmp_path / "folder" / "file").write_text("old")

    unpacker.unpack(["file"])

    assert (tmp_path / "folder" / "file").read_text() == "old"


def test_several_that_unpack_the_same_never_see_half_of_it(tmp_path: Path) -> None:
    text = "x" * 3_000_000
    unpacker = make_unpacker(tmp_path, {"file": text})
    seen: list[int] = []

    def unpack() -> None:
        unpacker.unpack(["file"])
        seen.append((tmp_path / "folder" / "file").stat().st_size)

    threads = [threading.Thread(target=unpack) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == [len(text)] * 8
    assert unpacked(tmp_path) == ["file"]


def test_where_there_is_no_room_the_import_says_so(tmp_path: Path) -> None:
    unpacker = make_unpacker(tmp_path, {"a/module.py": ""}, {"a.module": ["a/module.py"]})
    (tmp_path / "folder" / "a").write_text("no folder can be here")

    with pytest.raises(ImportError, match=r"a\.module cannot be unpacked into .*folder: (File exists|Not a directory)"):
        unpacker.find_spec("a.module")


def test_a_program_that_was_changed_is_named(tmp_path: Path) -> None:
    unpacker = make_unpacker(tmp_path, {"module.py": "x = 1\n" * 100}, {"module": ["module.py"]})
    (tmp_path / "program").write_bytes(bytes(1000))

    with pytest.raises(ImportError, match="program was changed since it was started"):
        unpacker.find_spec("module")


@pytest.mark.skipif(not Path("/proc/self/exe").exists(), reason="there is no /proc")
def test_the_running_program_is_found_by_what_runs(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"")

    assert unpacking.own_program(os.path.realpath(sys.executable)) == "/proc/self/exe"
    assert unpacking.own_program(str(tmp_path / "other")) == str(tmp_path / "other")
    assert unpacking.own_program(str(tmp_path / "gone")) == str(tmp_path / "gone")
    assert not unpacking.was_replaced(os.path.realpath(sys.executable))
    assert unpacking.was_replaced(str(tmp_path / "other"))
    assert unpacking.was_replaced(str(tmp_path / "gone"))


def test_it_can_be_imported_before_anything_else_is_unpacked() -> None:
    code = "import sys; before = set(sys.modules); import edgeworker.unpacking; print(*set(sys.modules) - before)"

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )

    slow = {"asyncio", "ctypes", "dataclasses", "inspect", "pathlib", "shutil", "socket", "ssl", "tempfile"}
    assert not slow & set(done.stdout.split())
