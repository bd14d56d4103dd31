"""Paths that an origin may take a path for. Pure.

A canonical path is one text, but servers read some texts in several ways: nginx merges "//" and decodes "%2F" before it
looks for a location, WSGI servers decode "%2F" before an application sees the path, and Java's servers drop what
follows ";" in a segment. A request that goes past a worker for its path must not be one to the origin that had to go
through it.
"""

import re
from collections.abc import Sequence
from itertools import combinations
from typing import Final

_ODD: Final = re.compile(r"//|%2F|%5C|;|%3B")
# What a server replaces by what, in the order in which it does that.
_STEPS: Final = (
    (re.compile(r"%2F|%5C"), "/"),  # encoded slashes are decoded
    (re.compile(r"(?:;|%3B)[^/]*"), ""),  # parameters of a segment are dropped
    (re.compile(r"/{2,}"), "/"),  # slashes are merged
)


def alternative_paths(path: str) -> Sequence[str]:
    """Each other path that some server takes the canonical `path` for."""
    if _ODD.search(path) is None:
        return ()
    found = [path]
    for count in range(1, len(_STEPS) + 1):
        for steps in combinations(_STEPS, count):
            alternative = path
            for pattern, replacement in steps:
                alternative = pattern.sub(replacement, alternative)
            if alternative not in found:
                found.append(alternative)
    return found[1:]
