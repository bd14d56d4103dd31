"""Reads a large JSON array element by element, giving way to others in between.

Bulk calls carry up to 100 MB; parsing that in one go would hold up every other request of the edge for a second.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final

from edgeworker.strict_json import JSON, load_at

_SPACE: Final = re.compile(r"[ \t\n\r]*")
# About a millisecond of parsing.
_CHARACTERS_BETWEEN_BREAKS: Final = 100_000


async def elements(content: bytes) -> AsyncIterator[JSON]:
    """The array's elements in order. Raises ValueError where it is seen not to be a JSON array."""
    text = content.decode()
    position = _after_space(text, 0)
    if text[position : position + 1] != "[":
        raise ValueError("it is not an array")
    position = _after_space(text, position + 1)
    if text[position : position + 1] == "]":
        _check_end(text, position)
        return
    next_break = _CHARACTERS_BETWEEN_BREAKS
    while True:
        element, position = load_at(text, position)
        yield element
        position = _after_space(text, position)
        match text[position : position + 1]:
            case ",":
                position = _after_space(text, position + 1)
            case "]":
                _check_end(text, position)
                return
            case _:
                raise ValueError(f'expected "," or "]" at character {position}')
        if position > next_break:
            next_break = position + _CHARACTERS_BETWEEN_BREAKS
            await asyncio.sleep(0)


def _after_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return position if found is None else found.end()


def _check_end(text: str, position: int) -> None:
    if _after_space(text, position + 1) != len(text):
        raise ValueError(f"there is more after the array, at character {position + 1}")
