"""What an edge logged, kept for the test that asks."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

_ROOT: Final = "edgeworker"
_collecting: Final[ContextVar["list[LogLine] | None"]] = ContextVar("edgeworker_test_log", default=None)
_formatter: Final = logging.Formatter()


@dataclass(frozen=True, slots=True)
class LogLine:
    """`level` is "INFO", "WARNING", "ERROR" ...; `text` is the message, with the traceback where there is one."""

    level: str
    logger: str
    text: str


class _Collector(logging.Handler):
    """Gives each record to the edge in whose work it was made."""

    def emit(self, record: logging.LogRecord) -> None:
        lines = _collecting.get()
        if lines is None:
            return
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + _formatter.formatException(record.exc_info)
        lines.append(LogLine(record.levelname, record.name, text))


_collector: Final = _Collector()


@contextmanager
def collect_lines(lines: list[LogLine]) -> Iterator[None]:
    """What is logged by the code inside, and by tasks that it begins, is added to `lines`.

    Loggers of scripts are not below "edgeworker", so the collector sits at the root; it is put there once and stays.
    """
    root = logging.getLogger()
    if _collector not in root.handlers:
        root.addHandler(_collector)
    ours = logging.getLogger(_ROOT)
    if ours.level == logging.NOTSET:
        ours.setLevel(logging.INFO)
    token = _collecting.set(lines)
    try:
        yield
    finally:
        _collecting.reset(token)
