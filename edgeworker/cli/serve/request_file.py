"""The access log of `serve`: text, JSON or nginx's "combined", to stderr or a file that can be reopened."""

import argparse
import logging
import os
import sys
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TextIO

from edgeworker.cli.logs import LogStream
from edgeworker.cli.request_log import json_line, text_line
from edgeworker.errors import ConfigError

if TYPE_CHECKING:
    from edgeworker.clock import Clock
    from edgeworker.host.shared_traffic import TrafficRecorder
    from edgeworker.metrics.counters import Counters
    from edgeworker.server.access_log import AccessLogger, AccessLogRecord

_log = logging.getLogger(__name__)


class AccessLogFile:
    """Where the access log goes. Several processes append to one file, and each line is written whole."""

    def __init__(self, options: argparse.Namespace, clock: "Clock") -> None:
        """Raises ConfigError for a file that cannot be opened."""
        self._path = options.access_log
        self._format = options.log_format
        self._is_silent = options.no_request_log
        self._clock = clock
        self._stream = LogStream(sys.stderr)
        if self._path is not None and not self._is_silent:
            try:
                self._stream = LogStream(self._open())
                self._stream.tell_lost = self._tell_lost
            except OSError as error:
                raise ConfigError(f"--access-log {self._path} cannot be opened: {error.strerror}") from error

    def logger(self, counters: "Counters", traffic: "TrafficRecorder") -> "AccessLogger":
        """Counts each request, and writes its line."""
        count, later, clock = counters.add_request, self._stream.later, self._clock
        record_answer = traffic.record_answer
        if self._is_silent:

            def only_count(record: "AccessLogRecord") -> None:
                count(record)
                record_answer()

            return only_count
        write = {"text": text_line, "json": json_line, "combined": combined_line}[self._format]

        def log(record: "AccessLogRecord") -> None:
            count(record)
            record_answer()
            later(write(record, now_ms=clock.now_ms()))

        return log

    def reopen(self) -> None:
        """Open the file again after it was moved away; if that fails, the old one is used."""
        if self._path is None or self._is_silent:
            return
        try:
            new = self._open()
        except OSError as error:
            _log.error("--access-log %s cannot be opened again: %s; the old file is used", self._path, error.strerror)
            return
        self._stream.replace_stream(new)

    def _tell_lost(self, lost: int, why: str) -> None:
        _log.warning("%d line(s) of --access-log %s could not be written: %s", lost, self._path, why)

    def _open(self) -> TextIO:
        # `reopen` closes it.
        return open(self._path, "a", encoding="utf-8", opener=_create_for_group)


def _create_for_group(path: str, flags: int) -> int:
    """A new file is read by its owner and its group only: clients' addresses and paths are personal data."""
    return os.open(path, flags, 0o640)


def combined_line(record: "AccessLogRecord", *, now_ms: int) -> str:
    """`203.0.113.7 - - [28/Nov/2026:18:00:00 +0000] "GET /a HTTP/1.1" 200 12 "-" "-" host ray served_by seconds token`.

    Referer and User-Agent are always "-", and the path has no query: they may hold secrets and personal data.
    """
    line = _quote(f"{record.method} {record.path} HTTP/1.1")
    return (
        f"{record.client or '-'} - - [{_format_time(now_ms // 1000)}] {line} {record.status} {record.sent_bytes} "
        f'"-" "-" {record.host} {record.ray or "-"} {record.served_by or "edge"} {record.seconds:.4f} '
        f"{record.token or '-'}\n"
    )


def _quote(text: str) -> str:
    """As nginx does it: quotes, backslashes and control characters as \\xXX."""
    return '"' + "".join(c if c >= " " and c not in '"\\\x7f' else f"\\x{ord(c):02X}" for c in text) + '"'


@lru_cache(maxsize=2)
def _format_time(now: int) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
