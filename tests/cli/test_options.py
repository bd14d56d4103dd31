import argparse
from pathlib import Path

import pytest

from edgeworker.cli.options import add_config_options, load_options, wrangler_words


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
