"""The configuration that a process of `serve` starts from: what other processes loaded, or the files on disk."""

import asyncio
import logging
import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworker.cli.thread_turns import WayGiver
from edgeworker.host.child_reports import Report, ReportKind
from edgeworker.host.file_states import LOOK_EVERY_SECONDS, states
from edgeworker.host.loaded_config import RestoredConfig, keep_config, restore_config

if TYPE_CHECKING:
    from edgeworker.clock import Clock

_log = logging.getLogger(__name__)


def find_starting_configs(
    loaded: bytes | None, data: Path, load: Callable[[], RestoredConfig]
) -> Iterator[RestoredConfig]:
    """Yield the configurations to try, until one can serve: first what the other processes serve, with the certificates
    on the disk and then with theirs, and last the files on the disk, which `load` reads.

    Raises ConfigError or StoreError.
    """
    if loaded is not None:
        try:
            restored = restore_config(loaded, data)
            _warn_about_changes(restored)
            yield restored
            restored = restore_config(loaded, data, files_from_memory=True)
            if set(restored.replaced) & set(restored.changed):
                _warn_about_changes(restored)
                yield restored
        except (OSError, ValueError, pickle.PickleError) as error:
            _log.error("what the other processes serve cannot be restored: %s", error)
    yield load()


def _warn_about_changes(restored: RestoredConfig) -> None:
    if restored.changed:
        _log.warning(
            "started from what the other processes serve, because this was changed and not loaded since: %s. Reload "
            "(kill -HUP of the first process) to serve what is on the disk",
            ", ".join(map(str, restored.changed)),
        )


async def follow_files(files: Sequence[Path], clock: "Clock", reload: Callable[[], None]) -> None:
    """Request a reload when files that were restored from memory have changed on the disk, and are complete."""
    before = seen = states(files)
    while files:
        await clock.sleep(LOOK_EVERY_SECONDS)
        now = states(files)
        if now != before and now == seen:
            before = now
            reload()
        seen = now


class LoadedConfigReporter:
    """Reports to the parent what this process has loaded, for a process that is started again.

    One process reports for all of them: to serialize it takes a while. A configuration that cannot be serialized is
    logged once.
    """

    def __init__(self, data: Path, tell: Callable[[Report], None] | None) -> None:
        """`tell` is None in a process that does not report."""
        self._data = data
        self._tell = tell
        self._last_warning = ""

    async def keep(self, loaded: RestoredConfig, is_busy: Callable[[], bool]) -> None:
        """`is_busy`: whether requests are under way, which come first."""
        if self._tell is None or loaded.changed:
            return  # what has changed since came from the parent
        await asyncio.to_thread(self._keep, loaded, self._tell, WayGiver(is_busy))

    def _keep(self, loaded: RestoredConfig, tell: Callable[[Report], None], give_way: Callable[[], None]) -> None:
        try:
            kept = keep_config(loaded.config, loaded.generation, self._data, give_way=give_way)
            tell(Report(ReportKind.LOADED, kept))
            _log.debug("what is served is kept for a process that is started again")
        except (OSError, ValueError, TypeError, AttributeError, pickle.PickleError) as error:
            tell(Report(ReportKind.LOADED))  # what was kept before is not what is served now
            if str(error) != self._last_warning:
                self._last_warning = str(error)
                _log.warning("a process that ends will start from the files on the disk, without a copy: %s", error)
