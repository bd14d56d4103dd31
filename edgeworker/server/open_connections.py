"""How many connections a process has open, over all of its listeners, and what makes room when there is none."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

# One in so many idle connections is closed at a time: finding them takes a look at each connection.
_IDLE_PER_CLOSED: Final = 16


class IdleConnection(Protocol):
    @property
    def idle_since(self) -> float | None:
        """In seconds of the event loop; None while a request is under way or begun."""
        ...

    def close_when_idle(self) -> None: ...


@dataclass(slots=True)
class OpenConnections:
    """`limit` None: as many as there are file descriptors."""

    limit: int | None = None
    _connections: set[IdleConnection] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self._connections)

    def admit(self, connection: IdleConnection) -> bool:
        """Count a connection; False, and not counted, if the limit is reached and no connection is idle. Otherwise
        those that are idle longest are closed to make room."""
        if self.limit is not None and len(self._connections) >= self.limit and not self._close_idle():
            return False
        self._connections.add(connection)
        return True

    def release(self, connection: IdleConnection) -> None:
        self._connections.discard(connection)

    def _close_idle(self) -> bool:
        idle = _find_longest_idle(self._connections)
        for connection in idle:
            self._connections.discard(connection)
            connection.close_when_idle()
        return bool(idle)


def _find_longest_idle(connections: Iterable[IdleConnection]) -> list[IdleConnection]:
    idle = [(since, number, one) for number, one in enumerate(connections) if (since := one.idle_since) is not None]
    idle.sort(key=lambda found: found[:2])
    return [one for _, _, one in idle[: max(1, len(idle) // _IDLE_PER_CLOSED)]]
