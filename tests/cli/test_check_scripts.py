"""What `edgeworker check` tells of scripts, beyond whether they load."""

from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from edgeworker.runtime.python import extension_guard
from edgeworker.runtime.python.told_once import ToldOnce
from tests.cli.test_check import GOOD, SCRIPT, check
from tests.runtime.python.test_elf import make_shared_object


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("CLOUDFLARE_ENV", raising=False)


def test_a_refused_extension_module_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extension_guard, "_told", ToldOnce())
    tmp_path.joinpath("wrangler.toml").write_text(GOOD)
    modules = tmp_path / "python_modules"
    modules.mkdir()
    for name in ("native", "other"):
        modules.joinpath(f"{name}{EXTENSION_SUFFIXES[0]}").write_bytes(make_shared_object(("connect",)))
    tmp_path.joinpath("worker.py").write_text(
        f"try:\n    import other\nexcept ImportError: ...\n{SCRIPT}import native\n"
    )

    assert check() == 1

    err = capsys.readouterr().err
    assert err.count("native opens sockets by itself") == 1
    assert "at worker.py:9\n" in err
    assert err.count("other opens sockets by itself") == 1  # which no error tells


def test_a_name_of_env_that_nothing_binds_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(GOOD + "[vars]\nREGION = 'eu'\n")
    tmp_path.joinpath(".dev.vars").write_text("KEY=1")
    body = "return self.env.REGIN, self.env.REGION, self.env.KEY"
    tmp_path.joinpath("worker.py").write_text(SCRIPT.replace("...", body))

    assert check() == 0

    err = capsys.readouterr().err
    assert (
        'env.REGIN is read, and worker "w" has no binding, variable or secret of that name, so that reading it fails. '
        'Did you mean "REGION"?\n    at worker.py:5\n'
    ) in err
    assert err.count("is read, and") == 1
