"""How many events workers are handling right now, for what watches over the event loop."""

import threading
from typing import Final


class Activity:
    """Every Worker counts itself in, and wakes a watcher that sleeps."""

    __slots__ = ("asleep", "under_way")

    def __init__(self) -> None:
        self.under_way = 0
        self.asleep: threading.Event | None = None

    def __enter__(self) -> None:
        self.under_way += 1
        if self.asleep is not None:
            self.asleep.set()

    def __exit__(self, *_error: object) -> None:
        self.under_way -= 1


activity: Final = Activity()
