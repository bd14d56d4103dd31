"""Warnings of scripts, each once."""

from edgeworker.runtime.python.told_once import ToldOnce


def test_the_same_of_the_same_worker_is_said_once() -> None:
    told = ToldOnce()

    assert told.is_first("a", "x")
    assert not told.is_first("a", "x")
    assert told.is_first("b", "x")
    assert told.is_first("a", "x", 2)


def test_what_is_kept_is_bounded() -> None:
    told = ToldOnce()

    for number in range(100_000):
        assert told.is_first("a", number)

    assert not told.is_first("a", 99_999)
    assert told.is_first("a", 0)  # forgotten
