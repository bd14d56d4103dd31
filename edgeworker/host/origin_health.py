"""One process checks the origins of load balancers; the others learn the results from a file."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgeworker.balancing.board import CheckedOrigin, OriginBoard
from edgeworker.balancing.health import CheckResult
from edgeworker.clock import Clock
from edgeworker.files import draft_of

if TYPE_CHECKING:  # most edges have no load balancer
    from edgeworker.server.balanced_origin import BalancedServer

_log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS: Final = 0.5
_MOST_BYTES: Final = 4 * 1024 * 1024


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class OriginHealthFile:
    """`path` None: there is one process. `checks`: this is the process that asks the origins.

    `report` is called when checks have changed what this process takes an origin for. That comes before the others
    learn of it: what a report says of a process is then never older than what the process does.
    """

    board: OriginBoard
    clock: Clock
    path: Path | None = None
    checks: bool = True
    report: Callable[[], None] = _nothing
    told: set[str] = field(default_factory=set)  # what goes wrong and was told
    reported: dict[tuple[str, str], bool | None] = field(default_factory=dict)  # `checked_healthy` of each origin

    async def run(self, current: Callable[[], "Sequence[BalancedServer]"]) -> None:
        """Until it is cancelled. `current` gives the origins that are served now."""
        if self.checks:
            self.learn()  # what the process before this one found
            while not current():
                await self.clock.sleep(_LOOK_EVERY_SECONDS)
            from edgeworker.server.origin_checks import check_for_ever

            await check_for_ever(current, self.clock, self.tell)
            return
        while True:
            self.learn()
            await self.clock.sleep(_LOOK_EVERY_SECONDS)

    def tell(self) -> None:
        self._report_changes()
        if self.path is None:
            return
        try:
            with draft_of(self.path, durable=False) as draft:  # a power cut ends what it is about anyway
                draft.file.write(_to_json(self.board).encode())
            self.told.discard("write")
        except OSError as error:
            self._tell_once("write", "The health of origins cannot be shared now", error)

    def learn(self) -> None:
        if self.path is None:
            return
        try:
            with self.path.open("rb") as file:
                checked = list(_from_json(file.read(_MOST_BYTES)))
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError) as error:
            self._tell_once("read", f"{self.path.name}: the health of origins cannot be read", error)
            return
        self.told.discard("read")
        self.board.learn_checks(checked)
        self._report_changes()

    def _report_changes(self) -> None:
        found = {key: record.health.checked_healthy for key, record in self.board.records.items()}
        if found != self.reported:
            self.reported.clear()
            self.reported.update(found)
            self.report()

    def _tell_once(self, what: str, text: str, error: Exception) -> None:
        """Once, not twice a second."""
        if what not in self.told:
            self.told.add(what)
            _log.warning("%s: %s", text, error)


def _to_json(board: OriginBoard) -> str:
    rows = []
    for record in board.records.values():
        health = record.health
        if (check := health.last_check) is not None:
            found = [health.checked_healthy, health.checks_valid_until, health.in_row]
            rows.append([record.balancer, record.url, found, [check.at, check.seconds, check.error]])
    return json.dumps(rows)


def _from_json(content: bytes) -> Iterator[CheckedOrigin]:
    """Raises ValueError or TypeError for what no process of ours wrote."""
    for balancer, url, (healthy, valid_until, in_row), (at, seconds, error) in json.loads(content):
        if not isinstance(healthy, bool):
            raise TypeError("healthy is neither true nor false")
        check = CheckResult(int(at), float(seconds), None if error is None else str(error))
        yield CheckedOrigin(str(balancer), str(url), healthy, float(valid_until), int(in_row), check)
