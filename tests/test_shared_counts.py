"""Counts that processes share: exact over them, bounded, and fair to names of other groups."""

import os

import pytest

from edgeworker.shared_counts import Counted, SharedCounts


def _add(counts: SharedCounts, what: str, group: str = "g", *, now: int = 0) -> Counted:
    return counts.add(counts.name(group, what.encode()), seconds=10, now=now, ends_at=now + 10)


def test_what_each_process_adds_all_of_them_see() -> None:
    shared = SharedCounts(processes=3)
    views = [shared.of_process(slot) for slot in range(3)]

    totals = [_add(view, "a").total for view in (*views, *views)]

    assert totals == [1, 2, 3, 4, 5, 6]
    assert {view.look(shared.name("g", b"a"), seconds=10, now=9) for view in views} == {Counted(6, 10, 0)}


def test_a_window_goes_on_in_every_process_until_it_ends() -> None:
    shared = SharedCounts(processes=2)
    one, two = shared.of_process(0), shared.of_process(1)

    assert _add(one, "a", now=0) == Counted(1, 10, 0)
    assert _add(two, "a", now=9) == Counted(2, 10, 0)
    assert _add(two, "a", now=10) == Counted(1, 20, 0)
    assert _add(one, "a", now=19) == Counted(2, 20, 0)


def test_a_clock_that_is_set_back_begins_a_new_window() -> None:
    counts = SharedCounts()
    _add(counts, "a", now=100)

    assert _add(counts, "a", now=50) == Counted(1, 60, 0)
    counts.block(counts.name("g", b"a"), until=1000, now=50)
    assert counts.look(counts.name("g", b"a"), seconds=10, now=50, longest_block=10).blocked_until == 0


def test_a_block_of_one_process_holds_in_all() -> None:
    shared = SharedCounts(processes=2)
    name = shared.name("g", b"a")

    shared.of_process(1).block(name, until=7, now=0)

    looks = [shared.of_process(0).look(name, seconds=10, now=now, longest_block=10).blocked_until for now in (6, 7)]
    assert looks == [7, 0]


@pytest.mark.parametrize(
    ("one", "other"), [((b"ab", b"c"), (b"a", b"bc")), ((b"-",), (None,)), ((b"",), ()), ((None,), (b"",))]
)
def test_parts_of_a_name_do_not_run_together(one: tuple[bytes | None, ...], other: tuple[bytes | None, ...]) -> None:
    counts = SharedCounts()

    assert counts.name("g", *one) != counts.name("g", *other)


def test_a_flood_of_one_group_pushes_out_its_own_names() -> None:
    counts = SharedCounts(buckets=1)
    for _ in range(3):
        _add(counts, "network", "networks")

    for number in range(1000):
        _add(counts, str(number), "tokens")

    assert _add(counts, "network", "networks").total == 4


def test_where_all_are_of_one_group_what_counted_least_makes_room_and_no_block_is_lost() -> None:
    counts = SharedCounts(buckets=1)
    for _ in range(5):
        _add(counts, "often")
    counts.block(counts.name("g", b"blocked"), until=9, now=0)

    for number in range(1000):
        _add(counts, str(number))

    assert _add(counts, "often").total == 6
    assert counts.look(counts.name("g", b"blocked"), seconds=10, now=0, longest_block=10).blocked_until == 9


def test_what_is_there_now_is_counted_over_processes_and_goes_with_a_process() -> None:
    shared = SharedCounts(processes=2, buckets=1)
    one, two, name = shared.of_process(0), shared.of_process(1), shared.name("connections")
    for view in (one, two, two):
        view.change(name, 1)
    assert one.present(name) == 3

    two.change(name, -1)
    assert one.present(name) == 2
    one.forget_own()
    assert one.present(name) == 1


def test_names_of_which_nothing_is_there_any_more_take_no_room() -> None:
    counts = SharedCounts(buckets=1)

    for number in range(100):
        counts.change(counts.name("origins", b"%d" % number), 1)
        counts.change(counts.name("origins", b"%d" % number), -1)
    counts.change(counts.name("origins", b"x"), 1)

    assert counts.present(counts.name("origins", b"x")) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_processes_never_let_in_more_than_a_limit() -> None:
    shared, limit, each = SharedCounts(processes=4), 1000, 500
    children = []
    for slot in range(4):
        process = os.fork()
        if process == 0:
            view = shared.of_process(slot)
            admitted = sum(_add(view, "a").total <= limit for _ in range(each))
            os._exit(admitted // 2 if admitted <= each else 255)
        children.append(process)

    admitted = sum(2 * os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)

    assert admitted <= limit
    assert shared.look(shared.name("g", b"a"), seconds=10, now=0).total == 4 * each
