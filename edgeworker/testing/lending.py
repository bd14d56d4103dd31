"""Lets test files import a script: `workers`, `js`, `pyodide` and `asgi` can be imported while pytest runs.

pytest loads this in every project that has edgeworker installed, so the rest is imported when a name is.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from edgeworker.runtime.python.importable_shims import ShimFinder

_TOPS: Final = frozenset({"asgi", "js", "pyodide", "workers"})


class LentOnDemand:
    """Last in `sys.meta_path`: what is really installed under one of the names stays what it is."""

    def __init__(self) -> None:
        self._shim_finder: ShimFinder | None = None

    def open(self) -> None:
        sys.meta_path.append(self)

    def close(self) -> None:
        sys.meta_path.remove(self)
        if self._shim_finder is not None:
            self._shim_finder.forget()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in _TOPS:
            return None
        if self._shim_finder is None:
            from edgeworker.runtime.python.importable_shims import ShimFinder

            self._shim_finder = ShimFinder()
        return self._shim_finder.find_spec(fullname, path, target)
