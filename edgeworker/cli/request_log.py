"""One line for each request: method, where, status, what answered, milliseconds. Pure.

Never a query: it may hold a token. The text is put together by hand, because a record of `logging` costs more than the
rest of what the listener does for a request.
"""

from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from edgeworker.server.access_log import AccessLogRecord

_LOGGER: Final = encode_basestring("edgeworker.requests")


def text_line(summary: "AccessLogRecord") -> str:
    return _text(summary, summary.served_by or "edge") + "\n"


def json_line(summary: "AccessLogRecord", *, now_ms: int) -> str:
    """With the members of every line of the log, and its own. `now_ms` is in epoch milliseconds."""
    served_by = summary.served_by or "edge"
    return (
        f'{{"time": "{_second(now_ms // 1000)}.{now_ms % 1000:03}+00:00", "level": "info", "logger": {_LOGGER}, '
        f'"message": {encode_basestring(_text(summary, served_by))}, "event": "request", '
        f'"method": {encode_basestring(summary.method)}, "host": {encode_basestring(summary.host)}, '
        f'"path": {encode_basestring(summary.path)}, "status": {summary.status}, '
        f'"served_by": {encode_basestring(served_by)}, "ms": {summary.seconds * 1000:.2f}, '
        f'"bytes": {summary.sent_bytes}, "complete": {"true" if summary.complete else "false"}}}\n'
    )


def _text(summary: "AccessLogRecord", served_by: str) -> str:
    return (
        f"{summary.method} {summary.host}{summary.path} {summary.status} {served_by} {summary.seconds * 1000:.1f} ms"
        f"{'' if summary.complete else ' (cut)'}"
    )


@lru_cache(maxsize=2)
def _second(now: int) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S")
