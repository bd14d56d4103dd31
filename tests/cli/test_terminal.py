"""How wide the terminal is, which `shutil` tells as well."""

import fcntl
import os
import pty
import shutil
import struct
import sys
import termios

import pytest

from edgeworker.cli.terminal import terminal_columns


@pytest.mark.parametrize("written", [None, "", "120", "0", "wide", "-5", "²"])
def test_the_width_is_what_python_finds(written: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if written is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", written)
    assert terminal_columns() == shutil.get_terminal_size().columns


def test_a_terminal_tells_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 97, 0, 0))
    monkeypatch.delenv("COLUMNS", raising=False)
    with os.fdopen(terminal, "w") as stream:
        monkeypatch.setattr(sys, "__stdout__", stream)

        assert terminal_columns() == shutil.get_terminal_size().columns == 97
    os.close(ours)


def test_without_a_stdout_it_is_the_usual_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "__stdout__", None)

    assert terminal_columns() == 80
