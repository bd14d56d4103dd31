"""Whether an edge of several processes serves requests now, for processes that try something beside them."""

import math
import mmap
from typing import Final

from edgeworker.clock import Clock

_MOMENT_BYTES: Final = 8
_LATELY_SECONDS: Final = 0.2


class TrafficRecorder:
    """Of one process, which alone writes its moment."""

    __slots__ = ("_moments", "_monotonic", "_slot")

    def __init__(self, moments: "memoryview[float]", slot: int, clock: Clock) -> None:
        self._moments = moments
        self._slot = slot
        self._monotonic = clock.monotonic

    def record_answer(self) -> None:
        self._moments[self._slot] = self._monotonic()


class SharedTraffic:
    """When each process answered its last request, in memory that they inherit: create it before they are forked."""

    def __init__(self, clock: Clock, *, processes: int = 1) -> None:
        self._moments = memoryview(mmap.mmap(-1, processes * _MOMENT_BYTES)).cast("d")
        for slot in range(processes):
            self._moments[slot] = -math.inf
        self._clock = clock

    def of_process(self, slot: int) -> TrafficRecorder:
        return TrafficRecorder(self._moments, slot, self._clock)

    def is_busy(self) -> bool:
        """Whether any process answered a request lately."""
        return self._clock.monotonic() - max(self._moments) < _LATELY_SECONDS
