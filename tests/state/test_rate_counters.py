from edgeworker.state.rate_counters import RateCounters


def test_what_has_the_same_namespace_counts_together() -> None:
    counters = RateCounters()

    assert counters.count("1", "k", limit=1, period_seconds=10, now=5)
    assert not counters.count("1", "k", limit=1, period_seconds=10, now=9)
    assert counters.count("2", "k", limit=1, period_seconds=10, now=9)
