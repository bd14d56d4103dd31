"""How wide the terminal is."""

import os
import sys
from typing import Final

_USUAL_COLUMNS: Final = 80


def terminal_columns() -> int:
    """As `shutil.get_terminal_size` finds it, whose module is slow to load: COLUMNS, else that of stdout, else 80."""
    written = os.environ.get("COLUMNS", "")
    columns = int(written) if written.isascii() and written.isdecimal() else 0
    if columns == 0 and sys.__stdout__ is not None:
        try:
            columns = os.get_terminal_size(sys.__stdout__.fileno()).columns
        except (OSError, ValueError):  # no terminal; closed
            columns = 0
    return columns or _USUAL_COLUMNS
