"""Published workers in `serve`: reads them with each configuration, watches for new ones, and tries those first."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgeworker.cli.one_file import with_own_libraries
from edgeworker.errors import ConfigError, EdgeworkerError, StoreError
from edgeworker.host.forked_trials import (
    LONGEST_TRIAL_SECONDS,
    SERVICE_MANAGER_VARIABLES,
    TRIAL_PASSED,
    TrialRequests,
    TrialResult,
)
from edgeworker.host.priority import lower_priority
from edgeworker.host.publishing import LOOK_EVERY_SECONDS, EdgePublisher, TriedVersion
from edgeworker.host.served_generations import ServedGenerations, Serving
from edgeworker.publishing import PublishedIndex, PublishedProject, VersionStore, WorkerDeployment, WorkerVersion
from edgeworker.unpacking import was_replaced

if TYPE_CHECKING:
    from edgeworker.clock import Clock

_log = logging.getLogger(__name__)

SERVED_FOLDER: Final = "run/served"
_LONGEST_TEXT: Final = 8000
_MOST_WARNINGS: Final = 20
WARNING: Final = "warning: "  # how a line of a trial begins that its publisher is to see


@dataclass(frozen=True, slots=True)
class Published:
    """What is deployed in one data directory, as one generation of it."""

    index: PublishedIndex
    projects: tuple[PublishedProject, ...]

    @classmethod
    def read(cls, data: Path) -> "Published":
        """Raises StoreError."""
        store = VersionStore(data)
        index = store.read()
        return cls(index, store.projects(index))


def make_publisher(
    options: argparse.Namespace, data: Path, clock: "Clock", trials: TrialRequests | None
) -> EdgePublisher | None:
    if options.no_publish:
        return None
    store = VersionStore(data)

    async def try_version(name: str, version: WorkerVersion | None) -> TriedVersion:
        what = f"{name}={'' if version is None else version.id}"
        result = None if trials is None else await trials.run(what)
        result = result or await _run_program(options.arguments, what)
        result = replace(result, text=_shorten_paths(result.text, store, name, version))
        return TriedVersion(_describe_failure(result), tuple(_find_warnings(result.text)))

    return EdgePublisher(store, ServedGenerations(data / SERVED_FOLDER), try_version, clock)


async def try_reload(arguments: Sequence[str]) -> str | None:
    """What is wrong with the configuration as it is on the disk now, tried in a process of its own; None if nothing."""
    return _describe_failure(await _run_program(arguments, ""))


async def follow_publications(
    data: Path, recorder: "GenerationRecorder", clock: "Clock", reload: Callable[[], None], *, share: float
) -> None:
    """Request a reload when a newer generation is deployed than the one that is served. Runs until cancelled.

    Each process looks at a moment of its own, `share` of the time between two looks after the first one does: one that
    loads takes a core from those that serve.
    """
    store = VersionStore(data)
    seen = None
    while True:
        try:
            stamp = store.stamp()
            if stamp != seen:
                seen = stamp
                if store.read().generation > max(recorder.generation, recorder.refused):
                    reload()
        except EdgeworkerError as error:
            _log.error("%s\nWhat was published before is still served.", error)
        since = (clock.monotonic() - share * LOOK_EVERY_SECONDS) % LOOK_EVERY_SECONDS
        await clock.sleep(LOOK_EVERY_SECONDS - since)


class GenerationRecorder:
    """Records which generation this process serves, where the other processes can read it."""

    def __init__(self, data: Path) -> None:
        self._files = ServedGenerations(data / SERVED_FOLDER)
        self.generation = 0
        self.refused = 0

    def record_served(self, generation: int) -> None:
        self.generation = generation
        self._tell(Serving(self.generation))

    def record_refused(self, index: PublishedIndex, error: str) -> None:
        self.refused = index.generation
        self._tell(Serving(self.generation, self.refused, error[:_LONGEST_TEXT]))

    def _tell(self, serving: Serving) -> None:
        """Tell the other processes. On a full disk the edge keeps serving, and a publication waits in vain."""
        try:
            self._files.tell(serving)
        except StoreError as error:
            _log.error("%s", error)


def read_candidate(written: str, data: Path) -> Published:
    """What would be deployed with `--try-worker NAME=VERSION-ID`; without NAME if the id is empty; what is deployed now
    if nothing is written.

    Raises ConfigError.
    """
    if not written:
        return Published.read(data)
    name, _, id = written.partition("=")
    store = VersionStore(data)
    index = store.read().with_deployment(name, WorkerDeployment(id or None, 0, "", ""))
    if id and index.worker(name).deployed is None:
        raise ConfigError(f"--try-worker {written}: there is no such version")
    return Published(index, store.projects(index))


async def _run_program(arguments: Sequence[str], what: str) -> TrialResult:
    """Start an edge with this worker in a separate process.

    Loading a script may take long, hang or exhaust the memory, which must not happen in a process that serves.
    """
    is_binary = getattr(sys, "frozen", False)
    if is_binary and was_replaced(sys.executable):
        return TrialResult(1, "the program was replaced since this edge was started: restart the edge first")
    launcher = [sys.executable] if is_binary else [sys.executable, "-m", "edgeworker"]
    environment = with_own_libraries(
        {name: value for name, value in os.environ.items() if name not in SERVICE_MANAGER_VARIABLES}
    )
    process = await asyncio.create_subprocess_exec(
        *launcher,
        *arguments,
        "--log-format",
        "text",  # its publisher reads it
        "--try-worker",
        what,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    lower_priority(process.pid)
    try:
        _, said = await asyncio.wait_for(process.communicate(), LONGEST_TRIAL_SECONDS)
    except TimeoutError:
        return TrialResult(1, "", is_late=True)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    status = 1 if process.returncode is None else process.returncode
    return TrialResult(status, said[-_LONGEST_TEXT:].decode("utf-8", "replace"))


def _describe_failure(result: TrialResult) -> str | None:
    if result.is_late:
        return f"it was not ready after {LONGEST_TRIAL_SECONDS:.0f} s"
    if result.status == TRIAL_PASSED:
        return None
    if said := result.text.strip().removeprefix("error: "):
        return said
    how = f"by {signal.Signals(-result.status).name}" if result.status < 0 else f"with status {result.status}"
    return f"its process was ended {how} while it was loaded; a script must not end the process that loads it"


def _find_warnings(text: str) -> list[str]:
    """The last ones of what a trial wrote."""
    lines = [line.removeprefix(WARNING) for line in text.splitlines() if line.startswith(WARNING)]
    return lines[-_MOST_WARNINGS:]


def _shorten_paths(text: str, store: VersionStore, name: str, version: WorkerVersion | None) -> str:
    """Replace paths in the store of versions by paths within the project, which its author knows."""
    if version is None:
        return text
    folder = store.folder / name / version.id
    for written in sorted({str(folder), str(folder.resolve()), os.path.relpath(folder)}, key=len, reverse=True):
        text = text.replace(f"{written}/", "")
    return text
