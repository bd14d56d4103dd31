"""Lines for systemd's journal, which reads the priority of a line at its beginning: `<4>` is a warning.

Each line has one: what a script prints may begin with such a mark itself, and `<0>` is shown on all terminals.

Sources: https://www.freedesktop.org/software/systemd/man/latest/sd-daemon.html and systemd.exec(5) for $JOURNAL_STREAM.
"""

import logging
import os
from collections.abc import Mapping
from typing import Final, TextIO

_PRIORITIES: Final = {logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6}
_CRITICAL: Final = 2
_DEBUG: Final = 7


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether systemd connected `stream` with its journal. The variable alone does not say so: programs pass it on."""
    named = environ.get("JOURNAL_STREAM")
    if not named:
        return False
    try:
        state = os.fstat(stream.fileno())
    except (OSError, ValueError):  # a stream of Python's, or one that is closed
        return False
    return named == f"{state.st_dev}:{state.st_ino}"


def with_priority(text: str, level: int) -> str:
    """`text` with the priority of `level` (of `logging`) at the beginning of each line."""
    if level >= logging.CRITICAL:
        priority = _CRITICAL
    else:
        priority = next((number for least, number in _PRIORITIES.items() if level >= least), _DEBUG)
    mark = f"<{priority}>"
    return mark + text.replace("\n", f"\n{mark}")
