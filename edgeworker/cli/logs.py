"""What goes to stderr while an edge runs: one line a request, and what the rooms log; as text or as JSON lines."""

import io
import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

from edgeworker.cli.output import Output

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


class PrintedLines(io.TextIOBase):
    """Stands for stdout where stdout is for programs only: each line that a script prints is a line of the log."""

    def __init__(self) -> None:
        self._begun = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            _printed.info("%s", line)
        return len(text)


def set_up(*, as_json: bool, verbose: bool = False) -> None:
    """Sends the log of edgeworker to stderr. With `as_json` one JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JSONFormatter() if as_json else _TextFormatter(Output.for_stream(sys.stderr)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("edgeworker").setLevel(logging.DEBUG if verbose else logging.INFO)
