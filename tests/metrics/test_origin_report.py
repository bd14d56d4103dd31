"""What is told of origins, joined over processes."""

import json

import pytest

from edgeworker.balancing.board import OriginRecord
from edgeworker.balancing.health import CheckResult, OriginHealth
from edgeworker.metrics.counters import Counters
from edgeworker.metrics.origin_report import OriginReport, from_rows, report_of, to_rows


def _record(*, healthy: bool, requests: int, error_at: int = 0, check_at: int = 0) -> OriginRecord:
    health = OriginHealth(set_healthy=healthy, last_check=CheckResult(check_at, 0.2, None))
    record = OriginRecord("example.com", "http://a", health, in_use=1, requests=requests)
    record.durations.add(0.02)
    if error_at:
        record.add_failure(f"failed at {error_at}", now=error_at)
    return record


def test_counts_of_processes_add_up_and_the_last_error_and_check_win() -> None:
    whole = Counters()
    for record in (
        _record(healthy=True, requests=3, error_at=5, check_at=9),
        _record(healthy=False, requests=4, error_at=8, check_at=7),
    ):
        whole.merge(Counters(origins={("example.com", "http://a"): report_of(record, now=0.0)}))
    told = whole.origins["example.com", "http://a"].as_json()

    assert (told["requests"], told["failures"], told["in_use"]) == (7, 2, 2)
    assert (told["healthy"], told["healthy_processes"], told["processes"]) == (False, 1, 2)
    assert told["last_error"] == {"at": 8, "text": "failed at 8"}
    assert told["last_check"] == {"at": 9, "ms": 200.0, "error": None}
    assert sum(whole.origins["example.com", "http://a"].durations.counts) == 2


def test_of_a_process_that_has_ended_only_what_adds_up_counts() -> None:
    whole = Counters()
    whole.merge(Counters(origins={("", "x"): report_of(_record(healthy=False, requests=3), now=0.0)}), is_alive=False)

    report = whole.origins["", "x"]
    assert (report.requests, report.in_use, report.healthy, report.processes) == (3, 0, 0, 0)


def test_what_is_written_is_read() -> None:
    reports = [report_of(_record(healthy=True, requests=3, error_at=4), now=0.0), OriginReport("", "http://b")]

    read = from_rows(json.loads(json.dumps(to_rows(reports))))

    assert list(read.values()) == reports


@pytest.mark.parametrize("rows", [None, {}, [1], [["a"]], [["a", "b", [1], [], ["", 0], None, [[1], 0]]]])
def test_what_no_process_of_ours_wrote_is_refused(rows: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        from_rows(rows)
