"""`Date` and `performance`, on the edge's clock, so that a test that moves the clock moves them too."""

import math
from datetime import UTC, datetime
from typing import Final

from edgeworker.clock import Clock
from edgeworker.runtime.webapi.base import JsObject, range_error
from edgeworker.runtime.webapi.ffi import JsNull
from edgeworker.runtime.webapi.plain_objects import null
from edgeworker.runtime.webapi.surplus import javascript_class

_MOST_MS: Final = 8.64e15  # https://tc39.es/ecma262/#sec-timeclip


class Date(JsObject):
    """`Date.new()` is now; of epoch milliseconds, of an ISO text, or of another date. UTC, as on Cloudflare."""

    clock: Clock

    def __init__(self, *parts: object) -> None:
        self._ms = self._from(parts)

    @classmethod
    def on(cls, clock: Clock) -> "type[Date]":
        """The class for one worker."""
        return type("Date", (cls,), {"clock": clock})

    @classmethod
    def now(cls) -> int:
        return cls.clock.now_ms()

    @staticmethod
    def parse(text: str) -> int | float:
        """NaN for a text that is not a date."""
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return math.nan
        return _ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))

    def _from(self, parts: tuple[object, ...]) -> int | float:
        match parts:
            case ():
                return self.now()
            case (Date() as other,):
                return other.getTime()
            case (datetime() as moment,):
                return _ms(moment)
            case (int() | float() as number,):
                return int(number) if abs(number) <= _MOST_MS else math.nan
            case (str() as text,):
                return self.parse(text)
            case _:
                numbers = [int(part) for part in parts if isinstance(part, int)]
                year, month, day, *rest = [*numbers, 1][: max(3, len(numbers))]
                return _ms(datetime(year, month + 1, day, *rest, tzinfo=UTC))  # type: ignore[arg-type,misc]  # h, m, s

    def getTime(self) -> int | float:
        return self._ms

    def valueOf(self) -> int | float:
        return self._ms

    def toISOString(self) -> str:
        return self._moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{self._ms % 1000:03d}Z"

    def toJSON(self) -> str | JsNull | None:
        return null() if math.isnan(self._ms) else self.toISOString()

    def toUTCString(self) -> str:
        return self._moment.strftime("%a, %d %b %Y %H:%M:%S GMT")

    def getFullYear(self) -> int:
        return self._moment.year

    def getMonth(self) -> int:
        return self._moment.month - 1

    def getDate(self) -> int:
        return self._moment.day

    def getDay(self) -> int:
        return self._moment.isoweekday() % 7

    def getHours(self) -> int:
        return self._moment.hour

    def getMinutes(self) -> int:
        return self._moment.minute

    def getSeconds(self) -> int:
        return self._moment.second

    def getMilliseconds(self) -> int | float:
        return self._ms % 1000

    def getTimezoneOffset(self) -> int:
        return 0

    def setTime(self, ms: float) -> int | float:
        self._ms = int(ms) if abs(ms) <= _MOST_MS else math.nan
        return self._ms

    def toDateString(self) -> str:
        return self._moment.strftime("%a %b %d %Y")

    def toTimeString(self) -> str:
        return self._moment.strftime("%H:%M:%S GMT+0000 (Coordinated Universal Time)")

    def toLocaleDateString(self, *_locales: object, **_options: object) -> str:
        """As "en-US" and UTC, whichever locale is given."""
        moment = self._moment
        return f"{moment.month}/{moment.day}/{moment.year}"

    def toLocaleTimeString(self, *_locales: object, **_options: object) -> str:
        moment = self._moment
        return f"{moment.hour % 12 or 12}:{moment:%M:%S} {'PM' if moment.hour >= 12 else 'AM'}"

    def toLocaleString(self, *_locales: object, **_options: object) -> str:
        return f"{self.toLocaleDateString()}, {self.toLocaleTimeString()}"

    def toString(self) -> str:
        if math.isnan(self._ms):
            return "Invalid Date"
        return f"{self.toDateString()} {self.toTimeString()}"

    def getYear(self) -> int:
        return self._moment.year - 1900

    @staticmethod
    def UTC(*parts: int) -> int:
        year, month, day, *rest = (*parts, *(0, 1)[len(parts) - 1 :])
        hour, minute, second = (*rest[:3], *(0, 0, 0)[len(rest[:3]) :])
        return _ms(datetime(year, month + 1, day, hour, minute, second, tzinfo=UTC)) + (rest[3] if rest[3:] else 0)

    getUTCMilliseconds = getMilliseconds
    getUTCFullYear, getUTCMonth, getUTCDate, getUTCDay = getFullYear, getMonth, getDate, getDay
    getUTCHours, getUTCMinutes, getUTCSeconds = getHours, getMinutes, getSeconds

    def to_py(self, **_options: object) -> datetime:
        return self._moment

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return self.toString()

    @property
    def _moment(self) -> datetime:
        try:
            return datetime.fromtimestamp(self._ms / 1000, UTC)
        except (ValueError, OverflowError):
            raise range_error("Invalid time value") from None


@javascript_class
class Performance:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start_ms = clock.now_ms()

    @property
    def timeOrigin(self) -> int:
        return self._start_ms

    def now(self) -> int:
        return self._clock.now_ms() - self._start_ms


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
