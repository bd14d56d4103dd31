"""The counts of every process of an edge, in a folder: each writes its own file, the one that is asked joins all.

A file stays when its process ends, and the process that takes its place goes on from there; what a process has told, of
all of them, is in their files before. So no count ever goes back. The folder is made anew with each start of the edge.
"""

import json
import logging
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from edgeworker.clock import Clock
from edgeworker.durations import BUCKETS, Durations
from edgeworker.files import draft_of, is_running
from edgeworker.metrics.counters import NUMBERS, Counters
from edgeworker.metrics.origin_report import from_rows, to_rows

_log = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 1.0
_UNREADABLE: Final = (OSError, ValueError, KeyError, TypeError)


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Snapshots:
    """`file` is this process's own, in the folder of all; None: there is one process. `refresh` is called before `own`
    is reported, to add what it lacks."""

    own: Counters
    file: Path | None = None
    refresh: Callable[[], None] = _nothing
    before: Counters = field(default_factory=Counters)  # of the processes that had this file
    told: set[str] = field(default_factory=set)  # what went wrong and was told

    @classmethod
    def open(cls, own: Counters, file: Path, refresh: Callable[[], None] = _nothing) -> Self:
        """Goes on from what the process before this one left in `file`."""
        before = Counters()
        if file.exists():
            try:
                before.merge(_read(file)[1], is_alive=False)
            except _UNREADABLE as error:
                _log.warning("%s: the counts of the process before cannot be read: %s", file.name, error)
        return cls(own, file, refresh, before)

    async def write_for_ever(self, clock: Clock) -> None:
        while True:
            self.write()
            await clock.sleep(INTERVAL_SECONDS)

    def write(self) -> None:
        if self.file is None:
            return
        counters = self._of_this_file()
        try:
            with draft_of(self.file, durable=False) as draft:  # a power cut ends what is counted anyway
                draft.file.write(f"{os.getpid()}\n{to_json(counters)}".encode())
            self.told.clear()
        except OSError as error:
            if "write" not in self.told:  # once, not each second
                self.told.add("write")
                _log.warning("The counts of this process cannot be shared now: %s", error.strerror)

    def joined(self) -> Counters:
        """The counts, this process's as they are now and the others' as they were a second ago at most.

        This process's are written first: it may be killed in the next moment, or another one asked.
        """
        self.write()
        whole = self._of_this_file()
        if self.file is None:
            return whole
        for file in sorted(self.file.parent.glob("*.json")):
            if file == self.file:
                continue
            try:
                process, other = _read(file)
                whole.merge(other, is_alive=is_running(process))
            except _UNREADABLE as error:
                _log.warning("%s: the counts of another process cannot be read: %s", file.name, error)
        return whole

    def _of_this_file(self) -> Counters:
        self.refresh()
        counters = Counters()
        counters.merge(self.before, is_alive=False)
        counters.merge(self.own)
        return counters


def _read(file: Path) -> tuple[int, Counters]:
    """The id of the process that wrote `file`, and its counts."""
    process, _, text = file.read_text("utf-8").partition("\n")
    return int(process), from_json(text)


def to_json(counters: Counters) -> str:
    return json.dumps(
        {
            "requests": [[*key, count] for key, count in counters.requests.items()],
            "durations": {name: [one.counts, one.total] for name, one in counters.durations.items()},
            "numbers": {name: getattr(counters, name) for name in NUMBERS},
            "origins": to_rows(counters.origins.values()),
            "tokens": dict(counters.tokens),
            "key_imports": [[*name, at] for name, at in counters.key_imports.items()],
        }
    )


def from_json(text: str) -> Counters:
    """Raises ValueError, KeyError or TypeError for what no process of ours wrote."""
    document = json.loads(text)
    durations = {name: Durations(list(counts), total) for name, (counts, total) in document["durations"].items()}
    if any(len(one.counts) != len(BUCKETS) + 1 for one in durations.values()):
        raise ValueError("another number of buckets")
    requests = Counter({(method, status, name): count for method, status, name, count in document["requests"]})
    counters = Counters(requests, durations)
    for name in NUMBERS:
        setattr(counters, name, int(document["numbers"][name]))
    counters.origins = dict(from_rows(document["origins"]))
    counters.tokens = Counter({str(result): int(count) for result, count in document["tokens"].items()})
    counters.key_imports = {(str(zone), str(name)): int(at) for zone, name, at in document["key_imports"]}
    return counters
