"""How the code of a script's module comes about."""

from pathlib import Path
from types import ModuleType

import pytest

from edgeworker.runtime.python import script_loaders
from edgeworker.runtime.python.script_loaders import ScriptLoader


class _Owner:
    def __init__(self) -> None:
        self.builtins: dict[str, object] = {}
        self.waits = False

    def owns(self, name: str) -> bool:
        return False

    def name_plainly(self, module: ModuleType) -> None:
        return None


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was compiled, in its order."""
    found: list[bytes] = []

    def count(source: bytes, *arguments: str, **options: bool) -> object:
        found.append(source)
        return compile(source, *arguments, **options)  # type: ignore[call-overload]  # handed on as they came

    monkeypatch.setattr(script_loaders, "compile", count, raising=False)
    return found


def _load(file: Path) -> dict[str, object]:
    code = ScriptLoader(_Owner(), "module", str(file)).get_code("module")
    assert code is not None
    found: dict[str, object] = {}
    exec(code, found)
    return found


def test_a_reload_compiles_only_what_has_changed_since_within_the_same_second_too(
    tmp_path: Path, compiled: list[bytes]
) -> None:
    file = tmp_path / "module.py"
    file.write_text(f"A = '{tmp_path}1'\n")
    assert [_load(file)["A"] for _ in range(2)] == [f"{tmp_path}1"] * 2
    file.write_text(f"A = '{tmp_path}2'\n")  # as long as before

    assert _load(file)["A"] == f"{tmp_path}2"
    assert [source[-3:-2] for source in compiled] == [b"1", b"2"]


def test_the_same_file_in_the_folder_of_another_version_is_not_compiled_again_and_has_its_own_name(
    tmp_path: Path, compiled: list[bytes]
) -> None:
    text = f"# {tmp_path}\ndef f():\n    return [lambda: 1 for _ in 'a'][0].__code__.co_filename\n"
    names = []
    for version in ("1", "2"):
        file = tmp_path / version / "module.py"
        file.parent.mkdir()
        file.write_text(text)
        function = _load(file)["f"]
        assert callable(function)
        names.append(function())

    assert names == [str(tmp_path / version / "module.py") for version in "12"]
    assert len(compiled) == 1


def test_a_syntax_error_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("def broken(:\n")

    with pytest.raises(SyntaxError) as raised:
        _load(file)

    assert raised.value.filename == str(file)


def test_a_file_that_is_compiled_already_still_tells_that_it_waits(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("import requests\n")
    ScriptLoader(_Owner(), "module", str(file)).get_code("module")
    owner = _Owner()

    ScriptLoader(owner, "module", str(file)).get_code("module")

    assert owner.waits
