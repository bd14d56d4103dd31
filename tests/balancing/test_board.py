"""What one process knows of every origin."""

import pytest

from edgeworker.balancing.board import OriginBoard
from edgeworker.balancing.settings import LoadBalancer, OriginServer


def test_a_reload_keeps_what_is_known_of_origins_that_stay() -> None:
    board = OriginBoard()
    for url in ("http://a", "http://b", "http://c"):
        board.record("example.com", url).requests = 7
    board.record("", "http://alone").requests = 7
    board.record("example.com", "http://c").in_use = 1

    board.keep_only([LoadBalancer((OriginServer("http://a"),), name="example.com")])

    assert {key[1] for key in board.records} == {"http://a", "http://c", "http://alone"}
    assert board.record("example.com", "http://a").requests == 7


def test_an_origin_that_a_reload_removed_is_forgotten_when_its_last_request_has_ended() -> None:
    board = OriginBoard()
    removed = board.record("example.com", "http://a")
    removed.in_use = 1
    board.keep_only([])
    board.forget_removed()
    assert list(board.records.values()) == [removed]

    removed.in_use = 0
    board.forget_removed()
    assert board.records == {}


def test_an_origin_that_comes_again_or_is_about_to_come_is_not_forgotten() -> None:
    """The next configuration asks for its origins before the one in use is replaced."""
    board = OriginBoard()
    again = board.record("example.com", "http://a")
    again.in_use = 1
    board.keep_only([])

    board.record("example.com", "http://a").in_use = 0
    board.record("example.com", "http://new")
    board.forget_removed()

    assert {key[1] for key in board.records} == {"http://a", "http://new"}


def test_the_board_is_bounded_and_never_forgets_an_origin_in_use() -> None:
    board = OriginBoard()
    board.record("", "http://first").in_use = 1
    for number in range(3000):
        board.record("", f"http://{number}")

    assert len(board.records) == 1000
    assert ("", "http://first") in board.records


def test_an_origin_that_no_load_balancer_has_cannot_be_set() -> None:
    board = OriginBoard()
    board.record("example.com", "http://a")
    board.record("", "http://b")

    with pytest.raises(LookupError, match='no load balancer has the origin "http://b"; there are: http://a'):
        board.set_healthy("http://b", False)


def test_an_error_is_kept_in_a_bounded_length() -> None:
    record = OriginBoard().record("", "http://a")

    record.add_failure("x" * 10_000, now=5)

    assert (len(record.last_error), record.last_error_at, record.failures) == (300, 5, 1)
