"""Failed client authentications in windows of a minute."""

from issuer.failure_window import WINDOW_SECONDS, FailureWindow


def test_a_name_waits_for_the_rest_of_the_minute_after_as_many_failures_as_it_may_have() -> None:
    window = FailureWindow(2)

    for moment in (100.0, 110.0):
        assert window.seconds_to_wait("a", now=moment) == 0
        window.count("a", now=moment)

    assert window.seconds_to_wait("a", now=120.0) == 40
    assert window.seconds_to_wait("b", now=120.0) == 0
    assert window.seconds_to_wait("a", now=100.0 + WINDOW_SECONDS) == 0


def test_a_clock_that_was_set_back_locks_no_one_out() -> None:
    window = FailureWindow(1)
    window.count("a", now=1000.0)

    assert window.seconds_to_wait("a", now=10.0) == 0


def test_many_names_do_not_fill_the_memory() -> None:
    window = FailureWindow(1)

    for number in range(10_500):
        window.count(str(number), now=1.0)

    assert len(window._windows) == 10_000
    assert window.seconds_to_wait("10499", now=1.0) > 0
