"""How the last reload of `serve` ended: a small file of the data directory, for which `edgeworker reload` waits.

The file has its size from the start and is written in place, so that a disk that is full is no hindrance.
"""

import json
import logging
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from edgeworker.errors import StoreError
from edgeworker.files import make_folder, open_or_create

_log = logging.getLogger(__name__)

OUTCOME: Final = "run/reload"
_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class ReloadOutcome:
    """`began_at` is of the system's monotonic clock, in nanoseconds; 0: this edge has not reloaded yet."""

    began_at: int
    text: str
    is_refused: bool


class ReloadOutcomeFile:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._began_at = 0

    @classmethod
    def create(cls, data: Path) -> Self:
        """Raises StoreError."""
        file = data / OUTCOME
        try:
            make_folder(file.parent)
            created = cls(open_or_create(file))
        except OSError as error:
            raise StoreError(f"{file}: cannot be opened: {error.strerror}") from error
        created._write(ReloadOutcome(0, "", is_refused=False))
        return created

    def begin(self) -> None:
        self._began_at = time.monotonic_ns()

    def end(self, text: str, *, is_refused: bool) -> None:
        self._write(ReloadOutcome(self._began_at, text, is_refused))

    def _write(self, outcome: ReloadOutcome) -> None:
        told = {"began_at": outcome.began_at, "text": outcome.text, "is_refused": outcome.is_refused}
        content = json.dumps(told).encode().ljust(_BYTES)
        try:
            os.pwrite(self._descriptor, content[:_BYTES], 0)
        except OSError as error:
            _log.warning("%s: the outcome of a reload cannot be written: %s", OUTCOME, error.strerror)


def read_reload_outcome(data: Path) -> ReloadOutcome | None:
    """None if there is none, as of an edge that is older than this file, or if it is being written."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads((data / OUTCOME).read_bytes())
        return ReloadOutcome(int(told["began_at"]), str(told["text"]), bool(told["is_refused"]))
    return None
