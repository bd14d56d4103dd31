"""In which bucket a duration is counted: https://prometheus.io/docs/concepts/metric_types/#histogram (le: at most)."""

import math

import pytest

from edgeworker.durations import BUCKETS, Durations


@pytest.mark.parametrize("index", range(len(BUCKETS)))
def test_a_bound_belongs_to_its_bucket_and_what_is_above_it_to_the_next(index: int) -> None:
    durations = Durations()
    durations.add(BUCKETS[index])
    durations.add(math.nextafter(BUCKETS[index], math.inf))

    assert durations.counts == [0] * index + [1, 1] + [0] * (len(BUCKETS) - index - 1)
    assert durations.total == pytest.approx(2 * BUCKETS[index])


def test_the_first_bucket_begins_at_zero_and_the_last_has_no_end() -> None:
    durations = Durations()
    durations.add(0.0)
    durations.add(1e9)

    assert (durations.counts[0], durations.counts[-1]) == (1, 1)
