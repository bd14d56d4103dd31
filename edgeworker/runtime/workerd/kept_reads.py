"""When workerd may answer a worker's reads of KV from what it was answered before. Pure.

A read that goes to the edge is a third of what a small request costs the child. So the child keeps the values that it
was answered, until something was written: each request is sent only after the child has forgotten what was written
before. See kept_reads.mjs for which reads these are.
"""

from typing import Final

from edgeworker.kv.store import DataVersion

# Without a write. Until then the child keeps nothing, so that many writes do not cost a message each.
QUIET_SECONDS: Final = 0.1

# What is compared: of each store, and how often an entry that was read has expired.
KVState = tuple[tuple[DataVersion, ...], int]


class Expiries:
    """How often values that were read have expired, as far as it matters: once for all that expired together."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._count = 0

    def add(self, expires_at: int | None) -> None:
        if expires_at is not None and (self._next is None or expires_at < self._next):
            self._next = expires_at

    def count(self, now: int) -> int:
        """At `now`, in epoch seconds. What is kept of all workers is forgotten then, so the next one begins anew."""
        if self._next is not None and now >= self._next:
            self._next = None
            self._count += 1
        return self._count


class KeptReads:
    """What one worker in the child was told."""

    __slots__ = ("_changed_at", "_is_stale", "_keeps", "_state")

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """A child that has just started keeps nothing."""
        self._keeps = False
        self._state: KVState | None = None
        self._changed_at = float("-inf")
        self._is_stale = False

    def decide(self, state: KVState | None, *, now: float) -> bool | None:
        """What to tell the child before it gets a request: to keep what it reads from now on, to forget what it has and
        keep nothing, or (None) nothing. `state` None cannot be told; `now` is in seconds of any clock."""
        if state is None or state != self._state:
            self._state, self._changed_at, self._is_stale = state, now, True
        if self._keeps:
            return False if self._is_stale else None
        return True if state is not None and now - self._changed_at >= QUIET_SECONDS else None

    def told(self, *, keeps: bool) -> None:
        """The child has answered that it knows."""
        self._keeps = keeps
        self._is_stale = False
