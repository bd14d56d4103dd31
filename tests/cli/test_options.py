import argparse
from pathlib import Path

import pytest

from edgeworker.cli.options import add_config_options, load_options, wrangler_words
from tests.cli.running import dev, run


def test_the_options_become_what_load_wants() -> None:
    parser = argparse.ArgumentParser()
    add_config_options(parser)

    loaded = load_options(
        parser.parse_args(
            ["-c", "a.toml", "-c", "b.toml", "--edge", "edge.toml", "-e", "x", "--var", "A:1", "--origin", "http://o"]
        )
    )

    assert loaded.configs == (Path("a.toml"), Path("b.toml"))
    assert (loaded.edge, loaded.env, loaded.variables, loaded.origin) == (Path("edge.toml"), "x", ("A:1",), "http://o")
    assert loaded.default_script.name == "worker.py"
    assert not loaded.use_default_script


@pytest.mark.parametrize(
    ("given", "preview", "rest"),
    [
        # wrangler's own error for a binding with two ids asks for `--preview` or `--preview false`.
        (["a"], False, ["a"]),
        (["--preview", "a"], True, ["a"]),
        (["a", "--preview"], True, ["a"]),
        (["a", "--preview", "false"], False, ["a"]),
        (["--preview", "true", "true"], True, ["true"]),
        (["--preview=false", "false"], False, ["false"]),
        (["--no-preview", "a"], False, ["a"]),
        (["--", "--preview", "false"], False, ["--preview", "false"]),
    ],
)
def test_preview_is_a_boolean_in_each_of_wranglers_forms(given: list[str], preview: bool, rest: list[str]) -> None:
    parser = argparse.ArgumentParser()
    add_config_options(parser)
    parser.add_argument("rest", nargs="*")

    options = parser.parse_args(wrangler_words(given))

    assert (options.preview, options.rest) == (preview, rest)


def test_preview_takes_no_other_word(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_config_options(parser)

    with pytest.raises(SystemExit):
        parser.parse_args(["--preview=maybe"])

    assert '"maybe" is neither true nor false' in capsys.readouterr().err


SCRIPT = """
import importlib.metadata
import only_there
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(f"{only_there.VALUE} of {importlib.metadata.version('only-there')}")
"""


def test_scripts_import_packages_of_the_python_path(tmp_path: Path) -> None:
    tmp_path.joinpath("worker.py").write_text(SCRIPT)
    packages = tmp_path / "packages"
    described = packages / "only_there-1.5.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: only-there\nVersion: 1.5\n")
    (packages / "only_there.py").write_text("VALUE = 'found'\n")
    (packages / "json.py").write_text("raise SystemExit('packages come after the standard library')\n")
    tmp_path.joinpath("wrangler.toml").write_text(
        'name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-11-01"\ncompatibility_flags = ["python_workers"]\n'
    )

    assert 'package "only_there" is not installed' in run("check", cwd=tmp_path).stderr
    with dev("--python-path", "packages", cwd=tmp_path) as edge:
        assert edge.get("localhost").text == "found of 1.5"


def test_a_python_path_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.joinpath("file").write_text("")

    for name in ("file", "nothing"):
        done = run("check", "--python-path", name, cwd=tmp_path)

        text = f'error: --python-path "{name}" is not a folder; `uv pip install --target {name} PACKAGE` makes one\n'
        assert (done.returncode, done.stdout, done.stderr) == (1, "", text)
