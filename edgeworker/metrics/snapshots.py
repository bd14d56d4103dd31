"""The counts of every process of an edge, in a folder: each writes its own file, the one that is asked joins all.

A file stays when its process ends, so no count ever goes back; the folder is made anew with each start of the edge.
"""

import json
import logging
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edgeworker.clock import Clock
from edgeworker.durations import BUCKETS, Durations
from edgeworker.files import draft_of, is_of_running_process
from edgeworker.metrics.counters import NUMBERS, Counters
from edgeworker.metrics.origin_report import from_rows, to_rows

_log = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 1.0
_MOST_FILES: Final = 4096


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Snapshots:
    """`folder` None: there is one process. `refresh` is called before `own` is reported, to add what it lacks."""

    own: Counters
    folder: Path | None = None
    refresh: Callable[[], None] = _nothing
    told: set[str] = field(default_factory=set)  # what went wrong and was told

    async def write_for_ever(self, clock: Clock) -> None:
        while True:
            self.write()
            await clock.sleep(INTERVAL_SECONDS)

    def write(self) -> None:
        if self.folder is None:
            return
        self.refresh()
        file = self.folder / f"{os.getpid()}.json"
        try:
            with draft_of(file, durable=False) as draft:  # a power cut ends what is counted anyway
                draft.file.write(to_json(self.own).encode())
            self.told.clear()
        except OSError as error:
            if "write" not in self.told:  # once, not each second
                self.told.add("write")
                _log.warning("The counts of this process cannot be shared now: %s", error.strerror)

    def joined(self) -> tuple[Counters, int]:
        """The counts, this process's as they are now and the others' as they were a second ago at most; and how many
        processes there are."""
        self.refresh()
        whole, processes = Counters(), 1
        whole.merge(self.own)
        if self.folder is None:
            return whole, processes
        for file in sorted(self.folder.glob("*.json"))[:_MOST_FILES]:
            if file.stem == str(os.getpid()):
                continue
            try:
                other = from_json(file.read_text("utf-8"))
                is_alive = is_of_running_process(file)
                whole.merge(other, is_alive=is_alive)
                processes += is_alive
            except (OSError, ValueError, KeyError, TypeError) as error:
                _log.warning("%s: the counts of another process cannot be read: %s", file.name, error)
        return whole, processes


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
