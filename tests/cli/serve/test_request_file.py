"""The line of nginx's "combined" log."""

from edgeworker.cli.serve.request_file import combined_line
from tests.metrics.test_counters import record


def test_a_line_is_as_nginx_writes_it_without_what_may_be_secret() -> None:
    line = combined_line(record(client="203.0.113.7", ray="abc-LOC", path="/a"), now_ms=1_764_352_800_500)

    assert line == (
        '203.0.113.7 - - [28/Nov/2025:18:00:00 +0000] "GET /a HTTP/1.1" 200 7 "-" "-" a.test abc-LOC shop 0.0200 -\n'
    )


def test_what_a_client_wrote_cannot_end_the_line_or_the_quotes() -> None:
    line = combined_line(record(path='/"\n\\x'), now_ms=0)

    assert line.count("\n") == 1
    assert '"GET /\\x22\\x0A\\x5Cx HTTP/1.1"' in line
