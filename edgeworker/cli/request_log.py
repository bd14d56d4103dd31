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
    method, host, path, status, seconds, sent_bytes, complete, served_by, client, ray, reason, token, _ = record
    path = encode_basestring(path)[1:-1]
    ms = seconds * 1000
    second, millis = _second(now_ms // 1000), now_ms % 1000
    told = f', "reason": {encode_basestring(reason)}' if reason else ""
    shown = "" if host == "-" else path
    # One format of C: compiled, an f-string calls str.format for each value that has a format of its own.
    return _TEMPLATES[method, host, status, complete, served_by, token] % (
        second,
        millis,
        shown,
        ms,
        _ESCAPED[client],
        encode_basestring(ray),
        path,
        ms,
        sent_bytes,
        told,
    )


def _template(kind: tuple[str, str, int, bool, str, str]) -> str:
    """A line of this kind, with a place for each value that differs from request to request."""
    method, host, status, complete, served_by, token = kind
    method, host, served_by = _ESCAPED[method], _ESCAPED[host], _ESCAPED[served_by or "edge"]
    begin, *parts = (
        '{"time": "\0.\0+00:00", "level": "info", "logger": "edgeworker.requests", '
        f'"message": "{method} {host}\0 {status} {served_by} \0 ms{"" if complete else " (cut)"}", "event": "request", '
        f'"client": "\0", "ray": \0, "method": "{method}", "host": "{host}", "path": "\0", "status": {status}, '
        f'"served_by": "{served_by}", "ms": \0, "bytes": \0, "token": "{_ESCAPED[token]}", '
        f'"complete": {"true" if complete else "false"}\0}}\n'
    ).split("\0")  # which stands in no escaped text
    places = ("%s", "%03d", "%s", "%.1f", "%s", "%s", "%s", "%.2f", "%d", "%s")
    return begin + "".join(place + part.replace("%", "%%") for place, part in zip(places, parts, strict=True))


_TEMPLATES: Final = NameTable(_template)


def _text(record: "AccessLogRecord", served_by: str) -> str:
    place = "-" if record.host == "-" else f"{record.host}{record.path}"
    return (
        f"{record.method} {place} {record.status} {served_by} {record.seconds * 1000:.1f} ms"
        f"{'' if record.complete else ' (cut)'}"
    )


@lru_cache(maxsize=2)
def _second(now: int) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S")
