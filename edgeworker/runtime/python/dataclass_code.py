"""Compiles the methods that `dataclasses` writes for a class once: a reload makes the same classes again.

The module writes Python text for `__init__` and others and runs it, and four fifths of a dataclass's time go into
compiling that, in one piece, in which the event loop waits. A script that is loaded again has mostly the same texts.
"""

import dataclasses
from functools import lru_cache
from types import CodeType
from typing import Final

_MOST_TEXTS: Final = 1024
_LONGEST_TEXT: Final = 8192


@lru_cache(maxsize=_MOST_TEXTS)
def _compile_methods(text: str) -> CodeType:
    return compile(text, "<string>", "exec", dont_inherit=True)


def _run(source: str | CodeType, variables: dict[str, object], names: dict[str, object]) -> None:
    """As `exec`."""
    if isinstance(source, str) and len(source) <= _LONGEST_TEXT:
        source = _compile_methods(source)
    exec(source, variables, names)


def compile_once() -> None:
    """In this process, from now on."""
    # The module finds this name before the one of builtins.
    vars(dataclasses)["exec"] = _run


# How many texts were compiled, and how often one was used again.
compiled_texts: Final = _compile_methods.cache_info
