"""What was probably meant by a name that is not known. Pure."""

from collections.abc import Iterable
from typing import Final

_LIKENESS: Final = 0.75
_SHORT: Final = 4  # of such a word two letters that changed places are a third


def did_you_mean(name: str, known: Iterable[str], *, before: str = " ") -> str:
    """`Did you mean "x"?` with `before` in front of it, or "" if nothing is like `name`."""
    from difflib import get_close_matches  # slow to load, and seldom wanted

    names = {each.lower(): each for each in known}
    likeness = 0.6 if len(name) <= _SHORT else _LIKENESS
    close = get_close_matches(name.lower(), names, n=1, cutoff=likeness)
    return f'{before}Did you mean "{names[close[0]]}"?' if close else ""
