"""Several processes that serve one edge: the parent binds, children inherit, and it starts those again that end.

The parent runs no event loop and opens no database, so that a child can be forked from it at any time. It takes the
signals: SIGTERM and SIGINT drain, SIGHUP reloads after the new configuration was tried, SIGUSR1 reopens the logs.
"""

import contextlib
import logging
import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

from edgeworker.host import systemd
from edgeworker.host.child_reports import Report, ReportKind, ReportReader, ReportSender
from edgeworker.host.crash_record import CrashRecord
from edgeworker.host.forked_trials import TRIAL_PASSED, TrialRequests, end_with_parent, fork_requested_trial
from edgeworker.host.priority import lower_own_priority
from edgeworker.host.reload_outcome import ReloadOutcomeFile

_log = logging.getLogger(__name__)

_FIRST_DELAY_SECONDS: Final = 0.1
_LONGEST_DELAY_SECONDS: Final = 30.0
_STABLE_SECONDS: Final = 10.0
_KILL_AFTER_DRAIN_SECONDS: Final = 5.0
_LONGEST_TRIAL_SECONDS: Final = 120.0
_LONGEST_RELOAD_SECONDS: Final = 120.0
_LOOK_EVERY_SECONDS: Final = 0.02
_FORWARDED: Final = (signal.SIGHUP, signal.SIGUSR1)
_HANDLED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, *_FORWARDED)


@dataclass(frozen=True, slots=True)
class Work:
    """What the processes do.

    `serve(slot, tell, loaded)` runs in a child until it is asked to stop and gives its exit status; it reports when it
    answers, and what it has loaded, at the start and after each reload. A child that is started in place of one that
    ended gets as `loaded` what was reported last, so that it serves the same as the others, whatever lies on the disk.
    Slot 0 also does what must happen once: cron triggers, sweeping. `try_config` runs in a child of its own before a
    reload, and gives TRIAL_PASSED if the new configuration works; if not, `count_refused_reload` is called in the
    parent. `try_worker` does so for what a process asks for by `trials`.
    """

    serve: Callable[[int, Callable[[Report], None], bytes | None], int]
    try_config: Callable[[], int]
    drain_seconds: float
    try_worker: Callable[[str], int]
    trials: TrialRequests
    count_refused_reload: Callable[[], None]
    reloads: ReloadOutcomeFile


@dataclass(slots=True)
class _Slot:
    number: int
    process: int = 0
    started_at: float = 0.0
    delay: float = _FIRST_DELAY_SECONDS
    start_at: float = 0.0
    reports: ReportReader | None = None
    crash: CrashRecord = field(default_factory=CrashRecord)
    is_ready: bool = False
    reload_when_ready: bool = False
    is_reloading: bool = False


@dataclass(slots=True)
class _Reload:
    """One that is forwarded to the processes: which have not got it yet, how many refused it, until when it is waited
    for, and when the next process gets it at the latest."""

    deadline: float
    waiting: list[_Slot]
    refused: int = 0
    next_at: float = 0.0


def reload_at_once() -> int:
    """How many processes: half of the processors stay for requests."""
    return max(1, (os.cpu_count() or 1) // 2)


@dataclass(slots=True)
class Supervisor:
    """`reload_at_once` processes reload while the others wait for their turn, but no longer than
    `longest_turn_seconds`."""

    work: Work
    processes: int
    reload_at_once: int = field(default_factory=reload_at_once)
    longest_turn_seconds: float = 5.0
    _slots: list[_Slot] = field(default_factory=list)
    _received: list[int] = field(default_factory=list)
    _stopping_since: float | None = None
    _was_ready: bool = False
    _loaded: bytes | None = field(default=None, repr=False)  # secrets are a part of it
    _reloading: _Reload | None = None
    _reload_again: bool = False

    def run(self) -> int:
        """Returns when every child has ended: 0 after a stop, 1 if none of them could be started."""
        self._slots = [_Slot(number) for number in range(self.processes)]
        _adopt_orphans()
        with _signals_to(self._received) as wakeup, selectors.DefaultSelector() as selector:
            selector.register(wakeup, selectors.EVENT_READ)
            selector.register(self.work.trials.received, selectors.EVENT_READ)
            for slot in self._slots:
                self._start(slot, selector)
            while True:
                for key, _ in selector.select(self._until_next()):
                    if key.fileobj == wakeup:
                        with contextlib.suppress(BlockingIOError):
                            os.read(wakeup, 4096)
                    elif key.fileobj is self.work.trials.received:
                        fork_requested_trial(self.work.trials.received, self.work.try_worker)
                    else:
                        self._read_reports(key.data, selector)
                self._handle_signals()
                self._reap(selector)
                self._end_reload()
                if self._stopping_since is not None:
                    if not any(slot.process for slot in self._slots):
                        return 0
                    self._kill_late()
                elif not self._was_ready and not any(slot.process for slot in self._slots):
                    return 1  # the first start failed everywhere: starting again would fail in the same way
                else:
                    self._start_due(selector)

    def _until_next(self) -> float:
        now = time.monotonic()
        waits = [slot.start_at - now for slot in self._slots if not slot.process]
        return max(0.01, min([*waits, 1.0]))

    def _start(self, slot: _Slot, selector: selectors.BaseSelector) -> None:
        parent_end, child_end = os.pipe()
        process = os.fork()
        if process == 0:
            status = 1
            try:
                os.setsid()  # Ctrl-C is for the parent, which tells its children to drain
                selector.close()
                self.work.trials.received.close()
                os.close(parent_end)
                for number in _HANDLED:
                    signal.signal(number, signal.SIG_DFL)
                signal.set_wakeup_fd(-1)
                end_with_parent(signal.SIGTERM)  # so that no orphan keeps the ports
                slot.crash.enable()
                os.environ.pop("NOTIFY_SOCKET", None)  # the parent alone speaks for all of them
                status = self.work.serve(slot.number, ReportSender(child_end).send, self._loaded)
            except BaseException:
                _log.critical("a process of the edge failed", exc_info=True)
                raise
            finally:
                # No clean-up of the parent's runs in a child.
                logging.shutdown()
                os._exit(status)
        os.close(child_end)
        os.set_blocking(parent_end, False)
        slot.process, slot.started_at, slot.is_ready = process, time.monotonic(), False
        # What it starts from may be older than what the others load now.
        slot.reload_when_ready = self._reloading is not None
        slot.reports = ReportReader(parent_end)
        selector.register(parent_end, selectors.EVENT_READ, slot)

    def _start_due(self, selector: selectors.BaseSelector) -> None:
        now = time.monotonic()
        for slot in self._slots:
            if not slot.process and slot.start_at <= now:
                self._start(slot, selector)

    def _read_reports(self, slot: _Slot, selector: selectors.BaseSelector, *, is_last: bool = False) -> None:
        reports = slot.reports
        if reports is None:
            return
        try:
            for report in reports.read():
                match report.kind:
                    case ReportKind.READY:
                        slot.is_ready = True
                        if slot.reload_when_ready:
                            slot.reload_when_ready = False
                            _send(slot, signal.SIGHUP)
                    case ReportKind.RELOADED:
                        if self._reloading is not None and slot.is_reloading and report.content:
                            self._reloading.refused += 1
                        slot.is_reloading = False
                    case ReportKind.LOADED:
                        self._loaded = report.content or None
        except (OSError, ValueError) as error:
            _log.error("process %d of the edge cannot be understood: %s", slot.process, error)
            reports.is_ended = True
        if reports.is_ended or is_last:  # a process of a script's may hold the other end
            selector.unregister(reports.descriptor)
            os.close(reports.descriptor)
            slot.reports = None
        if not self._was_ready and all(one.is_ready for one in self._slots):
            self._was_ready = True
            _log.info("ready", extra={"fields": {"event": "ready"}})
            systemd.notify("READY=1", f"STATUS={self.processes} processes serve")

    def _reap(self, selector: selectors.BaseSelector) -> None:
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if process == 0:
                return
            slot = next((one for one in self._slots if one.process == process), None)
            if slot is None:
                continue
            slot.process = 0
            self._read_reports(slot, selector, is_last=True)
            # It starts with what the other processes serve.
            slot.is_reloading = slot.reload_when_ready = False
            if self._stopping_since is not None:
                continue
            if time.monotonic() - slot.started_at >= _STABLE_SECONDS:
                slot.delay = _FIRST_DELAY_SECONDS
            slot.start_at = time.monotonic() + slot.delay
            reason = _reason(os.waitstatus_to_exitcode(status))
            _log.error("process %d of the edge ended (%s); it is started again%s", process, reason, slot.crash.take())
            slot.delay = min(2 * slot.delay, _LONGEST_DELAY_SECONDS)

    def _handle_signals(self) -> None:
        while self._received:
            number = self._received.pop(0)
            if number in (signal.SIGTERM, signal.SIGINT):
                self._stop(again=self._stopping_since is not None)
            elif number == signal.SIGHUP and self._reloading is not None:
                self._reload_again = True  # two signals to a process could be one
            elif number == signal.SIGHUP:
                self._reload()
            elif number == signal.SIGUSR1:
                self._forward(number)

    def _stop(self, *, again: bool) -> None:
        if self._stopping_since is None:
            systemd.notify("STOPPING=1")
            self._stopping_since = time.monotonic()
        self._forward(signal.SIGKILL if again else signal.SIGTERM)

    def _kill_late(self) -> None:
        assert self._stopping_since is not None
        if time.monotonic() - self._stopping_since > self.work.drain_seconds + _KILL_AFTER_DRAIN_SECONDS:
            _log.error("processes that did not end within the drain time are killed")
            self._forward(signal.SIGKILL)

    def _reload(self) -> None:
        """The new configuration is tried in a process of its own first: if it fails there, nothing has changed."""
        systemd.notify_reloading()
        self.work.reloads.begin()
        process = os.fork()
        if process == 0:
            status = 1
            try:
                os.environ.pop("NOTIFY_SOCKET", None)
                # Loading a configuration takes a core for a while, and the processes that serve come first.
                lower_own_priority()
                status = self.work.try_config()
            except BaseException:
                _log.exception("the trial of the new configuration ended")
                raise
            finally:
                logging.shutdown()
                os._exit(status)
        result = self._wait_for_trial(process)
        if result is None:
            return  # a stop came meanwhile, and counts more
        if result == TRIAL_PASSED:
            running = [slot for slot in self._slots if slot.process]
            self._reloading = _Reload(time.monotonic() + _LONGEST_RELOAD_SECONDS, running)
            self._reload_next()
        else:
            if result <= 0:  # it said nothing itself
                _log.error("the trial of the new configuration ended (%s) while it was loaded", _reason(result))
            _log.error("The new configuration does not work. The version before this change keeps serving.")
            self.work.count_refused_reload()
            self._announce_reload(systemd.REFUSED_RELOAD, is_refused=True)

    def _reload_next(self) -> None:
        reload = self._reloading
        assert reload is not None
        while reload.waiting:
            now = time.monotonic()
            reloading = sum(slot.is_reloading for slot in self._slots)
            if reloading >= self.reload_at_once and now < min(reload.next_at, reload.deadline):
                return
            slot = reload.waiting.pop(0)
            # One that ended meanwhile has got, or gets, the signal when it is ready again.
            slot.is_reloading = bool(slot.process)
            slot.reload_when_ready = slot.is_reloading and not slot.is_ready
            reload.next_at = now + self.longest_turn_seconds
            if slot.is_ready:
                _send(slot, signal.SIGHUP)

    def _end_reload(self) -> None:
        """Announces the end of a reload, when each process has answered or ended."""
        reload = self._reloading
        if reload is None:
            return
        if self._stopping_since is None:
            self._reload_next()
        waiting = sum(slot.is_reloading for slot in self._slots)
        if waiting and self._stopping_since is None and time.monotonic() < reload.deadline:
            return
        self._reloading = None
        if self._stopping_since is not None:
            return
        described = _describe_reload(self.processes, reload.refused, waiting)
        self._announce_reload(described, is_refused=bool(reload.refused or waiting))
        if self._reload_again:
            self._reload_again = False
            self._reload()

    def _announce_reload(self, text: str, *, is_refused: bool) -> None:
        systemd.notify("READY=1", f"STATUS={text}")
        self.work.reloads.end(text, is_refused=is_refused)

    def _wait_for_trial(self, process: int) -> int | None:
        """The exit status of a configuration's trial, which is ended when it takes too long; None if a stop came."""
        deadline = time.monotonic() + _LONGEST_TRIAL_SECONDS
        while time.monotonic() < deadline:
            done, status = os.waitpid(process, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            if signal.SIGTERM in self._received or signal.SIGINT in self._received:
                break
            time.sleep(_LOOK_EVERY_SECONDS)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        if time.monotonic() < deadline:
            return None
        _log.error("the new configuration was not loaded after %.0f s", _LONGEST_TRIAL_SECONDS)
        return 1

    def _forward(self, number: int) -> None:
        for slot in self._slots:
            _send(slot, number)


def _adopt_orphans() -> None:
    """What a killed child leaves behind becomes a child of this process, which reaps it: the first process of a
    container need not."""
    with contextlib.suppress(OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER


def _send(slot: _Slot, number: int) -> None:
    if slot.process:
        with contextlib.suppress(ProcessLookupError):
            os.kill(slot.process, number)


def _describe_reload(processes: int, refused: int, waiting: int) -> str:
    if not refused and not waiting:
        return "reloaded"
    failed = [
        *([f"{refused} refused it and serve the version before"] if refused else ()),
        *([f"{waiting} have not ended it after {_LONGEST_RELOAD_SECONDS:.0f} s"] if waiting else ()),
    ]
    return f"of {processes} processes that reload, {' and '.join(failed)}"


@contextmanager
def _signals_to(received: list[int]) -> Iterator[int]:
    """The read end of a pipe that wakes a selector; what came is appended to the list."""

    def handle(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            received.append(number)

    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.set_blocking(write_end, False)
    before = {number: signal.signal(number, handle) for number in _HANDLED}
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    try:
        yield read_end
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(read_end)
        os.close(write_end)


def _reason(code: int) -> str:
    return f"exit status {code}" if code >= 0 else signal.Signals(-code).name
