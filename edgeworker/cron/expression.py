"""Cloudflare's cron expressions: which minutes they mean, and which comes next. Pure.

Five fields, all in UTC: minute, hour, day of the month, month, day of the week (1 is Sunday, 7 is Saturday). Where both
days are restricted, either of them is enough. `*/2` restricts a day, `*` does not.

Sources: https://developers.cloudflare.com/workers/configuration/cron-triggers/#supported-cron-expressions and the
parser that Cloudflare publishes, https://github.com/cloudflare/saffron. Two things are different on purpose. A range
that begins after its end goes around (FRI-SUN), and that parser then also takes the value before its first (THU). And
`5,*` is refused, as `*,5` is there: it would mean 5 and 0.
"""

import calendar
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final


class InvalidCron(ValueError):
    """Text that is not a cron expression. The message says which field, what is wrong and what would be right."""


DayRule = Callable[[date], bool]

_SATURDAY: Final = 6  # ISO: Monday is 1


@dataclass(frozen=True, slots=True)
class _Field:
    """`example` is shown with what is wrong. `steps` is the largest step."""

    name: str
    low: int
    high: int
    example: str
    names: Mapping[str, int] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        return self.high - self.low


def _number_names(names: str) -> dict[str, int]:
    return {name: number for number, name in enumerate(names.split(), start=1)}


_MINUTE: Final = _Field("minute", 0, 59, "0-59, */15 or 0,30")
_HOUR: Final = _Field("hour", 0, 23, "0-23, */6 or 9-17")
_DAY: Final = _Field("day of the month", 1, 31, "1-31, 1,15, L, LW, L-3 or 15W")
_MONTH: Final = _Field(
    "month", 1, 12, "1-12, JAN-DEC or */3", _number_names("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")
)
_WEEKDAY: Final = _Field(
    "day of the week",
    1,
    7,
    "1-7 (1 is Sunday), SUN-SAT, MON-FRI, 6L or MON#1",
    _number_names("SUN MON TUE WED THU FRI SAT"),
)
FIELDS: Final = (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)

# The calendar repeats after 400 years: what does not come in that time never comes.
_CYCLE: Final = timedelta(days=146_097)


@dataclass(frozen=True, slots=True)
class CronExpression:
    """`text` is what was parsed. Two are equal where their texts are."""

    text: str
    _minutes: tuple[int, ...] = field(repr=False, compare=False)
    _hours: tuple[int, ...] = field(repr=False, compare=False)
    _months: frozenset[int] = field(repr=False, compare=False)
    _day: DayRule = field(repr=False, compare=False)

    def next_after(self, moment: datetime) -> datetime | None:
        """The first minute after `moment` that the expression means, in UTC, or None if there is none (30 February).

        `moment` is in any time zone, but not naive.
        """
        utc = moment.astimezone(UTC)
        today = utc.date()
        if today.month in self._months and self._day(today):
            now = (utc.hour, utc.minute)
            later = ((hour, minute) for hour in self._hours for minute in self._minutes if (hour, minute) > now)
            if (found := next(later, None)) is not None:
                return _at(today, *found)
        day = self._next_day(today)
        return None if day is None else _at(day, self._hours[0], self._minutes[0])

    def _next_day(self, today: date) -> date | None:
        last = today + min(_CYCLE, date.max - today)
        day = today
        while day < last:
            day += timedelta(days=1)
            if day.month not in self._months:
                day = day.replace(day=_days_in_month(day))
            elif self._day(day):
                return day
        return None


def parse(text: str) -> CronExpression:
    """Raises InvalidCron."""
    parts = re.split(r"[ \t]+", text)
    if len(parts) != len(FIELDS) or "" in parts:
        fields = ", ".join(each.name for each in FIELDS)
        stray = " without space around them" if text != text.strip() else ""
        raise InvalidCron(
            f'"{text}" is not a cron expression: write five fields{stray} ({fields}), such as "*/15 * * * *" for every '
            "quarter of an hour"
        )
    minute, hour, day, month, weekday = parts
    try:
        return CronExpression(
            text,
            tuple(sorted(_values(minute, _MINUTE))),
            tuple(sorted(_values(hour, _HOUR))),
            _values(month, _MONTH),
            _either(_day_of_month(day), _day_of_week(weekday)),
        )
    except InvalidCron as error:
        raise InvalidCron(f'"{text}": {error}') from None


def _either(day_of_month: DayRule | None, day_of_week: DayRule | None) -> DayRule:
    """None is `*`."""
    match day_of_month, day_of_week:
        case None, None:
            return lambda _: True
        case None, rule if rule is not None:
            return rule
        case rule, None if rule is not None:
            return rule
        case _:
            assert day_of_month is not None
            assert day_of_week is not None
            first, second = day_of_month, day_of_week
            return lambda day: first(day) or second(day)


_LAST: Final = re.compile(r"L(?:-([0-9]+))?(W)?")
_NEAREST: Final = re.compile(r"([0-9]+)W")


def _day_of_month(text: str) -> DayRule | None:
    if text == "*":
        return None
    if (last := _LAST.fullmatch(text)) is not None:
        offset, nearest = int(last[1] or 0), last[2] is not None
        if last[1] is not None and not 1 <= offset <= _DAY.steps:
            raise InvalidCron(f'{_DAY.name} "{text}": the days before the last one are 1 to {_DAY.steps}')
        return lambda day: day.day == _find_day(day, _days_in_month(day) - offset, nearest=nearest)
    if (near := _NEAREST.fullmatch(text)) is not None:
        number = _number(near[1], _DAY, text)
        return lambda day: day.day == _find_day(day, number, nearest=True)
    values = _values(text, _DAY)
    return lambda day: day.day in values


def _find_day(within: date, number: int, *, nearest: bool) -> int:
    """The day of the month that `number` stands for: with `nearest` the closest Monday to Friday of the same month."""
    if not nearest or number < 1:
        return number
    days = _days_in_month(within)
    match (within.replace(day=1) + timedelta(days=number - 1)).isoweekday():
        case 6:
            return 3 if number == 1 else number - 1
        case 7:
            return number - 2 if number == days else number + 1
        case _:
            return number


_LAST_WEEKDAY: Final = re.compile(r"([0-9]+|[A-Za-z]{3})L")
_NTH_WEEKDAY: Final = re.compile(r"([0-9]+|[A-Za-z]{3})#([0-9]*)")


def _day_of_week(text: str) -> DayRule | None:
    if text == "*":
        return None
    if text == "L":  # the last day of the week
        return lambda day: day.isoweekday() == _SATURDAY
    if (last := _LAST_WEEKDAY.fullmatch(text)) is not None:
        number = _number(last[1], _WEEKDAY, text)
        return lambda day: _from_sunday(day) == number and day.day + 7 > _days_in_month(day)
    if (nth := _NTH_WEEKDAY.fullmatch(text)) is not None:
        number = _number(nth[1], _WEEKDAY, text)
        if nth[2] not in ("1", "2", "3", "4", "5"):
            raise InvalidCron(f'{_WEEKDAY.name} "{text}": which one of the month is a number from 1 to 5, as in MON#1')
        count = int(nth[2])
        return lambda day: _from_sunday(day) == number and (day.day + 6) // 7 == count
    values = _values(text, _WEEKDAY)
    return lambda day: _from_sunday(day) in values


def _from_sunday(day: date) -> int:
    """1 is Sunday."""
    return day.isoweekday() % 7 + 1


def _days_in_month(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _values(text: str, of: _Field) -> frozenset[int]:
    """A list of values, ranges and steps."""
    if text == "*":
        return frozenset(range(of.low, of.high + 1))
    return frozenset(value for part in text.split(",") for value in _part(part, of))


_PART: Final = re.compile(r"(?:(\*)|([0-9A-Za-z]+)(?:-([0-9A-Za-z]+))?)(?:/(.*))?", re.DOTALL)


def _part(text: str, of: _Field) -> Iterable[int]:
    found = _PART.fullmatch(text)
    if found is None:
        raise InvalidCron(f'{of.name} "{text}" is not understood; write {of.example}')
    star, first, last, step = found.groups()
    if star is not None and step is None:
        raise InvalidCron(f'{of.name}: "*" stands alone, not in a list; write {of.example}')
    start = of.low if star is not None else _number(first, of, text)
    if step is None:
        end = start if last is None else _number(last, of, text)
    else:
        end = of.high if last is None else _number(last, of, text)
    every = [*range(start, end + 1)] if start <= end else [*range(start, of.high + 1), *range(of.low, end + 1)]
    return every if step is None else every[:: _step(step, of, text)]


def _number(text: str, of: _Field, within: str) -> int:
    named = of.names.get(text.upper())
    if named is not None:
        return named
    if not text.isdecimal():
        raise InvalidCron(f'{of.name} "{within}": "{text}" is not understood; write {of.example}')
    number = int(text) if len(text) <= 3 else of.high + 1
    if not of.low <= number <= of.high:
        sunday = "; Sunday is 1" if of is _WEEKDAY and number == 0 else ""
        raise InvalidCron(f'{of.name} "{within}": {text} is not from {of.low} to {of.high}{sunday}')
    return number


def _step(text: str, of: _Field, within: str) -> int:
    if not (text.isdecimal() and text.isascii() and len(text) <= 3 and 1 <= int(text) <= of.steps):
        raise InvalidCron(
            f'{of.name} "{within}": the step is a number from 1 to {of.steps}, as in */{min(2, of.steps)}'
        )
    return int(text)


def _at(day: date, hour: int, minute: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
