"""What holds for one Python script: as production has it, or let through. Pure.

What works here and fails deployed is refused as production refuses it; a lenient edge lets it through.
"""

from dataclasses import dataclass
from typing import Final

from edgeworker.config import Worker

Release = tuple[int, int]  # of Python

# From the newest on: the flags that choose a release, and from which compatibility date on they are set.
# Source: pywrangler/metadata.py of workers-py 1.17, and workerd's compatibility-date.capnp.
_DEPLOYED: Final = (
    ((3, 14), ("python_workers_314", "python_workers_20260610", "python_workers_20260817"), "2026-09-08"),
    ((3, 13), ("python_workers_20250116",), "2025-09-29"),
)
_OLDEST_DEPLOYED: Final = (3, 12)
_HAS_JSNULL: Final = (3, 13)  # Pyodide 0.28: JavaScript's null is `jsnull`, and no longer None


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
        return cls(is_strict=True, is_silent=False, has_jsnull=find_deployed_release(worker) >= _HAS_JSNULL)


SILENT: Final = Portability()


def find_deployed_release(worker: Worker) -> Release:
    """The Python that Cloudflare runs a worker of this compatibility date and these flags on."""
    named = worker.compatibility_flags
    for release, flags, since in _DEPLOYED:
        is_disabled = any(f"no_{flag}" in named for flag in flags)
        if any(flag in named for flag in flags) or ((worker.compatibility_date or "") >= since and not is_disabled):
            return release
    return _OLDEST_DEPLOYED


def find_first_date(release: Release) -> str | None:
    """From which compatibility date on Cloudflare runs this Python or a newer one; None if at any date."""
    dates = [since for each, _, since in _DEPLOYED if each >= release]
    return min(dates, default=None) if release > _OLDEST_DEPLOYED else None


def is_enabled(worker: Worker, flag: str, *, since: str) -> bool:
    """Whether a flag holds: named, or on by default at the date and not disabled by name."""
    if flag in worker.compatibility_flags:
        return True
    disabled = f"disable_{flag}" in worker.compatibility_flags or f"no_{flag}" in worker.compatibility_flags
    return not disabled and (worker.compatibility_date or "") >= since
