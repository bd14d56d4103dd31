import io
from collections.abc import Iterator

import pytest

from edgeworker.cli.oauth.typed import new_password
from edgeworker.errors import ConfigError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _typing(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    said: Iterator[str] = iter(answers)
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(said))


def test_on_a_terminal_it_is_asked_for_twice_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    _typing(monkeypatch, "correct horse", "correct horse")

    assert new_password("ann@example.com") == "correct horse"


def test_two_that_differ_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _typing(monkeypatch, "correct horse", "correct house")

    with pytest.raises(ConfigError, match="the two passwords differ; nothing was written"):
        new_password("ann@example.com")


def test_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _typing(monkeypatch, "")

    with pytest.raises(ConfigError, match="a password is needed"):
        new_password("ann@example.com")


@pytest.mark.parametrize("text", ["  with spaces  \n", "  with spaces  \r\n", "  with spaces  \nmore\n"])
def test_from_a_pipe_it_is_the_first_line_as_it_is(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))

    assert new_password("ann@example.com") == "  with spaces  "
