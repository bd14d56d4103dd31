"""`edge` and `clock` are fixtures of edgeworker's pytest plugin: this project's worker, and time that stands still."""


def test_nothing_is_shown_before_a_trigger_fired(edge):
    assert edge.get("/").json() == {}


def test_each_trigger_is_noted_with_its_time(edge, clock):
    first = clock.now_ms()
    edge.run(edge.cron("*/15 * * * *"))
    clock.advance(60)
    edge.run(edge.cron("0 3 * * MON"))

    assert edge.get("/").json() == {"*/15 * * * *": str(first), "0 3 * * MON": str(first + 60_000)}
