from edgeworker.trace import Trace


def test_a_line_tells_when_what_and_how_long() -> None:
    trace = Trace(started=10.0)
    trace.add("route", "example.com/* -> w", now=10.001)
    trace.add("kv", "TOKENS.get", now=10.003, since=10.002)

    assert trace.lines() == [
        "     +1.0 ms  route       example.com/* -> w",
        "     +2.0 ms  kv          TOKENS.get  (1.0 ms)",
    ]
