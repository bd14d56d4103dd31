import io
import sys

import pytest

from edgeworker.cli.kv.progress import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_a_bar_and_the_number_of_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")

    with progress("importing", total=10) as show:
        show(keys=12_345, done=5)

    assert "importing" in screen.getvalue()
    assert "12,345 keys" in screen.getvalue()


def test_a_pipe_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)

    with progress("importing", total=None) as show:
        show(keys=1, done=1)

    assert pipe.getvalue() == ""
