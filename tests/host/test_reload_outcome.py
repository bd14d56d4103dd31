"""The file that tells how a reload ended."""

import os
import time
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.host.reload_outcome import OUTCOME, ReloadOutcome, ReloadOutcomeFile, read_reload_outcome


def test_an_outcome_is_read_with_the_moment_at_which_it_began(tmp_path: Path) -> None:
    file = ReloadOutcomeFile.create(tmp_path)
    assert read_reload_outcome(tmp_path) == ReloadOutcome(0, "", is_refused=False)
    before = time.monotonic_ns()

    file.begin()
    after = time.monotonic_ns()
    assert read_reload_outcome(tmp_path) == ReloadOutcome(0, "", is_refused=False)
    file.end("refused it", is_refused=True)

    outcome = read_reload_outcome(tmp_path)
    assert outcome is not None
    assert before <= outcome.began_at <= after
    assert (outcome.text, outcome.is_refused) == ("refused it", True)


def test_a_start_forgets_the_outcome_of_the_run_before(tmp_path: Path) -> None:
    before = ReloadOutcomeFile.create(tmp_path)
    before.begin()
    before.end("a text that is longer than the next one", is_refused=True)

    ReloadOutcomeFile.create(tmp_path)

    assert read_reload_outcome(tmp_path) == ReloadOutcome(0, "", is_refused=False)


@pytest.mark.parametrize("content", [None, b"", b'{"began_at": 1', b"[]", b'{"began_at": "x", "text": ""}', b"\xff"])
def test_what_cannot_be_read_is_no_outcome(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "run").mkdir()
        (tmp_path / OUTCOME).write_bytes(content)

    assert read_reload_outcome(tmp_path) is None


def test_the_file_has_its_size_from_the_start_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    """So that a full disk does not keep an outcome from being written."""
    file = ReloadOutcomeFile.create(tmp_path)
    size = (tmp_path / OUTCOME).stat().st_size

    file.end("x" * 500, is_refused=False)

    state = (tmp_path / OUTCOME).stat()
    assert (state.st_size, state.st_mode & 0o777) == (size, 0o600)


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")

    with pytest.raises(StoreError, match="run"):
        ReloadOutcomeFile.create(tmp_path)
    assert os.listdir(tmp_path) == ["run"]
