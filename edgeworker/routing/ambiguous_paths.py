"""Paths that an origin may take a path for. Pure.

A canonical path is one text, but servers read some texts in several ways: nginx merges "//" and decodes "%2F" before it
looks for a location, WSGI servers decode "%2F" before an application sees the path, and Java's servers drop what
follows ";" in a segment. A request that goes past a worker for its path must not be one to the origin that had to go
through it.
"""

import re
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Final

_ODD: Final = re.compile(r"//|%2F|%5C|;|%3B")
_ENCODED_SLASH: Final = re.compile(r"%2F|%5C")
_PARAMETERS: Final = re.compile(r"(?:;|%3B)[^/]*")
_SLASHES: Final = re.compile(r"/{2,}")


def _slashes_decoded(path: str) -> str:
    return _ENCODED_SLASH.sub("/", path)


def _parameters_dropped(path: str) -> str:
    return _PARAMETERS.sub("", path)


def _slashes_merged(path: str) -> str:
    return _SLASHES.sub("/", path)


# In the order in which a server does them.
_STEPS: Final[tuple[Callable[[str], str], ...]] = (_slashes_decoded, _parameters_dropped, _slashes_merged)


def alternative_paths(path: str) -> Sequence[str]:
    """Each other path that some server takes the canonical `path` for."""
    if _ODD.search(path) is None:
        return ()
    found = [path]
    for count in range(1, len(_STEPS) + 1):
        for steps in combinations(_STEPS, count):
            alternative = path
            for step in steps:
                alternative = step(alternative)
            if alternative not in found:
                found.append(alternative)
    return found[1:]
