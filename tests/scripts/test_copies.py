"""Each deployable folder of scripts/ carries an exact copy of what it needs of scripts/shared."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.checkout


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("copy_shared_scripts", ROOT / ".ci/copy_shared_scripts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_copy_is_the_same_as_its_source() -> None:
    assert _tool().stale_copies() == [], "write the copies with: uv run poe copies"


def test_every_folder_that_imports_the_verifier_has_a_copy() -> None:
    expected = {path.parent.parent for path in _tool().expected_copies() if path.parent.name == "verifier"}

    assert {path.parent for path in (ROOT / "scripts").rglob("verifier")} - {ROOT / "scripts/shared"} == expected


@pytest.mark.parametrize("change", ["edited", "missing", "without a source"])
def test_a_copy_that_differs_is_found(tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = _tool()
    for name in ("verifier/keys.py", "client_network.py"):
        (tmp_path / "shared" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shared" / name).write_text("VALUE = 1\n")
    monkeypatch.setattr(tool, "SCRIPTS", tmp_path)
    monkeypatch.setattr(tool, "SHARED", tmp_path / "shared")
    tool.write_copies()
    assert tool.stale_copies() == []
    copy = tmp_path / "split_token/verifier/keys.py"

    match change:
        case "edited":
            copy.write_text("VALUE = 2\n")
        case "missing":
            copy.unlink()
        case _:
            copy = copy.with_name("extra.py")
            copy.write_text("")

    assert tool.stale_copies() == [copy]
    tool.write_copies()
    assert tool.stale_copies() == []
