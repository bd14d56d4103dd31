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


def test_all_files_of_the_folder_are_joined_and_only_living_processes_are_counted(tmp_path: Path) -> None:
    own, other, gone = Counters(), Counters(in_flight=3), Counters(in_flight=5)
    for counters in (own, other, gone):
        counters.add_request(record())
    (tmp_path / f"{os.getppid()}.json").write_text(to_json(other))
    (tmp_path / "999999999.json").write_text(to_json(gone))

    snapshots = Snapshots(own, tmp_path)
    snapshots.write()
    whole, processes = snapshots.joined()

    assert sum(whole.requests.values()) == 3
    assert (processes, whole.in_flight) == (2, 3)
    assert sum(own.requests.values()) == 1


def test_what_a_killed_process_of_the_same_id_left_half_written_is_in_no_ones_way(tmp_path: Path) -> None:
    """In a container the first process has the id 1 after each start, and in two containers at once."""
    (tmp_path / f"{os.getpid()}.draft").write_text("half")

    Snapshots(Counters(started_at=7), tmp_path).write()

    assert from_json((tmp_path / f"{os.getpid()}.json").read_text()).started_at == 7


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"requests": 1, "durations": {}, "numbers": []}'])
def test_a_file_that_cannot_be_read_is_left_out_and_told(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "1.json").write_text(text)

    whole, _ = Snapshots(Counters(), tmp_path).joined()

    assert not whole.requests
    assert "1.json: the counts of another process cannot be read" in caplog.text


def test_every_number_that_is_counted_is_joined_written_and_shown() -> None:
    counters = Counters()
    for value, name in enumerate(NUMBERS, 1001):
        setattr(counters, name, value)

    read = from_json(to_json(counters))
    shown = prometheus_text(read, processes=1)

    assert read == counters
    assert {item.name for item in fields(Counters) if item.type is int or item.type == "int"} == set(NUMBERS)
    assert [name for name in NUMBERS if f" {getattr(counters, name)}\n" not in shown] == []
