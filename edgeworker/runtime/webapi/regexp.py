"""`RegExp` on Python's patterns, which read the common syntax in the same way.

Source: https://tc39.es/ecma262/#sec-regexp-regular-expression-objects
"""

import re
from typing import Final

from edgeworker.runtime.webapi.array_methods import JsArray
from edgeworker.runtime.webapi.arrays import make_array
from edgeworker.runtime.webapi.base import JsObject, is_absent
from edgeworker.runtime.webapi.ffi import JsException, JsNull
from edgeworker.runtime.webapi.plain_objects import make_object, null
from edgeworker.runtime.webapi.strings import to_string

_FLAGS: Final = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
_PLAIN_FLAGS: Final = frozenset("dgimsuvy")
_NAMED: Final = re.compile(r"\(\?<(?![=!])")
_NAMED_REFERENCE: Final = re.compile(r"\\k<([^>]*)>")
# One that is not escaped already. In a class of characters it stays as it is in V8; `\/` there reads the same.
_SLASH: Final = re.compile(r"(?<!\\)/")


class RegExp(JsObject):
    """`RegExp.new(source, flags)`, with `test` and `exec`. With "g" or "y" a search begins at `lastIndex`."""

    def __init__(self, source: object = "(?:)", flags: object = None) -> None:
        """Raises JsException (SyntaxError) for a pattern or flags that cannot be read."""
        given: object = source.flags if isinstance(source, RegExp) and is_absent(flags) else flags
        self.source: str = source.source if isinstance(source, RegExp) else to_string(source)
        self.flags: str = "" if given is None else "".join(sorted(to_string(given)))
        self.lastIndex = 0
        if len(set(self.flags)) != len(self.flags) or not _PLAIN_FLAGS.issuperset(self.flags):
            raise JsException("SyntaxError", f"Invalid flags supplied to RegExp constructor '{to_string(given)}'")
        # JavaScript's \\d, \\w and \\b know ASCII only; \\s knows Unicode, which is rare enough.
        options = re.ASCII
        for flag in self.flags:
            options |= _FLAGS.get(flag, 0)
        pattern = _NAMED_REFERENCE.sub(r"(?P=\1)", _NAMED.sub("(?P<", self.source))
        try:
            self._pattern = re.compile(pattern, options)
        except re.error as error:
            text = f"Invalid regular expression: /{self.source}/{self.flags}: {error}"
            raise JsException("SyntaxError", text) from None

    def exec(self, text: object = None) -> JsArray | JsNull | None:
        """The text that was found and those of the groups; None for a group without one."""
        match = self._find(text)
        return null() if match is None else match

    def _find(self, text: object) -> JsArray | None:
        subject = to_string(text)
        moves = "g" in self.flags or "y" in self.flags
        begin = self.lastIndex if moves else 0
        found = self._pattern.match(subject, begin) if "y" in self.flags else self._pattern.search(subject, begin)
        if moves:
            self.lastIndex = 0 if found is None else found.end()
        if found is None:
            return None
        match = make_array([found[0], *found.groups()])
        groups = make_object(found.groupdict()) if self._pattern.groupindex else None
        vars(match).update(input=subject, groups=groups)
        if isinstance(match, list):
            vars(match)["index"] = found.start()  # pyodide has the method of that name there, as lists have
        return match

    def test(self, text: object = None) -> bool:
        return self._find(text) is not None

    def toString(self) -> str:
        source = _SLASH.sub(r"\\/", self.source)
        return f"/{source}/{self.flags}"

    def __str__(self) -> str:
        return self.toString()
