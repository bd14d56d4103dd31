"""Which part of a kept answer is asked for. Pure. Recorded from miniflare: tests/conformance/cases/cache.json."""

import re
from typing import Final

Span = tuple[int, int]  # the first byte, and the one after the last

# More parts in one answer are a way to make much of little: RFC 9110, section 17.15.
MAX_SPANS: Final = 16
_UNIT: Final = re.compile(r"\s*bytes\s*=", re.IGNORECASE)
_SPAN: Final = re.compile(r"\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*")


def spans(field: str | None, size: int) -> list[Span] | None:
    """The spans that a Range field names; empty if none can be satisfied (416); None for the whole response."""
    if field is None:
        return None
    unit = _UNIT.match(field)
    if unit is None:
        return []
    parts = field[unit.end() :]
    if not parts.strip():
        return None
    found: list[Span] = []
    for part in parts.split(","):
        match = _SPAN.fullmatch(part)
        if match is None or not (match[1] or match[2]):
            return []
        if not match[1]:
            last = int(match[2])
            if not 0 < last < size:
                return None
            found.append((size - last, size))
            continue
        start, end = int(match[1]), min(int(match[2]), size - 1) if match[2] else size - 1
        if start >= size or start > end:
            return []
        found.append((start, end + 1))
    return found if len(found) <= MAX_SPANS else None
