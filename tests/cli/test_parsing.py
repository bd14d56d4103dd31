"""Words that the command line does not know."""

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
    ],
)
def test_what_was_probably_meant_is_said(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(words)

    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_known_words_leave_no_trace() -> None:
    assert not any("parser" in name for name in vars(parser().parse_args(["dev", "--port", "0"])))
