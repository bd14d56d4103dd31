"""The health of origins in several processes: one checks, the others learn of it."""

import asyncio
import json
from pathlib import Path

import pytest

from edgeworker.balancing.board import OriginBoard
from edgeworker.balancing.health import CheckResult, OriginHealth, after_check
from edgeworker.balancing.settings import HealthMonitor
from edgeworker.host.origin_health import OriginHealthFile
from edgeworker.testing.clock import MovableClock

SICK = after_check(OriginHealth(), CheckResult(7, 0.1, "refused"), HealthMonitor(), now=1000.0)


def _board() -> OriginBoard:
    board = OriginBoard()
    board.record("example.com", "http://a")
    board.record("example.com", "http://b")
    return board


def test_what_one_process_found_holds_in_the_others(tmp_path: Path) -> None:
    checking, other = _board(), _board()
    checking.record("example.com", "http://a").health = SICK

    OriginHealthFile(checking, MovableClock(), tmp_path / "origins.health").tell()
    OriginHealthFile(other, MovableClock(), tmp_path / "origins.health", checks=False).learn()

    health = other.record("example.com", "http://a").health
    assert (health.checked_healthy, health.last_check) == (False, CheckResult(7, 0.1, "refused"))
    assert not health.is_healthy(1000.0)
    assert other.record("example.com", "http://b").health == OriginHealth()


def test_what_requests_told_another_process_and_what_was_set_there_stays(tmp_path: Path) -> None:
    checking, other = _board(), _board()
    checking.record("example.com", "http://a").health = SICK
    other.record("example.com", "http://a").health = OriginHealth(failures=2, set_healthy=True)

    OriginHealthFile(checking, MovableClock(), tmp_path / "origins.health").tell()
    OriginHealthFile(other, MovableClock(), tmp_path / "origins.health", checks=False).learn()

    health = other.record("example.com", "http://a").health
    assert (health.failures, health.set_healthy, health.checked_healthy) == (2, True, False)


def test_a_change_is_reported_before_other_processes_learn_of_it(tmp_path: Path) -> None:
    """Else one that is asked for all of them joins what it knows itself with what another one was before."""
    board, clock, file = _board(), MovableClock(), tmp_path / "origins.health"
    told: list[bool] = []
    health = OriginHealthFile(board, clock, file, report=lambda: told.append(file.exists()))
    health.tell()
    told.clear()
    file.unlink()

    board.record("example.com", "http://a").health = SICK
    health.tell()
    health.tell()

    assert told == [False]


def test_what_is_learned_is_reported_at_once_and_only_where_it_changes_something(tmp_path: Path) -> None:
    checking, other, clock = _board(), _board(), MovableClock()
    file = tmp_path / "origins.health"
    reported: list[bool | None] = []
    record = other.record("example.com", "http://a")
    learning = OriginHealthFile(
        other, clock, file, checks=False, report=lambda: reported.append(record.health.checked_healthy)
    )

    checking.record("example.com", "http://a").health = SICK
    OriginHealthFile(checking, clock, file).tell()
    learning.learn()
    learning.learn()

    assert reported == [False]


@pytest.mark.parametrize("content", [b"", b"{", b"7", b"[7]", b'[["a", "b", [1, 2, 3], [4, 5, 6]]]', b"\xff"])
def test_a_file_that_cannot_be_read_changes_nothing_and_is_told(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    file, board = tmp_path / "origins.health", _board()
    file.write_bytes(content)

    OriginHealthFile(board, MovableClock(), file, checks=False).learn()

    assert board == _board()
    assert "the health of origins cannot be read" in caplog.text


def test_an_origin_that_is_not_configured_here_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "origins.health").write_text(json.dumps([["other", "http://z", [True, 9.0, 0], [1, 0.1, None]]]))
    board = _board()

    OriginHealthFile(board, MovableClock(), tmp_path / "origins.health", checks=False).learn()

    assert board == _board()


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    board = _board()
    board.record("example.com", "http://a").health = SICK

    OriginHealthFile(board, MovableClock(), tmp_path / "missing" / "origins.health").tell()

    assert "cannot be shared now" in caplog.text


async def test_a_process_that_does_not_check_looks_again_and_again(tmp_path: Path) -> None:
    clock, checking, other = MovableClock(), _board(), _board()
    file = tmp_path / "origins.health"
    running = asyncio.ensure_future(OriginHealthFile(other, clock, file, checks=False).run(lambda: []))
    await asyncio.sleep(0)

    checking.record("example.com", "http://a").health = SICK
    OriginHealthFile(checking, clock, file).tell()
    clock.advance(1)
    clock.wake_next()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert other.record("example.com", "http://a").health.checked_healthy is False
    running.cancel()
    await asyncio.wait([running])
