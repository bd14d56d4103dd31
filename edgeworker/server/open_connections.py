"""How many connections are open, over all listeners, and what makes room when there is none."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

from edgeworker.shared_counts import CountedName, SharedCounts

# One in so many idle connections is closed at a time: finding them takes a look at each connection.
_IDLE_PER_CLOSED: Final = 16


class IdleConnection(Protocol):
    @property
    def idle_since(self) -> float | None:
        """In seconds of the event loop; None while a request is under way or begun."""
        ...

    def close_when_idle(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ConnectionsOfAll:
    """How many connections all processes may have open together, and how many they have."""

    limit: int
    _counts: SharedCounts
    _name: CountedName

    @classmethod
    def of(cls, limit: int, counts: SharedCounts) -> Self:
        return cls(limit, counts, counts.name("connections"))

    @property
    def is_exceeded(self) -> bool:
        return self._counts.present(self._name) > self.limit

    def change(self, amount: int) -> None:
        self._counts.change(self._name, amount)


@dataclass(slots=True)
class OpenConnections:
    """`limit` is that of this process; None: as many as there are file descriptors. `of_all` bounds all processes."""

    limit: int | None = None
    of_all: ConnectionsOfAll | None = None
    _connections: set[IdleConnection] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self._connections)

    def admit(self, connection: IdleConnection) -> bool:
        """Count a connection; False, and not counted, if the limit is reached and no connection is idle. Otherwise
        those that are idle longest are closed to make room."""
        is_full = self.limit is not None and len(self._connections) >= self.limit
        if self.of_all is not None:
            self.of_all.change(1)  # first: of two processes at the same moment each sees the other's
            is_full = is_full or self.of_all.is_exceeded
        if is_full and not self._close_idle():
            if self.of_all is not None:
                self.of_all.change(-1)
            return False
        self._connections.add(connection)
        return True

    def release(self, connection: IdleConnection) -> None:
        if self.of_all is not None and connection in self._connections:
            self.of_all.change(-1)
        self._connections.discard(connection)

    def _close_idle(self) -> bool:
        idle = _find_longest_idle(self._connections)
        for connection in idle:
            self.release(connection)
            connection.close_when_idle()
        return bool(idle)


def _find_longest_idle(connections: Iterable[IdleConnection]) -> list[IdleConnection]:
    idle = [(since, number, one) for number, one in enumerate(connections) if (since := one.idle_since) is not None]
    idle.sort(key=lambda found: found[:2])
    return [one for _, _, one in idle[: max(1, len(idle) // _IDLE_PER_CLOSED)]]
