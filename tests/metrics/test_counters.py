"""What is counted of requests, and that labels stay few."""

from edgeworker.metrics.counters import OTHER, Counters
from edgeworker.server.access_log import AccessLogRecord


def record(**changes: object) -> AccessLogRecord:
    values: dict[str, object] = {
        "method": "GET",
        "host": "a.test",
        "path": "/",
        "status": 200,
        "seconds": 0.02,
        "sent_bytes": 7,
        "served_by": "shop",
    }
    return AccessLogRecord(**{**values, **changes})  # type: ignore[arg-type]  # one of the record's own fields


def test_a_request_counts_by_method_status_and_what_served_it() -> None:
    counters = Counters()

    counters.add_request(record())
    counters.add_request(record(status=404, complete=False))
    counters.add_request(record(method="BREW", served_by=""))

    assert counters.requests == {("GET", 200, "shop"): 1, ("GET", 404, "shop"): 1, (OTHER, 200, "edge"): 1}
    assert (counters.sent_bytes, counters.cut) == (21, 1)
    assert sum(counters.durations["shop"].counts) == 2
    assert counters.durations["shop"].counts[4] == 2  # up to 25 ms


def test_a_client_cannot_make_the_labels_many() -> None:
    counters = Counters()

    for number in range(1000):
        counters.add_request(record(method=f"M{number}", served_by=f"worker{number}"))

    assert len(counters.durations) == 201
    assert {method for method, _, _ in counters.requests} == {OTHER}
    assert sum(counters.requests.values()) == 1000


def test_the_counts_of_processes_add_up() -> None:
    one, two = Counters(started_at=5), Counters(started_at=3, last_reload_at=9)
    one.add_request(record())
    two.add_request(record(seconds=20.0))

    one.merge(two)

    assert one.requests == {("GET", 200, "shop"): 2}
    assert one.durations["shop"].counts[-1] == 1
    assert (one.started_at, one.last_reload_at) == (3, 9)


def test_results_of_tokens_are_bounded() -> None:
    counters = Counters()
    for number in range(100):
        counters.add_request(record(token=f"result {number}"))

    assert len(counters.tokens) == 31
    assert counters.tokens["other"] == 70


def test_moments_of_processes_are_joined_to_the_earliest_and_0_is_none() -> None:
    whole = Counters()
    for ends in (0, 500, 300):
        whole.merge(Counters(certificate_ends=ends, signs_since=ends))
    whole.merge(Counters(certificate_ends=7), is_alive=False)

    assert (whole.certificate_ends, whole.signs_since) == (300, 300)
