"""`console`: log lines of a script, with a level."""

import json
import logging
import time
from typing import Final

from edgeworker.runtime.contract import current_invocation
from edgeworker.runtime.webapi import json as js_json
from edgeworker.runtime.webapi.ffi import JsException
from edgeworker.runtime.webapi.plain_objects import PlainObject
from edgeworker.runtime.webapi.surplus import javascript_class

_log: Final = logging.getLogger("edgeworker.console")


@javascript_class
class Console:
    """`console.log(...)` and the like: texts as they are, data as JSON, separated by blanks."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._counts: dict[str, int] = {}
        self._timers: dict[str, float] = {}

    def log(self, *values: object) -> None:
        self._write(logging.INFO, values)

    def info(self, *values: object) -> None:
        self._write(logging.INFO, values)

    def debug(self, *values: object) -> None:
        self._write(logging.DEBUG, values)

    def trace(self, *values: object) -> None:
        self._write(logging.DEBUG, values)

    def warn(self, *values: object) -> None:
        self._write(logging.WARNING, values)

    def error(self, *values: object) -> None:
        self._write(logging.ERROR, values)

    def dir(self, value: object = None, _options: object = None) -> None:
        self._write(logging.INFO, (value,))

    def table(self, value: object = None, _columns: object = None) -> None:
        self._write(logging.INFO, (value,))

    def assert_(self, condition: object = False, *values: object) -> None:
        if not condition:
            self._write(logging.ERROR, ("Assertion failed", *values))

    def group(self, *values: object) -> None:
        """Lines of a group stand like all others."""
        if values:
            self._write(logging.INFO, values)

    groupCollapsed = group

    def groupEnd(self) -> None:
        """See `group`."""

    def clear(self) -> None:
        """What was written stays."""

    def time(self, label: str = "default") -> None:
        self._timers[label] = time.monotonic()

    def timeLog(self, label: str = "default", *values: object) -> None:
        begun = self._timers.get(label)
        if begun is None:
            self._write(logging.WARNING, (f"Timer '{label}' does not exist",))
            return
        self._write(logging.INFO, (f"{label}: {(time.monotonic() - begun) * 1000:.3f} ms", *values))

    def timeEnd(self, label: str = "default") -> None:
        self.timeLog(label)
        self._timers.pop(label, None)

    def countReset(self, label: str = "default") -> None:
        self._counts.pop(label, None)

    def count(self, label: str = "default") -> None:
        self._counts[label] = self._counts.get(label, 0) + 1
        self._write(logging.INFO, (f"{label}: {self._counts[label]}",))

    def _write(self, level: int, values: tuple[object, ...]) -> None:
        if not _log.isEnabledFor(level):
            return
        context = current_invocation.current_or_none()
        request = "" if context is None else f" ({context.request.method} {context.request.url.path})"
        _log.log(level, "%s%s: %s", self._worker, request, " ".join(map(_shown, values)))


def _shown(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list | tuple | PlainObject):
        try:
            return json.dumps(js_json.plain(value), ensure_ascii=False)
        except (JsException, ValueError):
            return repr(value)
    return str(value)
