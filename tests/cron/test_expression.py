from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.cron.expression import InvalidCron, parse


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _next(cron: str, after: str, count: int = 1) -> list[str]:
    found = []
    moment: datetime | None = _at(after)
    for _ in range(count):
        assert moment is not None
        moment = parse(cron).next_after(moment)
        found.append("never" if moment is None else f"{moment:%Y-%m-%d %H:%M}")
        if moment is None:
            break
    return found


# 2026-11-01 is a Sunday, November has 30 days; 2027-02-28 is a Sunday.
@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        # The examples of https://developers.cloudflare.com/workers/configuration/cron-triggers/#examples
        ("* * * * *", "2026-11-01T12:00:00", ["2026-11-01 12:01"]),
        ("*/30 * * * *", "2026-11-01T12:00:00", ["2026-11-01 12:30", "2026-11-01 13:00"]),
        ("45 * * * *", "2026-11-01T12:45:00", ["2026-11-01 13:45"]),
        ("0 17 * * sun", "2026-11-01T17:00:00", ["2026-11-08 17:00"]),
        ("0 17 * * 1", "2026-11-01T16:59:59", ["2026-11-01 17:00"]),
        ("10 7 * * mon-fri", "2026-11-06T08:00:00", ["2026-11-09 07:10"]),
        ("10 7 * * 2-6", "2026-11-06T08:00:00", ["2026-11-09 07:10"]),
        ("0 15 1 * *", "2026-11-01T15:00:00", ["2026-12-01 15:00"]),
        ("0 18 * * 6L", "2026-11-01T00:00:00", ["2026-11-27 18:00", "2026-12-25 18:00"]),
        ("0 18 * * friL", "2026-11-01T00:00:00", ["2026-11-27 18:00"]),
        ("59 23 LW * *", "2026-11-01T00:00:00", ["2026-11-30 23:59", "2026-12-31 23:59", "2027-01-29 23:59"]),
        # steps, lists, ranges
        ("5/20 * * * *", "2026-11-01T12:00:00", ["2026-11-01 12:05", "2026-11-01 12:25", "2026-11-01 12:45"]),
        ("10-30/10 0 * * *", "2026-11-01T00:10:00", ["2026-11-01 00:20", "2026-11-01 00:30", "2026-11-02 00:10"]),
        ("0 8,20 * JAN,JUL *", "2026-11-01T00:00:00", ["2027-01-01 08:00", "2027-01-01 20:00"]),
        ("0 0 1 */6 *", "2026-11-01T00:00:00", ["2027-01-01 00:00", "2027-07-01 00:00"]),
        ("0 22-1 * * *", "2026-11-01T00:30:00", ["2026-11-01 01:00", "2026-11-01 22:00", "2026-11-01 23:00"]),
        ("0 0 * * FRI-SUN", "2026-11-01T00:00:00", ["2026-11-06 00:00", "2026-11-07 00:00", "2026-11-08 00:00"]),
        ("0 0 * * FRI-SUN/2", "2026-11-01T00:00:00", ["2026-11-06 00:00", "2026-11-08 00:00", "2026-11-13 00:00"]),
        # either of the two days is enough, and a step restricts (saffron, Cron::contains)
        ("0 0 15 * MON", "2026-11-09T00:00:00", ["2026-11-15 00:00", "2026-11-16 00:00"]),
        ("0 0 */10 * MON", "2026-11-01T00:00:00", ["2026-11-02 00:00", "2026-11-09 00:00", "2026-11-11 00:00"]),
        # the last days of a month
        ("0 0 L * *", "2027-01-31T00:00:00", ["2027-02-28 00:00", "2027-03-31 00:00"]),
        ("0 0 L-3 * *", "2026-11-01T00:00:00", ["2026-11-27 00:00", "2026-12-28 00:00"]),
        ("0 0 LW 2 *", "2026-11-01T00:00:00", ["2027-02-26 00:00"]),
        ("0 0 L-29W * *", "2026-10-31T00:00:00", ["2026-11-02 00:00"]),  # the 1st is a Sunday
        ("0 0 L-2W * *", "2026-11-01T00:00:00", ["2026-11-27 00:00"]),  # the 28th is a Saturday
        # the nearest weekday stays in its month
        ("0 0 15W * *", "2026-11-01T00:00:00", ["2026-11-16 00:00"]),  # a Sunday
        ("0 0 14W * *", "2026-11-01T00:00:00", ["2026-11-13 00:00"]),  # a Saturday
        ("0 0 1W * *", "2026-10-31T00:00:00", ["2026-11-02 00:00"]),  # a Sunday
        ("0 0 1W 8 *", "2026-01-01T00:00:00", ["2026-08-03 00:00"]),  # a Saturday
        ("0 0 31W * *", "2026-04-30T00:00:00", ["2026-05-29 00:00"]),  # a Sunday
        # days of the week
        ("0 0 * * L", "2026-11-01T00:00:00", ["2026-11-07 00:00"]),
        ("0 0 * * MON#1", "2026-11-03T00:00:00", ["2026-12-07 00:00"]),
        ("0 0 * * 1#5", "2026-11-01T00:00:00", ["2026-11-29 00:00", "2027-01-31 00:00"]),
        # long waits and none
        ("0 0 29 2 *", "2096-03-01T00:00:00", ["2104-02-29 00:00"]),
        ("0 0 * 2 MON#5", "2026-01-01T00:00:00", ["2044-02-29 00:00"]),
        ("0 0 30 2 *", "2026-01-01T00:00:00", ["never"]),
        ("0 0 L-30 2 *", "2026-01-01T00:00:00", ["never"]),
        ("0 0 1 1 *", "9999-06-01T00:00:00", ["never"]),
        ("0 0\t1  1 *", "2026-01-01T00:00:00", ["2027-01-01 00:00"]),
    ],
)
def test_the_next_times(cron: str, after: str, expected: list[str]) -> None:
    assert _next(cron, after, len(expected)) == expected


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("* * * *", "write five fields (minute, hour, day of the month, month, day of the week)"),
        ("* * * * * *", "write five fields"),
        (" * * * * *", "without space around them"),
        ("", "write five fields"),
        ("60 * * * *", 'minute "60": 60 is not from 0 to 59'),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "is not from 1 to 31"),
        ("* * 0W * *", "is not from 1 to 31"),
        ("* * * 13 *", "is not from 1 to 12"),
        ("* * * * 0", "0 is not from 1 to 7; Sunday is 1"),
        ("* * * * 8", "is not from 1 to 7"),
        ("* * * FOO *", '"FOO" is not understood; write 1-12, JAN-DEC or */3'),
        ("* * * * MONDAY", "is not understood"),
        ("*,5 * * * *", '"*" stands alone'),
        ("5,* * * * *", '"*" stands alone'),
        ("1,,2 * * * *", "is not understood"),
        ("5- * * * *", "is not understood"),
        ("*/0 * * * *", "the step is a number from 1 to 59"),
        ("*/60 * * * *", "the step is a number from 1 to 59"),
        ("*/ * * * *", "the step is a number"),
        ("*/٢ * * * *", "the step is a number"),
        ("٢ * * * *", "is not understood"),
        ("* * * * MON#6", "a number from 1 to 5"),
        ("* * * * MON#", "a number from 1 to 5"),
        ("* * * * MON#1,TUE#1", "is not understood"),
        ("* * L-31 * *", "the days before the last one are 1 to 30"),
        ("* * L-0 * *", "the days before the last one are 1 to 30"),
        ("* * 15W,L * *", "is not understood"),
        ("* * l * *", "is not understood"),
        ("? * * * *", "is not understood"),
        ("@daily", "write five fields"),
        ("9" * 5000 + " * * * *", "is not from 0 to 59"),
    ],
)
def test_what_cloudflare_refuses_is_refused_with_what_would_be_right(cron: str, said: str) -> None:
    with pytest.raises(InvalidCron) as raised:
        parse(cron)

    assert said in str(raised.value)
    assert cron in str(raised.value)


def test_a_moment_in_another_time_zone_is_the_same_moment() -> None:
    berlin = timezone(timedelta(hours=1))

    assert parse("0 12 * * *").next_after(datetime(2026, 11, 1, 12, 30, tzinfo=berlin)) == _at("2026-11-01T12:00:00")


_minutes = st.lists(st.integers(0, 59), min_size=1, max_size=3)
_days = st.sampled_from(["*", "1", "31", "L", "L-2", "LW", "L-5W", "1W", "31W", "*/7", "10-20", "25-3"])
_weekdays = st.sampled_from(["*", "1", "MON-FRI", "SAT-MON", "L", "2L", "THU#5", "*/3"])
_moments = st.integers(0, 7_000_000_000_000_000).map(
    lambda us: datetime.fromtimestamp(0, UTC) + timedelta(microseconds=us)
)


@given(_minutes, _days, _weekdays, _moments)
def test_nothing_that_is_due_lies_between_a_moment_and_the_next_time(
    minutes: list[int], day: str, weekday: str, moment: datetime
) -> None:
    expression = parse(f"{','.join(map(str, minutes))} * {day} * {weekday}")

    found = expression.next_after(moment)

    assert found is not None
    assert found > moment
    assert (found.second, found.microsecond) == (0, 0)
    assert found.minute in minutes
    halfway = moment + (found - moment) / 2
    assert expression.next_after(halfway) == found
