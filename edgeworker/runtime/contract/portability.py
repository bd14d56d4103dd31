"""What holds for one Python script: as production has it, or let through. Pure.

What works here and fails deployed is refused as production refuses it; a lenient edge lets it through.
"""

from dataclasses import dataclass
from typing import Final

from edgeworker.config import Worker

# Pyodide 0.28, of Python 3.13: JavaScript's null is `jsnull`, and no longer None.
_HAS_JSNULL: Final = "python_workers_20250116"
_HAS_JSNULL_FROM: Final = "2025-09-29"
_LATER: Final = ("python_workers_20260610", "python_workers_314", "python_workers_20260817")


@dataclass(frozen=True, slots=True)
class Portability:
    """How a script is held to what production allows. `is_silent`: nothing is refused and nothing is told, as for
    workers without a date and flags, which are made for tests. `has_jsnull`: null is not None."""

    is_strict: bool = False
    is_silent: bool = True
    has_jsnull: bool = False

    @classmethod
    def of_worker(cls, worker: Worker, *, lenient: bool) -> "Portability":
        if worker.compatibility_date is None and not worker.compatibility_flags:
            return SILENT
        if lenient:
            return cls(is_silent=False)
        named = any(flag in worker.compatibility_flags for flag in _LATER)
        has_jsnull = named or is_enabled(worker, _HAS_JSNULL, since=_HAS_JSNULL_FROM)
        return cls(is_strict=True, is_silent=False, has_jsnull=has_jsnull)


SILENT: Final = Portability()


def is_enabled(worker: Worker, flag: str, *, since: str) -> bool:
    """Whether a flag holds: named, or on by default at the date and not disabled by name."""
    if flag in worker.compatibility_flags:
        return True
    return f"disable_{flag}" not in worker.compatibility_flags and (worker.compatibility_date or "") >= since
