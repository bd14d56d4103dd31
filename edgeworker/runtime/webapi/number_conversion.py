"""JavaScript's Number(value). Pure."""

import math
import re

from edgeworker.runtime.webapi.base import is_absent
from edgeworker.runtime.webapi.json_text import number


def to_number(value: object = 0) -> int | float:
    """JavaScript's Number(value)."""
    if isinstance(value, int | float):
        return int(value) if isinstance(value, bool) else value
    if is_absent(value):
        return math.nan if value is None else 0
    text = str(value).strip()
    if not text:
        return 0
    try:
        return int(text, 0) if re.fullmatch(r"0[xXoObB][0-9a-fA-F]+", text) else number(float(text.replace("_", "x")))
    except ValueError:
        return math.nan
