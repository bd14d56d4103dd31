"""Text wrapped at words for a terminal. A word, such as a host name or a token, is never broken. Pure."""

import re
from typing import Final

_STYLE: Final = re.compile(r"\x1b\[[0-9;]*m")
_PIECE: Final = re.compile(r"( *)([^ ]+)")
_LEAST_WIDTH: Final = 24


def width_of(text: str) -> int:
    """How many columns `text` takes; what styles it takes none."""
    return len(_STYLE.sub("", text))


def wrap(text: str, width: int, *, hanging: int = 0) -> list[str]:
    """The lines of `text`, which may have several; a long one goes on `hanging` columns further in than it begins."""
    return [piece for line in text.split("\n") for piece in _wrap_line(line, width, hanging)]


def _wrap_line(line: str, width: int, hanging: int) -> list[str]:
    if width_of(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip(" ")) + hanging)
    if width - len(indent) < _LEAST_WIDTH:
        indent = ""
    lines: list[str] = []
    current = ""
    for space, word in _PIECE.findall(line):
        if current.strip() and width_of(current) + len(space) + width_of(word) > width:
            lines.append(current)
            current = indent + word
        else:
            current += space + word
    return [*lines, current]
