"""A script's `time` and `datetime` follow the edge's clock where that is not the machine's."""

import time
from datetime import UTC
from datetime import date as real_date
from datetime import datetime as real_datetime
from pathlib import Path

from edgeworker.runtime.python import script_time
from edgeworker.testing.clock import MovableClock
from tests.runtime.stage import Stage
from tests.testing.scripts import edge_of

NOW = 1_700_000_000  # 2023-11-14 22:13:20 UTC
BODY = """
async def fetch(self, request):
    import datetime, time
    from datetime import datetime as D, timedelta, timezone
    moment = D.now(timezone.utc)
    later = moment + timedelta(seconds=1)
    return Response.json({
        "time": time.time(), "ns": time.time_ns(), "gmtime": time.gmtime().tm_year,
        "now": moment.isoformat(), "utcnow": D.utcnow().isoformat(), "later": later.timestamp(),
        "same": isinstance(moment, datetime.datetime) and isinstance(moment, datetime.date),
        "seconds": datetime.timedelta(minutes=1).total_seconds(),
    })
"""


def test_a_script_reads_the_clock_that_the_test_moves(tmp_path: Path) -> None:
    with edge_of(tmp_path, BODY) as edge:
        edge.clock.advance(90.5)
        now = edge.clock.now_ms() / 1000

        told = edge.get("/").json(dict)

        moment = real_datetime.fromtimestamp(now, UTC)
        assert (told["time"], told["ns"]) == (now, edge.clock.now_ms() * 1_000_000)
        assert (told["now"], told["utcnow"]) == (moment.isoformat(), moment.replace(tzinfo=None).isoformat())
        assert (told["gmtime"], told["later"]) == (moment.year, now + 1)
        assert (told["same"], told["seconds"]) == (True, 60.0)


def test_no_one_else_gets_these_modules() -> None:
    clock = MovableClock(NOW)
    made = {name: fill() for name, fill in script_time.make_time_modules(clock).items()}

    assert set(made) == {"time", "datetime"}
    assert made["time"]["time"] is not time.time
    assert abs(time.time() - NOW) > 86_400
    assert made["time"]["sleep"] is time.sleep


def test_objects_of_the_real_classes_are_known() -> None:
    names = script_time.make_time_modules(MovableClock(NOW))["datetime"]()
    datetime_class, date_class = names["datetime"], names["date"]
    assert isinstance(datetime_class, type)
    assert isinstance(date_class, type)

    assert isinstance(real_datetime.now(UTC), datetime_class)
    assert isinstance(real_date(2020, 1, 1), date_class)
    assert not isinstance(real_date(2020, 1, 1), datetime_class)


async def test_a_field_of_a_pydantic_model_may_be_a_moment(stage: Stage) -> None:
    stage.add_fetch(
        "found = Order.model_validate({'at': '2026-01-01T00:00:00Z', 'day': '2026-01-02'})\n"
        "return Response(found.model_dump_json())",
        above="from datetime import date, datetime\nfrom pydantic import BaseModel\n"
        "class Order(BaseModel):\n    at: datetime | None = None\n    day: date\n",
        fake_time=True,
    )

    assert (await stage.get()).text == '{"at":"2026-01-01T00:00:00Z","day":"2026-01-02"}'
