"""One process of `serve`.

Everything that it needs is imported here, aiohttp of the management plane included: a parent of several processes
imports it once, for all that it forks.
"""

import argparse
import asyncio
import logging
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import Final

from edgeworker.balancing.board import OriginBoard
from edgeworker.bindings.kv import python_view as kv_view
from edgeworker.cli import garbage, thread_turns
from edgeworker.cli.kv.options import TOKEN_VARIABLE
from edgeworker.cli.serve.bound_sockets import address_of
from edgeworker.cli.serve.health import EdgeReadiness, refresh_counters
from edgeworker.cli.serve.loaded import LoadedConfigReporter, find_starting_configs, follow_files
from edgeworker.cli.serve.loading import load_config, read_published, try_config
from edgeworker.cli.serve.publishing import (
    SERVED_FOLDER,
    GenerationRecorder,
    follow_publications,
    make_publisher,
    try_reload,
)
from edgeworker.cli.serve.request_file import AccessLogFile
from edgeworker.clock import SystemClock
from edgeworker.config import Config, Socket
from edgeworker.cron.firing import fire_when_due
from edgeworker.errors import ConfigError, EdgeworkerError
from edgeworker.files import make_folder
from edgeworker.host import event_loop, systemd
from edgeworker.host.acme.renewal import keep_certificate
from edgeworker.host.child_reports import Report, ReportKind
from edgeworker.host.datadir import DataDir
from edgeworker.host.descriptors import DescriptorWatch, raise_limit, with_connection_limit
from edgeworker.host.exit_deadline import ExitDeadline
from edgeworker.host.forked_trials import TRIAL_PASSED, TrialRequests
from edgeworker.host.loaded_config import FOLDER as LOADED_FOLDER
from edgeworker.host.loaded_config import RestoredConfig
from edgeworker.host.management import application as management_application
from edgeworker.host.management import running as management_running
from edgeworker.host.management.health_socket import health_socket
from edgeworker.host.priority import take_short_turns
from edgeworker.host.publishing import EdgePublisher
from edgeworker.host.refusal_ring import record_refusals
from edgeworker.host.reload_outcome import ReloadOutcomeFile
from edgeworker.host.serving import RunningEdge
from edgeworker.host.serving import serve as serve_edge
from edgeworker.host.shared_traffic import SharedTraffic
from edgeworker.host.storage import Storage
from edgeworker.host.stored_edge import StoredEdge
from edgeworker.host.telemetry import Telemetry
from edgeworker.kv.namespace import KVReads
from edgeworker.metrics.counters import Counters
from edgeworker.metrics.snapshots import Snapshots
from edgeworker.runtime.python import dataclass_code
from edgeworker.runtime.python.load_turns import REQUESTS_FIRST_PACE
from edgeworker.server.open_connections import ConnectionsOfAll, OpenConnections
from edgeworker.shared_counts import SharedCounts
from edgeworker.state import SQLiteState
from edgeworker.unpacking import unpack_below
from wrangler_compat.api import Authenticator, NamedTokens, OneToken, V4Api
from wrangler_compat.api import endpoints as api_endpoints

_log = logging.getLogger(__name__)

_METRICS_FOLDER: Final = "run/metrics"
_PARENT_FILE: Final = "parent.json"
_HEALTH_FILE: Final = "origins.health"
_PRESENT_BUCKETS: Final = 64  # for the origins that have a bound, and the connections
# Imported now: an import with the first request that needs it would delay the other requests.
_LOADED_EARLY: Final = (management_application, management_running, api_endpoints, kv_view)
# With its head it fits into what a pipe takes at once.
_LONGEST_REASON: Final = 2000
# For the end after the drain time, and for threads of scripts when all else has ended.
_LATEST_END_SECONDS: Final = 10.0
_THREADS_END_SECONDS: Final = 4.0


class _Ask(Enum):
    """Why a process reloads: its parent or an operator asked, or it saw a change itself."""

    SIGNAL = "signal"
    FILES = "files"


class ServingProcess:
    """The work of one process. Created before the parent forks, so that its sockets are inherited."""

    def __init__(self, options: argparse.Namespace, bound: dict[str, int]) -> None:
        self._options = options
        self._bound = bound
        # Created before the processes are forked, which share them.
        self._counts = SharedCounts(processes=options.processes)
        self._present = SharedCounts(processes=options.processes, buckets=_PRESENT_BUCKETS)
        self.traffic = SharedTraffic(SystemClock(), processes=options.processes)
        self.trials = TrialRequests()
        self.reloads = ReloadOutcomeFile.create(DataDir.open(options.persist_to).path)
        self._is_ready = False
        self._refused: Snapshots | None = None

    def prepare(self) -> None:
        """Create anew the folders in which the processes share counters, served generations and loaded scripts.

        Also import what all of them need, and each trial.
        """
        event_loop.prepare()
        dataclass_code.compile_once()
        data = DataDir.open(self._options.persist_to).path
        for folder in (data / _METRICS_FOLDER, data / SERVED_FOLDER, data / LOADED_FOLDER):
            shutil.rmtree(folder, ignore_errors=True)
            make_folder(folder)

    def run(self, slot: int, tell: Callable[[Report], None], loaded: bytes | None) -> int:
        """Serve until stopped, and return the exit status.

        `loaded` is what the other processes serve; None: the files on the disk are loaded.
        """
        configs = find_starting_configs(loaded, self._options.persist_to, self._load)
        while not self._is_ready:
            try:
                if (started := next(configs, None)) is None:
                    break
                event_loop.run(self._serve(slot, tell, started))
            except EdgeworkerError as error:
                _log.error("%s", error)
            else:
                return 0
        return 1

    def try_config(self) -> int:
        """TRIAL_PASSED if the configuration, as it is on the disk now, could serve."""
        try:
            try_config(self._options, read_published(self._options), self.traffic.is_busy, tell=True)
        except EdgeworkerError as error:
            _log.error("%s", error)
            return 1
        return TRIAL_PASSED

    def count_refused_reload(self) -> None:
        """In the parent of several processes, which counts nothing else."""
        if self._refused is None:
            file = DataDir.open(self._options.persist_to).path / _METRICS_FOLDER / _PARENT_FILE
            self._refused = Snapshots(Counters(), file)
        self._refused.own.failed_reloads += 1
        self._refused.write()

    def _load(self) -> RestoredConfig:
        published = read_published(self._options)
        return RestoredConfig(load_config(self._options, published, tell=False), published.index.generation)

    async def _serve(self, slot: int, tell: Callable[[Report], None], started: RestoredConfig) -> None:
        options, clock = self._options, SystemClock()
        take_short_turns()
        counts, present = self._counts.of_process(slot), self._present.of_process(slot)
        present.forget_own()  # of a process that was killed
        descriptor_limit = raise_limit()
        watch = DescriptorWatch(clock, descriptor_limit)
        asyncio.get_running_loop().set_exception_handler(watch.handle)
        config = with_connection_limit(self._use_bound_sockets(started.config), descriptor_limit)
        data = DataDir.open(options.persist_to)
        recorder = GenerationRecorder(data.path)
        # If the edge has one process only, no parent starts it again.
        reporter = LoadedConfigReporter(data.path, tell if slot == 0 and options.processes > 1 else None)
        counters = Counters(started_at=clock.now(), processes=1)
        board, reads, readiness = OriginBoard(shared=present), KVReads(), EdgeReadiness()
        refresh = partial(refresh_counters, counters, board, reads, readiness, clock)
        snapshots = Snapshots.open(counters, data.path / _METRICS_FOLDER / f"{slot}.json", refresh)
        requests = AccessLogFile(options, clock)
        drain, exit_deadline = config.limits.drain_timeout_seconds, ExitDeadline()
        telemetry = Telemetry.open(os.environ)
        management = config.management_socket
        assert management is not None
        edge = StoredEdge(
            config,
            data,
            clock,
            partial(
                self._build_api,
                config,
                data,
                clock=clock,
                # Without a parent there is no one to fork a trial.
                publisher=make_publisher(options, data.path, clock, self.trials if options.processes > 1 else None),
                counts=counts,
            ),
            access_logger=requests.logger(counters, self.traffic.of_process(slot)),
            refusal_recorder=record_refusals(data.path, clock, slot=slot, processes=options.processes),
            drain_seconds=drain,
            sweeps=slot == 0,
            origins=board,
            kv_reads=reads,
            counts=counts,
            connections=_connections(started.config.limits.connections, config.limits.connections, present),
            spans=telemetry,
            health_file=data.path / _METRICS_FOLDER / _HEALTH_FILE,
            report_health=snapshots.write,
            others={"management_url": health_socket(snapshots, readiness.reason, clock, management, config.limits)},
        )
        garbage.program_loaded()
        async with serve_edge(config, edge, clock=clock, drain_seconds=drain, data=data.path) as running:
            assembly = running.behind.assembly
            assert assembly is not None
            assembly.collect_replaced = garbage.collect_replaced
            assembly.pace = REQUESTS_FIRST_PACE
            readiness.running = running
            if slot == 0 and not options.no_cron:
                firing = fire_when_due(
                    lambda: assembly.config.workers, assembly.scheduled, clock=clock, background=assembly.background
                )
                await running.run_beside(firing)
            if slot == 0:
                await running.run_beside(keep_certificate(lambda: running.sockets.config, data.path, clock))
            await running.run_beside(snapshots.write_for_ever(clock))
            await running.run_beside(watch.run())
            recorder.record_served(started.generation)
            reloads: asyncio.Queue[_Ask] = asyncio.Queue()
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGHUP, reloads.put_nowait, _Ask.SIGNAL)
            loop.add_signal_handler(signal.SIGUSR1, requests.reopen)
            reload_files = partial(reloads.put_nowait, _Ask.FILES)
            await running.run_beside(self._reload_for_ever(reloads, running, counters, recorder, reporter, tell))
            await running.run_beside(
                follow_publications(data.path, recorder, clock, reload_files, share=slot / options.processes)
            )
            await running.run_beside(follow_files(started.replaced, clock, reload_files))
            garbage.serving()
            self._is_ready = True
            tell(Report(ReportKind.READY))
            await running.run_beside(reporter.keep(started, assembly.is_busy))
            if slot == 0:
                await running.run_beside(_unpack_the_rest())
            await running.stop.wait()
            readiness.running = None
            exit_deadline.set(drain + _LATEST_END_SECONDS)
            systemd.notify("STOPPING=1")
            _log.info("stopping: requests in flight are finished first")
        snapshots.write()
        if telemetry is not None:
            await asyncio.to_thread(telemetry.close)
        exit_deadline.set(_THREADS_END_SECONDS)

    async def _reload_for_ever(
        self,
        reloads: "asyncio.Queue[_Ask]",
        running: RunningEdge,
        counters: Counters,
        recorder: GenerationRecorder,
        reporter: LoadedConfigReporter,
        tell: Callable[[Report], None],
    ) -> None:
        clock = SystemClock()
        assembly = running.behind.assembly
        assert assembly is not None
        while True:
            ask = await reloads.get()
            refused, began_at = "", clock.monotonic()
            alone = self._options.processes == 1
            if alone:
                systemd.notify_reloading()
                self.reloads.begin()
            published = None
            with thread_turns.shortened_further():
                try:
                    if (
                        alone
                        and ask is _Ask.SIGNAL
                        and (wrong := await try_reload(self._options.arguments)) is not None
                    ):
                        raise ConfigError(wrong)
                    published = await asyncio.to_thread(read_published, self._options)
                    loaded = await asyncio.to_thread(
                        load_config,
                        self._options,
                        published,
                        tell=alone,
                        give_way=thread_turns.WayGiver(assembly.is_busy),
                    )
                    await running.sockets.reload(self._use_bound_sockets(loaded))
                    await asyncio.to_thread(recorder.record_served, published.index.generation)
                    await reporter.keep(RestoredConfig(loaded, published.index.generation), assembly.is_busy)
                    counters.reloads += 1
                    counters.last_reload_at = clock.now()
                    seconds = round(clock.monotonic() - began_at, 3)
                    _log.info("reloaded", extra={"fields": {"event": "reloaded", "seconds": seconds}})
                except EdgeworkerError as error:
                    counters.failed_reloads += 1
                    refused = str(error)
                    if published is not None:
                        await asyncio.to_thread(recorder.record_refused, published.index, refused)
                    _log.error("%s\nThe version before this change keeps serving.", error)
            if ask is _Ask.SIGNAL:
                tell(Report(ReportKind.RELOADED, refused.encode("utf-8", "replace")[:_LONGEST_REASON]))
            if alone:
                told = systemd.REFUSED_RELOAD if refused else "reloaded"
                systemd.notify("READY=1", f"STATUS={told}")
                self.reloads.end(told, is_refused=bool(refused))

    def _use_bound_sockets(self, config: Config) -> Config:
        """Keep the sockets that were bound at the start, also if a reloaded configuration has other addresses."""

        def use_bound(name: str, socket: Socket | None) -> Socket | None:
            descriptor = self._bound.get(name)
            if socket is None or descriptor is None:
                return None
            return replace(socket, descriptor=descriptor, port=address_of(descriptor)[1])

        return replace(
            config,
            edge_socket=use_bound("edge", config.edge_socket) or config.edge_socket,
            https_socket=use_bound("https", config.https_socket),
            redirect_socket=use_bound("redirect", config.redirect_socket),
            api_socket=use_bound("api", config.api_socket) or config.api_socket,
            api_https_socket=use_bound("api_https", config.api_https_socket),
            management_socket=use_bound("management", config.management_socket),
        )

    def _build_api(
        self,
        config: Config,
        data: DataDir,
        storage: Storage,
        state: SQLiteState,
        *,
        clock: SystemClock,
        publisher: EdgePublisher | None,
        counts: SharedCounts,
    ) -> V4Api:
        token = self._options.environ.get(TOKEN_VARIABLE) or data.api_token()
        hosts = (config.api_socket.host, *config.api_hosts)
        checks = (OneToken(token), NamedTokens(state.api_tokens))
        authenticator = Authenticator(checks, clock=clock, hosts=hosts, counts=counts)
        return V4Api(
            config,
            storage.api,
            authenticator,
            clock=clock,
            state=state,
            relaxed_expiration=config.relaxed_expiration,
            publisher=publisher,
        )


async def _unpack_the_rest() -> None:
    """In the binary: later imports shall not depend on the room that there is in the temporary folder by then."""
    try:
        await asyncio.to_thread(unpack_below, "")
    except OSError as error:
        _log.warning("what scripts may import later could not be unpacked (see TMPDIR): %s", error)


def _connections(configured: int | None, of_process: int | None, present: SharedCounts) -> OpenConnections:
    """What is configured bounds all processes together; what the file descriptors allow, each one."""
    return OpenConnections(of_process, None if configured is None else ConnectionsOfAll.of(configured, present))
