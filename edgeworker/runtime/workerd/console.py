"""What a child writes: the console of its workers, and its own words about scripts that it refuses."""

import asyncio
import logging
import re
from collections import deque
from typing import Final

_log = logging.getLogger(__name__)
_console = logging.getLogger("edgeworker.console")

CONSOLE_MARK: Final = "\x1f"  # runtime.mjs puts worker and method between such marks
_LEVELS: Final = {"debug": logging.DEBUG, "trace": logging.DEBUG, "warn": logging.WARNING, "error": logging.ERROR}
_MAX_RECENT_LINES: Final = 40
_STACK_LINE: Final = re.compile(r"^(?:stack:|\s*\S*workerd@[0-9a-f]+)")
_LOG_PREFIX: Final = re.compile(r"^\S+?\.(?:c\+\+|h):\d+: (?:error|info|warning): ")


class ChildLog:
    """Follows the child's output line by line; a line without a mark goes on with the message before it."""

    def __init__(self) -> None:
        self._recent_lines: deque[str] = deque(maxlen=_MAX_RECENT_LINES)
        self._worker: str | None = None
        self._level = logging.INFO

    async def follow(self, stream: asyncio.StreamReader, level: int) -> None:
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # longer than the reader's limit: what is left comes as the next line
                continue
            if not line:
                return
            self._read_line(line.decode("utf-8", "replace").rstrip("\n"), level)

    def _read_line(self, line: str, level: int) -> None:
        if line.startswith(CONSOLE_MARK):
            _, worker, method, text = [*line.split(CONSOLE_MARK, 3), "", "", ""][:4]
            self._worker, self._level = worker, _LEVELS.get(method, logging.INFO)
            _console.log(self._level, "%s: %s", worker, text.strip())
        elif _STACK_LINE.match(line):
            return
        else:
            self._recent_lines.append(line)
            _log.log(logging.DEBUG if level < logging.ERROR else logging.INFO, "workerd: %s", line)

    def last_words(self) -> str:
        return "\n".join(self._recent_lines)

    def refusal(self) -> str:
        """What workerd says of a script that it does not take: "service shop: Uncaught SyntaxError: ... at a.js:3"."""
        lines = [_LOG_PREFIX.sub("", line) for line in self._recent_lines if line.strip()]
        return "\n".join(lines[:12])
