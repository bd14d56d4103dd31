"""The counts as Prometheus and as people read them."""

from edgeworker.metrics.counters import Counters
from edgeworker.metrics.exposition import prometheus_text, status_text
from tests.metrics.test_counters import record


def counted() -> Counters:
    counters = Counters(started_at=100, in_flight=2)
    counters.add_request(record())
    counters.add_request(record(status=502, seconds=30.0, served_by='o"r\\'))
    return counters


def test_prometheus_reads_counters_and_histograms() -> None:
    lines = prometheus_text(counted(), processes=2).splitlines()

    assert 'edgeworker_requests_total{method="GET",status="200",served_by="shop"} 1' in lines
    assert 'edgeworker_requests_total{method="GET",status="502",served_by="o\\"r\\\\"} 1' in lines
    assert 'edgeworker_request_duration_seconds_bucket{served_by="shop",le="0.01"} 0' in lines
    assert 'edgeworker_request_duration_seconds_bucket{served_by="shop",le="0.025"} 1' in lines
    assert 'edgeworker_request_duration_seconds_bucket{served_by="shop",le="+Inf"} 1' in lines
    assert 'edgeworker_request_duration_seconds_count{served_by="shop"} 1' in lines
    assert "edgeworker_processes 2" in lines
    assert "edgeworker_requests_in_flight 2" in lines
    names = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert all(line.startswith(("#", *names)) for line in lines)


def test_people_get_a_few_lines() -> None:
    assert status_text(counted(), processes=1, now=160).splitlines()[1:3] == [
        "requests  2 (1 2xx, 0 3xx, 0 4xx, 1 5xx), 2 under way, 0 cut",
        "reloads   0, 0 refused",
    ]
