"""Lines for systemd's journal."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeworker.cli.journal import is_journal, with_priority
from tests.cli.running import SECONDS, environment


@pytest.mark.parametrize(
    ("level", "text", "written"),
    [
        (logging.DEBUG, "a", "<7>a"),
        (logging.INFO, "a", "<6>a"),
        (logging.WARNING, "a", "<4>a"),
        (logging.ERROR, "a\nb", "<3>a\n<3>b"),  # each line of a traceback is an entry of its own
        (logging.CRITICAL, "a", "<2>a"),
        (logging.INFO, "<0>printed by a script\n<0>b", "<6><0>printed by a script\n<6><0>b"),
    ],
)
def test_each_line_begins_with_its_priority(level: int, text: str, written: str) -> None:
    assert with_priority(text, level) == written


def test_the_journal_is_the_stream_that_systemd_named(tmp_path: Path) -> None:
    with (tmp_path / "a").open("w") as journal, (tmp_path / "b").open("w") as other:
        state = os.fstat(journal.fileno())
        environ = {"JOURNAL_STREAM": f"{state.st_dev}:{state.st_ino}"}

        assert is_journal(journal, environ)
        assert not is_journal(other, environ)
        assert not is_journal(journal, {})
        assert not is_journal(journal, {"JOURNAL_STREAM": "1"})


def _write_to_journal(*arguments: str, file: Path, cwd: Path) -> str:
    """What the command writes to its stderr, which is the journal."""
    with file.open("w") as journal:
        state = os.fstat(journal.fileno())
        env = environment(JOURNAL_STREAM=f"{state.st_dev}:{state.st_ino}")
        command = [sys.executable, *arguments]
        subprocess.run(command, stderr=journal, env=env, cwd=cwd, timeout=3 * SECONDS, check=False)
    return file.read_text()


def test_what_prevents_a_start_is_an_error_in_the_journal(tmp_path: Path) -> None:
    written = _write_to_journal("-m", "edgeworker", "serve", file=tmp_path / "journal", cwd=tmp_path)

    assert written.startswith("<3>error: serve does not look for a configuration")


@pytest.mark.parametrize(("as_json", "line"), [("False", "<4>warning: full"), ("True", '<4>{"time": ')])
def test_the_log_has_priorities_in_the_journal(as_json: str, line: str, tmp_path: Path) -> None:
    program = (
        f"import logging; from edgeworker.cli import logs; logs.set_up(as_json={as_json}); "
        "logging.getLogger('edgeworker').warning('full'); logging.getLogger('edgeworker.console').info('<0>all')"
    )

    warned, printed = _write_to_journal("-c", program, file=tmp_path / "journal", cwd=tmp_path).splitlines()

    assert warned.startswith(line)
    assert printed.startswith("<6>")
