import io
import sys

import pytest

from edgeworker.cli.kv.ask import confirm


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "said"), [("y\n", True), ("Yes\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_a_person_is_asked_and_only_yes_is_yes(monkeypatch: pytest.MonkeyPatch, answer: str, said: bool) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stderr", screen)

    assert confirm("Delete it?") is said
    assert screen.getvalue() == "Delete it? [y/N] "


def test_where_no_one_can_be_asked_it_is_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))

    assert confirm("Delete it?")
