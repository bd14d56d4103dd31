"""How the code of a script's module comes about."""

from pathlib import Path
from types import ModuleType

from edgeworker.runtime.python.script_loaders import ScriptLoader


class _Owner:
    def __init__(self) -> None:
        self.builtins: dict[str, object] = {}
        self.waits = False

    def owns(self, name: str) -> bool:
        return False

    def name_plainly(self, module: ModuleType) -> None:
        return None


def test_a_reload_compiles_only_what_has_changed_since_within_the_same_second_too(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("A = 1\n")
    first = ScriptLoader(_Owner(), "module", str(file)).get_code("module")
    again = ScriptLoader(_Owner(), "module", str(file)).get_code("module")
    file.write_text("A = 2\n")  # as long as before
    changed = ScriptLoader(_Owner(), "module", str(file)).get_code("module")

    assert first is again
    assert changed is not None
    found: dict[str, int] = {}
    exec(changed, found)
    assert found["A"] == 2


def test_a_file_that_is_compiled_already_still_tells_that_it_waits(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("import requests\n")
    ScriptLoader(_Owner(), "module", str(file)).get_code("module")
    owner = _Owner()

    ScriptLoader(owner, "module", str(file)).get_code("module")

    assert owner.waits
