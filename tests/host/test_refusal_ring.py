"""Why requests were refused, in files of fixed size that any process may read."""

import os
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.host import refusal_ring
from edgeworker.host.refusal_ring import (
    FOLDER,
    RECORD_BYTES,
    RING_BYTES,
    RefusalRing,
    record_refusals,
    recorded_refusals,
)
from edgeworker.messages import RefusalReason
from edgeworker.server import AccessLogRecord
from edgeworker.testing.clock import MovableClock

PLACES = RING_BYTES // RECORD_BYTES


def _record(ring: RefusalRing, number: int, *evidence: str, rule: str = "a rule") -> None:
    reason = RefusalReason(rule, evidence)
    ring.record(ray=f"{number:016x}-LOC", at=number, status=403, method="GET", host="example.com", reason=reason)


def _rays(data: Path) -> set[int]:
    return {int(refusal.ray[:16], 16) for refusal in recorded_refusals(data)}


def _size(data: Path) -> int:
    return sum(file.stat().st_size for file in (data / FOLDER).iterdir())


def test_what_was_recorded_is_read_by_any_process_at_once(tmp_path: Path) -> None:
    ring = RefusalRing.open(tmp_path)

    _record(ring, 7, "first", "second")

    (found,) = recorded_refusals(tmp_path)
    assert (found.ray, found.at, found.status, found.rule, found.evidence) == (
        "0000000000000007-LOC",
        7,
        403,
        "a rule",
        ("first", "second"),
    )
    ring.close()


def test_the_oldest_makes_room_and_the_file_never_grows(tmp_path: Path) -> None:
    ring = RefusalRing.open(tmp_path)
    for number in range(PLACES + 10):
        _record(ring, number)

    assert _rays(tmp_path) == set(range(10, PLACES + 10))
    assert _size(tmp_path) == RING_BYTES
    ring.close()


def test_a_process_that_is_started_again_goes_on_where_the_one_before_ended(tmp_path: Path) -> None:
    for number in range(3):
        ring = RefusalRing.open(tmp_path)
        _record(ring, number)
        ring.close()

    assert _rays(tmp_path) == {0, 1, 2}


def test_processes_share_the_bound_and_more_of_them_before_leave_nothing(tmp_path: Path) -> None:
    for slot in range(4):
        _record(RefusalRing.open(tmp_path, slot=slot, processes=4), slot)
    assert (_rays(tmp_path), _size(tmp_path)) == ({0, 1, 2, 3}, RING_BYTES)

    RefusalRing.open(tmp_path, slot=0, processes=2).close()

    assert _rays(tmp_path) == {0, 1}
    assert _size(tmp_path) <= RING_BYTES


def test_another_size_keeps_the_last_records_and_a_process_that_still_uses_the_old_file_lives_on(
    tmp_path: Path,
) -> None:
    first = RefusalRing.open(tmp_path, processes=1)
    for number in range(PLACES):
        _record(first, number)

    second = RefusalRing.open(tmp_path, processes=2)
    for number in range(PLACES, PLACES + 10):
        _record(first, number)

    assert _rays(tmp_path) == set(range(PLACES // 2, PLACES))
    first.close()
    second.close()


def test_long_texts_are_cut_so_that_each_record_has_its_place(tmp_path: Path) -> None:
    ring = RefusalRing.open(tmp_path)
    _record(ring, 1, *["é" * 5000] * 50, rule="\u0000" * 5000)
    _record(ring, 2)

    assert _rays(tmp_path) == {1, 2}
    ring.close()


@pytest.mark.parametrize("content", [b"{", b"[1]", b'["a",1,1,"r","m","h","x",[]]', b"\xff\xfe", b"[" * 900])
def test_what_no_edge_wrote_is_passed_over(tmp_path: Path, content: bytes) -> None:
    ring = RefusalRing.open(tmp_path)
    _record(ring, 1)
    with (tmp_path / FOLDER / "0.ring").open("r+b") as file:
        file.seek(RECORD_BYTES)
        file.write(content)

    assert _rays(tmp_path) == {1}
    RefusalRing.open(tmp_path).close()
    ring.close()


def test_a_folder_that_no_edge_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no edge ran with this data directory; name it with --persist-to"):
        list(recorded_refusals(tmp_path))


def test_a_disk_without_room_stops_no_edge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def is_full(descriptor: int, offset: int, length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", is_full)

    assert record_refusals(tmp_path, MovableClock()) is None
    assert ": refusals cannot be recorded: No space left on device" in caplog.text
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_only_refusals_with_a_ray_are_recorded(tmp_path: Path) -> None:
    log = record_refusals(tmp_path, MovableClock())
    assert log is not None

    for status, ray in ((200, "1" * 16), (404, "2" * 16), (500, "")):
        log(AccessLogRecord("GET", "example.com", "/secret-path", status, 0.0, 0, ray=ray, served_by="shop"))

    (found,) = recorded_refusals(tmp_path)
    assert (found.ray, found.rule) == ("2" * 16, "shop answered so")
    assert b"secret-path" not in (tmp_path / refusal_ring.FOLDER / "0.ring").read_bytes()


def test_an_answer_that_was_cut_is_recorded_and_one_whose_client_left_is_not(tmp_path: Path) -> None:
    log = record_refusals(tmp_path, MovableClock())
    assert log is not None
    cut = RefusalReason("the answer was cut", ("http://a closed the connection",))

    for ray, is_complete, reason in (("1" * 16, False, cut), ("2" * 16, False, None), ("3" * 16, True, cut)):
        log(AccessLogRecord("GET", "a.test", "/", 200, 0.0, 0, complete=is_complete, ray=ray, refusal=reason))

    (found,) = recorded_refusals(tmp_path)
    assert (found.ray, found.status, found.rule, found.evidence) == ("1" * 16, 200, cut.rule, cut.evidence)


@pytest.mark.parametrize(
    ("token", "evidence"),
    [
        ("", ()),
        ("accepted", ()),
        ("missing", ("a bearer token was asked for, and the request shows none",)),
        ("refused", ("the bearer token that the request shows was not accepted",)),
        ("expired", ("the token of the request: expired",)),
    ],
)
def test_what_was_found_of_the_token_is_evidence(tmp_path: Path, token: str, evidence: tuple[str, ...]) -> None:
    log = record_refusals(tmp_path, MovableClock())
    assert log is not None

    log(AccessLogRecord("GET", "example.com", "/", 401, 0.0, 0, ray="1" * 16, served_by="gateway", token=token))

    (found,) = recorded_refusals(tmp_path)
    assert found.evidence == evidence


def test_a_file_that_another_program_cut_ends_no_process_and_takes_the_next_records(tmp_path: Path) -> None:
    ring = RefusalRing.open(tmp_path)
    _record(ring, 1)

    (tmp_path / FOLDER / "0.ring").write_bytes(b"")  # as `cp` of a backup does first; mapped, it would be SIGBUS
    _record(ring, 2)

    assert _rays(tmp_path) == {2}
    ring.close()
    RefusalRing.open(tmp_path).close()
    assert (_rays(tmp_path), _size(tmp_path)) == ({2}, RING_BYTES)


def test_a_record_that_cannot_be_written_fails_no_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = RefusalRing.open(tmp_path)

    def fail(descriptor: int, content: bytes, offset: int) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", fail)
        _record(ring, 1)
    _record(ring, 2)

    assert _rays(tmp_path) == {2}
    ring.close()
