"""The bound of all connections of a process."""

from dataclasses import dataclass

from edgeworker.server.open_connections import ConnectionsOfAll, OpenConnections
from edgeworker.shared_counts import SharedCounts


@dataclass(eq=False)
class Connection:
    idle_since: float | None = None
    closed: bool = False

    def close_when_idle(self) -> None:
        self.closed = True


def test_without_a_limit_every_connection_is_admitted() -> None:
    connections = OpenConnections()

    assert all(connections.admit(Connection()) for _ in range(1000))
    assert len(connections) == 1000


def test_beyond_the_limit_none_is_admitted_while_all_do_something() -> None:
    connections = OpenConnections(2)
    first, second = Connection(), Connection()
    assert connections.admit(first)
    assert connections.admit(second)

    assert not connections.admit(Connection())
    connections.release(first)
    assert connections.admit(Connection())
    assert not connections.admit(Connection())


def test_the_connection_that_has_waited_longest_for_a_request_makes_room() -> None:
    connections = OpenConnections(3)
    busy, older, newer = Connection(), Connection(idle_since=1.0), Connection(idle_since=2.0)
    for one in (newer, busy, older):
        connections.admit(one)

    assert connections.admit(Connection())

    assert [one.closed for one in (busy, older, newer)] == [False, True, False]
    assert len(connections) == 3


def test_all_processes_together_have_a_bound_beside_that_of_each() -> None:
    shared = SharedCounts(processes=2)
    one, two = (OpenConnections(3, ConnectionsOfAll.of(4, shared.of_process(slot))) for slot in range(2))
    waiting, busy = Connection(idle_since=1.0), Connection()
    assert all(one.admit(connection) for connection in (waiting, busy, Connection()))
    assert two.admit(Connection())

    assert not two.admit(Connection())
    assert one.admit(Connection())
    assert waiting.closed
    one.release(waiting)
    assert not two.admit(Connection())
    one.release(busy)
    assert two.admit(Connection())


def test_many_that_wait_make_room_together() -> None:
    connections = OpenConnections(160)
    waiting = [Connection(idle_since=float(number)) for number in range(160)]
    for one in waiting:
        connections.admit(one)

    assert connections.admit(Connection())

    assert [number for number, one in enumerate(waiting) if one.closed] == list(range(10))


def test_two_processes_at_the_same_moment_never_go_beyond_the_bound_together() -> None:
    shared = SharedCounts(processes=2)
    bounds = [ConnectionsOfAll.of(4, shared.of_process(slot)) for slot in range(2)]
    one, two = (OpenConnections(None, bound) for bound in bounds)
    assert all(one.admit(Connection()) for _ in range(3))
    bounds[1].change(1)  # what the other process has done of its `admit` so far

    assert not one.admit(Connection())
    assert len(one) + len(two) + 1 == 4
