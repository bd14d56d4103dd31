"""What goes to stderr while an edge runs: one line a request, and what the rooms log; as text or as JSON lines."""

import asyncio
import contextlib
import errno
import io
import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TextIO

from edgeworker.cli.journal import is_journal, with_priority
from edgeworker.cli.output import Output
from edgeworker.cli.piped_lines import PipedLines

_LINE_END: Final = 10
_RETRY_SECONDS: Final = 0.05
_LAST_SECONDS: Final = 1.0  # for a reader, where no request waits
_READER_IS_SLOW: Final = "its reader takes no more"
_LONGEST_BEGUN: Final = 64 * 1024
# The logger of `console.log`.
_printed: Final = logging.getLogger("edgeworker.console")
_LEVEL_STYLES: Final = {logging.WARNING: "yellow", logging.ERROR: "red", logging.CRITICAL: "bold red"}


class _TextFormatter(logging.Formatter):
    def __init__(self, out: Output) -> None:
        super().__init__()
        self._out = out

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict) and "client" in fields:  # what someone did has a time, as the line of a request has
            about = f"{fields['client']} {fields['ray']} " if "ray" in fields else ""
            text = f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S}Z {about}{text}"
        style = _LEVEL_STYLES.get(record.levelno)
        return text if style is None else f"{self._out.style(record.levelname.lower() + ':', style)} {text}"


class _JSONFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line.update(fields)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class LogStream(logging.StreamHandler[TextIO]):
    """Where all lines go, in their order.

    `later` is for the many: such lines are written together, at the end of the event loop's turn. What cannot be
    written (the disk is full, the reader has gone or takes nothing) is lost and counted: no request waits or fails for
    it. When writing works again, `tell_lost` gets the number of lines and the reason. Lines for systemd's journal have
    their priority.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._is_journal = is_journal(stream, os.environ)
        self.tell_lost: Callable[[int, str], None] = self._write_lost
        self._waiting: list[str] = []
        self._taking = threading.Lock()
        self._writing = threading.RLock()
        self._lost = 0
        self._why_lost = ""
        self._is_torn = False  # the last line that was written lacks its end
        self._piped = PipedLines.over(stream)
        self._retrying: asyncio.AbstractEventLoop | None = None

    def later(self, line: str) -> None:
        """A whole line, with its end. To be called in the event loop."""
        waiting = self._waiting
        waiting.append(line)
        if len(waiting) == 1:
            asyncio.get_running_loop().call_soon(self.write_waiting)

    def write_waiting(self) -> None:
        """Other threads write as well, before lines of their own: what they take is not taken twice, and the list stays
        the same one, so that no line is added to one that was written already."""
        with self._taking:
            waiting = self._waiting
            lines = waiting[:]
            del waiting[: len(lines)]
        if lines:
            self._write("".join(lines))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001  # as every handler of logging
            self.handleError(record)
            return
        self.write_waiting()
        self._write_record(text, record.levelno)

    def _write_record(self, text: str, level: int) -> None:
        lines = with_priority(text, level) if self._is_journal else text
        self._write(f"{lines}\n")

    def _write(self, text: str) -> None:
        content = text.encode("utf-8", "backslashreplace")
        with self._writing:
            piped = self._piped
            lost, why = self._write_to_file(content) if piped is None else self._write_to_reader(piped, content)
            if lost:
                self._lost += lost
                self._why_lost = why
            elif self._lost and (piped is None or not piped.has_waiting) and not why:
                lost, self._lost = self._lost, 0
                self.tell_lost(lost, self._why_lost)

    def _write_to_file(self, content: bytes) -> tuple[int, str]:
        """How many lines were lost, and why anything was."""
        whole = b"\n" + content if self._is_torn else content
        left, failure = _write_all(self.stream, whole)
        if left != whole:
            self._is_torn = whole[len(whole) - len(left) - 1] != _LINE_END
        if failure is None:
            return 0, ""
        return min(left.count(b"\n"), content.count(b"\n")), failure.strerror or str(failure)

    def _write_to_reader(self, piped: PipedLines, content: bytes) -> tuple[int, str]:
        """As `_write_to_file`; what the reader does not take is offered again."""
        try:
            lost = piped.write(content)
            if piped.has_waiting:
                self._retry(piped)
        except OSError as error:
            return piped.discard(), error.strerror or str(error)
        return lost, _READER_IS_SLOW if lost else ""

    def _retry(self, piped: PipedLines) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            # A parent of processes, or a start; other threads leave it to the main one.
            if threading.current_thread() is threading.main_thread():
                piped.wait(_LAST_SECONDS)
            return
        if self._retrying is not loop:
            self._retrying = loop
            loop.call_later(_RETRY_SECONDS, self._write_again)

    def _write_again(self) -> None:
        self._retrying = None
        self._write("")

    def replace_stream(self, stream: TextIO) -> None:
        """Close the old one; lines go to `stream` from now on."""
        self.write_waiting()
        with self._writing:
            old, self.stream = self.stream, stream
            self._piped = PipedLines.over(stream)
            self._is_torn = False
        old.close()

    def _write_lost(self, lost: int, why: str) -> None:
        record = logging.makeLogRecord({"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING"})
        record.msg = f"{lost} line(s) of this log could not be written: {why}"
        self._write_record(self.format(record), record.levelno)

    def close(self) -> None:
        self.write_waiting()
        with self._writing, contextlib.suppress(OSError):
            if self._piped is not None:
                self._piped.wait(_LAST_SECONDS)
        super().close()


def _write_all(stream: TextIO, content: bytes) -> tuple[bytes, OSError | None]:
    """What was not written, and why. Past the stream's own buffer, which would keep what failed and send it later, in
    the middle of lines of other processes."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # a stream of Python's, or one that is closed
        descriptor = -1
    try:
        if descriptor < 0:
            stream.write(content.decode("utf-8", "replace"))
            stream.flush()
            return b"", None
        while content:
            content = content[os.write(descriptor, content) :]
    except ValueError:
        return content, OSError(errno.EBADF, os.strerror(errno.EBADF))
    except OSError as error:
        return content, error
    return b"", None


class PrintedLines(io.TextIOBase):
    """Stands for stdout where the log is all that is written: each line that a script prints is a line of the log.

    What has no line end becomes a line when it is long.
    """

    def __init__(self) -> None:
        self._begun = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            _printed.info("%s", line)
        if len(self._begun) > _LONGEST_BEGUN:
            begun, self._begun = self._begun, ""
            _printed.info("%s", begun)
        return len(text)


def set_up(*, as_json: bool, verbose: bool = False) -> LogStream:
    """Sends the log of edgeworker to stderr. With `as_json` one JSON object a line.

    What waits in the answer when the process ends is written by `logging.shutdown`, which Python calls at its exit.
    """
    handler = LogStream(sys.stderr)
    handler.setFormatter(_JSONFormatter() if as_json else _TextFormatter(Output.for_stream(sys.stderr)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("edgeworker").setLevel(logging.DEBUG if verbose else logging.INFO)
    return handler
