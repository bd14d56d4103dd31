import sys
from pathlib import Path

import pytest

from edgeworker.errors import ScriptError
from edgeworker.host import bundled


def _folder_with_script(root: Path, name: str) -> Path:
    (root / name).mkdir(parents=True)
    (root / name / "worker.py").write_text("")
    return root


def test_a_checkout_has_the_scripts_beside_the_package() -> None:
    assert bundled.scripts_folder() == Path(__file__).resolve().parents[2] / "scripts"
    assert {"hello", bundled.DEFAULT_SCRIPT} <= set(bundled.script_names())


def test_each_script_has_its_configuration_and_its_readme() -> None:
    for name in bundled.script_names():
        folder = bundled.script(name)
        assert (folder / "README.md").is_file(), name
        assert (folder / "wrangler.toml").is_file(), name


@pytest.mark.parametrize("inside", ["edgeworker/bundled_scripts", "scripts"])
def test_the_single_binary_has_them_where_it_was_unpacked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, inside: str
) -> None:
    folder = _folder_with_script(tmp_path / inside, "shipped")
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)

    assert bundled.scripts_folder() == folder
    assert bundled.script("shipped") == folder / "shipped"


def test_a_wheel_has_them_in_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = tmp_path / "site-packages" / "edgeworker" / "cli" / "bundled.py"
    folder = _folder_with_script(module.parents[1] / "bundled_scripts", "shipped")
    monkeypatch.setattr(bundled, "__file__", str(module))

    assert bundled.scripts_folder() == folder


def test_an_installation_without_scripts_says_where_it_looked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bundled, "__file__", str(tmp_path / "edgeworker" / "cli" / "bundled.py"))

    with pytest.raises(ScriptError, match=r"carries no scripts.*bundled_scripts.*install it again"):
        bundled.scripts_folder()


def test_an_unknown_script_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(ScriptError, match=r'no script "nosuch" here; there are: .*hello.*split_token'):
        bundled.script("nosuch")
