import json

import pytest

from edgeworker.cli.request_log import json_line, text_line
from edgeworker.server.access_log import AccessLogRecord

ORDERS = AccessLogRecord(
    "GET", "api.example.com", "/orders", 200, 0.00125, 64, served_by="split-token", client="203.0.113.7", ray="8f2a-LOC"
)
NOW_MS = 1_800_000_000_007


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (ORDERS, "203.0.113.7 GET api.example.com/orders 200 split-token 1.2 ms 8f2a-LOC\n"),
        (
            AccessLogRecord("-", "-", "-", 400, 0.0, 0, client="::1", reason="The client speaks TLS."),
            "::1 - - 400 edge 0.0 ms -: The client speaks TLS.\n",
        ),
        (AccessLogRecord("GET", "a", "/", 200, 2.0, 5, complete=False), "- GET a/ 200 edge 2000.0 ms (cut) -\n"),
    ],
)
def test_a_line_says_when_who_asked_for_what_who_answered_and_how_long_it_took(
    record: AccessLogRecord, line: str
) -> None:
    assert text_line(record, now_ms=NOW_MS) == f"2027-01-15T08:00:00Z {line}"


def test_a_json_line_has_what_every_line_has_and_the_request() -> None:
    line = json_line(ORDERS, now_ms=NOW_MS)

    assert line.endswith("}\n")
    assert json.loads(line) == {
        "time": "2027-01-15T08:00:00.007+00:00",
        "level": "info",
        "logger": "edgeworker.requests",
        "message": "GET api.example.com/orders 200 split-token 1.2 ms",
        "event": "request",
        "client": "203.0.113.7",
        "ray": "8f2a-LOC",
        "method": "GET",
        "host": "api.example.com",
        "path": "/orders",
        "status": 200,
        "served_by": "split-token",
        "ms": 1.25,
        "bytes": 64,
        "token": "",
        "complete": True,
    }


@pytest.mark.parametrize(
    "text", ['"', "\\", "\n", "\x00", "\x7f", "ü", "\u2028", "\ud800", '","status":200,"x":"', "%s%d%%"]
)
def test_what_a_client_sends_cannot_break_out_of_its_member(text: str) -> None:
    line = json_line(AccessLogRecord(text, text, text, 200, 0.0, 0, served_by=text), now_ms=0)

    assert line.count("\n") == 1
    logged = json.loads(line)
    assert (logged["method"], logged["host"], logged["path"], logged["served_by"]) == (text, text, text, text)
    assert (logged["status"], logged["complete"]) == (200, True)
