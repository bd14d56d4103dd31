"""The counts of several processes, shared by files."""

import os
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.metrics.counters import NUMBERS, Counters
from edgeworker.metrics.exposition import prometheus_text
from edgeworker.metrics.snapshots import Snapshots, from_json, to_json
from tests.metrics.test_counters import record


@given(st.lists(st.tuples(st.sampled_from(["GET", "X"]), st.integers(100, 599), st.text(), st.floats(0, 100))))
def test_what_is_written_is_read(requests: list[tuple[str, int, str, float]]) -> None:
    counters = Counters(started_at=7)
    for method, status, name, seconds in requests:
        counters.add_request(record(method=method, status=status, served_by=name, seconds=seconds, token="accepted"))
    counters.kv_found, counters.certificate_ends, counters.signs_since = 3, 8, 9
    counters.key_imports = {("example.com", "main"): 5}

    assert from_json(to_json(counters)) == counters


def write(file: Path, process: int, counters: Counters) -> None:
    file.write_text(f"{process}\n{to_json(counters)}")


def requests_of(counters: Counters) -> int:
    return sum(counters.requests.values())


def test_all_files_of_the_folder_are_joined_and_only_living_processes_are_counted(tmp_path: Path) -> None:
    own, other, gone = Counters(processes=1), Counters(in_flight=3, processes=1), Counters(in_flight=5, processes=1)
    for counters in (own, other, gone):
        counters.add_request(record())
    write(tmp_path / "1.json", os.getppid(), other)
    write(tmp_path / "2.json", 999_999_999, gone)

    whole = Snapshots.open(own, tmp_path / "0.json").joined()

    assert requests_of(whole) == 3
    assert (whole.processes, whole.in_flight) == (2, 3)
    assert requests_of(own) == 1


def test_a_process_goes_on_from_what_the_one_before_it_counted(tmp_path: Path) -> None:
    before = Counters(in_flight=5, processes=1, kv_found=3)
    before.add_request(record())
    write(tmp_path / "0.json", 999_999_999, before)

    for expected in (2, 3):  # it may be killed too
        own = Counters(processes=1)
        own.add_request(record())
        whole = Snapshots.open(own, tmp_path / "0.json").joined()
        assert requests_of(whole) == expected

    assert (whole.processes, whole.in_flight, whole.kv_found) == (1, 0, 3)
    assert len(list(tmp_path.iterdir())) == 1


def test_no_count_that_was_told_goes_back_when_its_process_is_killed_or_another_is_asked(tmp_path: Path) -> None:
    counters = Counters()
    asked = Snapshots.open(counters, tmp_path / "0.json")
    asked.write()
    counters.add_request(record())
    assert requests_of(asked.joined()) == 1

    other = Snapshots.open(Counters(), tmp_path / "1.json")

    assert requests_of(other.joined()) == 1


def test_what_a_killed_process_left_half_written_is_in_no_ones_way(tmp_path: Path) -> None:
    (tmp_path / ".0.json.0123456789abcdef").write_text("half")

    Snapshots.open(Counters(started_at=7), tmp_path / "0.json").write()

    assert Snapshots.open(Counters(), tmp_path / "1.json").joined().started_at == 7


_UNREADABLE = ["", "[]", "{}", "1", "1\n[]", '1\n{"requests": 1, "durations": {}, "numbers": []}']


@pytest.mark.parametrize("text", _UNREADABLE)
def test_a_file_that_cannot_be_read_is_left_out_and_told(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "1.json").write_text(text)

    whole = Snapshots.open(Counters(), tmp_path / "0.json").joined()

    assert not whole.requests
    assert "1.json: the counts of another process cannot be read" in caplog.text


@pytest.mark.parametrize("text", _UNREADABLE)
def test_a_process_begins_at_0_if_what_the_one_before_it_counted_cannot_be_read(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "0.json").write_text(text)

    assert not Snapshots.open(Counters(), tmp_path / "0.json").joined().requests
    assert "0.json: the counts of the process before cannot be read" in caplog.text


def test_every_number_that_is_counted_is_joined_written_and_shown() -> None:
    counters = Counters()
    for value, name in enumerate(NUMBERS, 1001):
        setattr(counters, name, value)

    read = from_json(to_json(counters))
    shown = prometheus_text(read)

    assert read == counters
    assert {item.name for item in fields(Counters) if item.type is int or item.type == "int"} == set(NUMBERS)
    assert [name for name in NUMBERS if f" {getattr(counters, name)}\n" not in shown] == []
