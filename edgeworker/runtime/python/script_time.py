"""The modules `time` and `datetime` of a script where the edge's clock is not the machine's: "now" is the clock's.

Only scripts and what is vendored beside them get these. Installed packages keep the machine's clock (`jwt.decode`
compares `exp` with it, for example); sleeping and timers of asyncio are real too.
"""

import datetime as real_datetime
import time as real_time
from collections.abc import Callable, Mapping

from edgeworker.clock import Clock


def make_time_modules(clock: Clock) -> dict[str, Callable[[], Mapping[str, object]]]:
    """What fills each module, by its name."""
    return {"time": lambda: _time(clock), "datetime": lambda: _datetime(clock)}


def _time(clock: Clock) -> dict[str, object]:
    def time() -> float:
        return clock.now_ms() / 1000

    def time_ns() -> int:
        return clock.now_ms() * 1_000_000

    def given(seconds: float | None) -> float:
        return time() if seconds is None else seconds

    return {
        **vars(real_time),
        "time": time,
        "time_ns": time_ns,
        "monotonic": clock.monotonic,
        "gmtime": lambda seconds=None: real_time.gmtime(given(seconds)),
        "localtime": lambda seconds=None: real_time.localtime(given(seconds)),
        "ctime": lambda seconds=None: real_time.ctime(given(seconds)),
    }


def _datetime(clock: Clock) -> dict[str, object]:
    class _OfAnyDatetime(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, real_datetime.datetime)

    class _OfAnyDate(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, real_datetime.date)

    class datetime(real_datetime.datetime, metaclass=_OfAnyDatetime):
        @classmethod
        def __get_pydantic_core_schema__(cls, _source: object, handler: Callable[[object], object]) -> object:
            """A field of a model is the real class to pydantic."""
            return handler(real_datetime.datetime)

        @classmethod
        def now(cls, tz: real_datetime.tzinfo | None = None) -> "datetime":
            return cls.fromtimestamp(clock.now_ms() / 1000, tz)

        @classmethod
        def utcnow(cls) -> "datetime":
            return cls.fromtimestamp(clock.now_ms() / 1000, real_datetime.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> "datetime":
            return cls.now()

    class date(real_datetime.date, metaclass=_OfAnyDate):
        @classmethod
        def __get_pydantic_core_schema__(cls, _source: object, handler: Callable[[object], object]) -> object:
            return handler(real_datetime.date)

        @classmethod
        def today(cls) -> "date":
            return cls.fromtimestamp(clock.now_ms() / 1000)

    return {**vars(real_datetime), "datetime": datetime, "date": date}
