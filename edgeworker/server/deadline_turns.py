"""Deadlines of clients that pass together: a few in each turn of the event loop, so that requests go on between.

Thousands of clients that came together and sent nothing would otherwise be answered with 408 in one turn.
"""

import asyncio
from collections import deque
from typing import Final, Protocol

A_TURN: Final = 8  # with a refusal, its log line and the closing of its connection each


class Overdue(Protocol):
    def act_on_deadline(self) -> None:
        """Its turn has come; something may have happened meanwhile."""
        ...


class DeadlineTurns:
    """Of one listener."""

    __slots__ = ("_is_turn_over", "_left", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[Overdue] = deque()
        self._left = A_TURN
        self._is_turn_over = True

    def take(self, connection: Overdue) -> bool:
        """Whether it may act now; if not, it is told when it may."""
        if self._is_turn_over:
            self._is_turn_over = False
            asyncio.get_running_loop().call_soon(self._next_turn)
        if not self._left:
            self._waiting.append(connection)
            return False
        self._left -= 1
        return True

    def _next_turn(self) -> None:
        self._is_turn_over = True
        self._left = A_TURN
        for _ in range(min(A_TURN, len(self._waiting))):
            self._waiting.popleft().act_on_deadline()
