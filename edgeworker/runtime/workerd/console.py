"""What a child writes: the console of its workers, and its own words about scripts that it refuses."""

import asyncio
import contextlib
import json
import logging
import re
from collections import deque
from collections.abc import Callable
from typing import Final

from edgeworker.messages.log_fields import key_of_traceback

_log = logging.getLogger(__name__)
_console = logging.getLogger("edgeworker.console")

CONSOLE_MARK: Final = "\x1f"  # runtime.mjs puts worker and method between such marks
_LEVELS: Final = {"debug": logging.DEBUG, "trace": logging.DEBUG, "warn": logging.WARNING, "error": logging.ERROR}
_REJECTION: Final = "rejection"  # a method of runtime.mjs only: a stack as JSON
_MAX_RECENT_LINES: Final = 40
_STACK_LINE: Final = re.compile(r"^(?:stack:|\s*\S*workerd@[0-9a-f]+)")
_LOG_PREFIX: Final = re.compile(r"^\S+?\.(?:c\+\+|h):\d+: (?:error|info|warning): ")


class ChildLog:
    """Follows the child's output line by line; a line without a mark goes on with the message before it."""

    def __init__(self, map_stack: Callable[[str, str], str] = lambda _worker, stack: stack) -> None:
        """`map_stack` gives a stack of a worker the places of its sources."""
        self._map_stack = map_stack
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
            if method == _REJECTION:
                self._log_rejection(worker, text)
            else:
                _console.log(self._level, "%s: %s", worker, text.strip())
        elif _STACK_LINE.match(line):
            return
        else:
            self._recent_lines.append(line)
            _log.log(logging.DEBUG if level < logging.ERROR else logging.INFO, "workerd: %s", line)

    def _log_rejection(self, worker: str, text: str) -> None:
        with contextlib.suppress(ValueError):
            text = str(json.loads(text))
        stack = self._map_stack(worker, text)
        extra = {"repeats": f"{worker} rejected {key_of_traceback(stack)}"}
        _console.error("%s: Uncaught (in promise) %s", worker, stack, extra=extra)

    def last_words(self) -> str:
        return "\n".join(self._recent_lines)

    def refusal(self) -> str:
        """What workerd says of a script that it does not take: "service shop: Uncaught SyntaxError: ... at a.js:3"."""
        lines = [_LOG_PREFIX.sub("", line) for line in self._recent_lines if line.strip()]
        return "\n".join(lines[:12])
