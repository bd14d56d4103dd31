"""One line for each request: when, who, method, where, status, what answered, milliseconds, ray. Pure.

Never a query: it may hold a token. The text is put together by hand, because a record of `logging` costs more than the
rest of what the listener does for a request.
"""

from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Final

from edgeworker.messages.name_table import NameTable

if TYPE_CHECKING:
    from edgeworker.server.access_log import AccessLogRecord

# As they stand in a string of JSON. Few hosts, methods, workers and addresses make up most of the lines.
_ESCAPED: Final[NameTable[str, str]] = NameTable(lambda text: encode_basestring(text)[1:-1])


def text_line(record: "AccessLogRecord", *, now_ms: int) -> str:
    """`2026-11-28T18:00:00Z 203.0.113.7 GET example.com/a 200 worker 1.2 ms 8f2a...-LOC`; "-" for what is not known."""
    client, ray = record.client or "-", record.ray or "-"
    reason = f": {record.reason}" if record.reason else ""
    return f"{_second(now_ms // 1000)}Z {client} {_text(record, record.served_by or 'edge')} {ray}{reason}\n"


def json_line(record: "AccessLogRecord", *, now_ms: int) -> str:
    """With the members of every line of the log, and its own. `now_ms` is in epoch milliseconds."""
    method, host, client = _ESCAPED[record.method], _ESCAPED[record.host], _ESCAPED[record.client]
    served_by = _ESCAPED[record.served_by or "edge"]
    path = encode_basestring(record.path)[1:-1]
    place = "-" if host == "-" else host + path
    ms = record.seconds * 1000
    cut, complete = ("", "true") if record.complete else (" (cut)", "false")
    reason = f', "reason": {encode_basestring(record.reason)}' if record.reason else ""
    return (
        f'{{"time": "{_second(now_ms // 1000)}.{now_ms % 1000:03}+00:00", "level": "info", '
        f'"logger": "edgeworker.requests", '
        f'"message": "{method} {place} {record.status} {served_by} {ms:.1f} ms{cut}", "event": "request", '
        f'"client": "{client}", "ray": {encode_basestring(record.ray)}, "method": "{method}", "host": "{host}", '
        f'"path": "{path}", "status": {record.status}, "served_by": "{served_by}", "ms": {ms:.2f}, '
        f'"bytes": {record.sent_bytes}, "token": "{_ESCAPED[record.token]}", "complete": {complete}{reason}}}\n'
    )


def _text(record: "AccessLogRecord", served_by: str) -> str:
    place = "-" if record.host == "-" else f"{record.host}{record.path}"
    return (
        f"{record.method} {place} {record.status} {served_by} {record.seconds * 1000:.1f} ms"
        f"{'' if record.complete else ' (cut)'}"
    )


@lru_cache(maxsize=2)
def _second(now: int) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S")
