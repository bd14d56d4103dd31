"""Words that the command line does not know."""

import argparse
from collections.abc import Iterator

import pytest

from edgeworker.cli import parser


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dve"], 'COMMAND: "dve" is not known. Did you mean "dev"?'),
        (["tokne", "create"], 'COMMAND: "tokne" is not known. Did you mean "token"?'),
        (["xyz"], "There are: 'access', "),
        (["dev", "--orgin", "http://o"], 'unrecognized arguments: --orgin http://o. Did you mean "--origin"?'),
        (["dev", "--prot=1"], 'unrecognized arguments: --prot=1. Did you mean "--port"?'),
        (["dev", "--zzzzz"], "unrecognized arguments: --zzzzz. See edgeworker dev --help"),
        (["kv", "kye", "get"], 'Did you mean "key"?'),
        (["kv", "key", "get", "k", "--bindng", "X"], 'is required. Did you mean "--binding"?'),
        (["oauth", "users", "ad"], 'Did you mean "add"?'),
        (["config", "shwo"], 'Did you mean "show"?'),
        (["check", "--enviroment"], 'unrecognized arguments: --enviroment. Did you mean "--env"?'),
        (["check", "--environment=x"], 'Did you mean "--env"?'),
        (["dev", "-prot", "1"], 'Did you mean "--port"?'),
        (["--verison"], 'Did you mean "--version"?'),
        (["kv", "--hlep"], 'Did you mean "--help"?'),
        (["jwt", "verify", "--isuer", "x"], 'the following arguments are required: --keys. Did you mean "--issuer"?'),
        (["token", "create", "n", "--expirs=1d"], 'Did you mean "--expires"?'),
        (["dev", "-5"], "unrecognized arguments: -5. See edgeworker dev --help"),
        (
            ["--port", "80", "dev"],
            "--port stands before the command; options come after it: edgeworker dev --port 80\n",
        ),
        (["--port=80", "dev"], "edgeworker dev --port=80\n"),
        (["--edge", "a b", "serve", "--processes", "2"], "edgeworker serve --processes 2 --edge 'a b'\n"),
        (["--persist-to", "/d", "kv", "key", "get", "k"], "edgeworker kv key get k --persist-to /d\n"),
        (["kv", "--persist-to", "/d", "stats"], "options come after it: edgeworker kv stats --persist-to /d\n"),
        (["--env", "dev", "check"], "--env stands before the command; options come after it: edgeworker COMMAND ...\n"),
        (["--verison", "dev"], 'unrecognized arguments: --verison. Did you mean "--version"?'),
    ],
)
def test_what_was_probably_meant_is_said(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(words)

    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_known_words_leave_no_trace() -> None:
    assert not any("parser" in name for name in vars(parser().parse_args(["dev", "--port", "0"])))


def _parsers(above: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield above
    for action in above._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in set(action.choices.values()):
                yield from _parsers(each)


def test_every_long_option_of_every_command_is_suggested_for_one_letter_too_few(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for each in _parsers(parser()):
        long = [name for action in each._actions for name in action.option_strings if len(name) > 6]
        for option in long:
            misspelt = f"{option[:4]}{option[5:]}"
            if misspelt in long:
                continue
            with pytest.raises(SystemExit):
                each.parse_args([f"{misspelt}=x"])

            assert "Did you mean" in capsys.readouterr().err, (each.prog, misspelt)
