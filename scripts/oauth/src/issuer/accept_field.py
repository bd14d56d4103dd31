"""Reads the request field Accept (RFC 9110 section 12.5.1). Pure."""

import re
from typing import Final

_QUALITY: Final = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


def quality(accept: str | None, media_type: str, *, wildcards: bool = True) -> float:
    """How much the client wants `media_type`, from 0 (not at all) to 1. The most specific media range decides.

    Without the field everything is acceptable. `wildcards` false: only a range that names the type counts.
    """
    if accept is None or not accept.strip():
        return 1.0 if wildcards else 0.0
    ranges = [_parse_range(part) for part in accept.split(",")]
    patterns = (media_type, media_type.partition("/")[0] + "/*", "*/*") if wildcards else (media_type,)
    for pattern in patterns:
        found = [value for name, value in ranges if name == pattern]
        if found:
            return max(found)
    return 0.0


def _parse_range(part: str) -> tuple[str, float]:
    """(media range, quality). A malformed quality counts as 0."""
    name, *parameters = (piece.strip(" \t").lower() for piece in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            match = _QUALITY.fullmatch(parameter)
            return name, float(match[1]) if match else 0.0
    return name, 1.0
