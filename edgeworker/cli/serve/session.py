"""One run of `serve`: this process alone, or the parent of several."""

import argparse
import asyncio
import logging
import os
import shutil
import signal
import socket as sockets
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgeworker.cli import garbage
from edgeworker.cli.diagnostics import show_warnings
from edgeworker.cli.kv.options import TOKEN_VARIABLE
from edgeworker.cli.options import load_options
from edgeworker.cli.output import Output
from edgeworker.cli.serve import MANAGEMENT_PORT
from edgeworker.cli.serve.health import Readiness, refresh_counters
from edgeworker.cli.serve.request_file import RequestFile
from edgeworker.errors import ConfigError, EdgeworkerError
from edgeworker.files import make_folder
from edgeworker.host import event_loop, systemd

if TYPE_CHECKING:
    from edgeworker.cli.serve.publishing import Published, ServedMark
    from edgeworker.clock import SystemClock
    from edgeworker.config import Config, Socket, Worker
    from edgeworker.host.datadir import DataDir
    from edgeworker.host.publishing import EdgePublisher
    from edgeworker.host.serving import RunningEdge
    from edgeworker.host.storage import Storage
    from edgeworker.metrics.counters import Counters
    from edgeworker.state import SQLiteState
    from wrangler_compat.api import V4Api

_log = logging.getLogger(__name__)

_METRICS_FOLDER: Final = "run/metrics"
_HEALTH_FILE: Final = "origins.health"
_SOCKETS: Final = {
    "edge": "edge_socket",
    "https": "https_socket",
    "redirect": "redirect_socket",
    "api": "api_socket",
    "api_https": "api_https_socket",
    "management": "management_socket",
}


def serve(options: argparse.Namespace) -> int:
    """Raises EdgeworkerError for what is wrong before the first request."""
    from edgeworker.cli import logs
    from edgeworker.host.processes import Supervisor, Work

    if not options.config and options.edge is None:
        raise ConfigError(
            "serve looks for no configuration by itself: name it with --edge edge.toml or -c wrangler.toml"
        )
    garbage.starting()
    logs.set_up(as_json=options.log_format == "json", verbose=options.verbose)
    options.environ = systemd.SecretEnvironment(os.environ)
    options.persist_to = options.persist_to or Path(
        os.environ.get("STATE_DIRECTORY", "").split(":")[0] or ".edgeworker"
    )
    if options.try_worker is not None:
        return _try_worker(options)
    config = load_config(options, _published(options), tell=True)
    bound = bind_sockets(config)
    _announce(config, bound, options.processes)
    session = ServingProcess(options, bound)
    session.prepare()
    if options.processes == 1:
        return session.run(0, _tell_ready)
    drain = config.limits.drain_timeout_seconds
    return Supervisor(Work(session.run, session.try_config, drain), options.processes).run()


def load_config(options: argparse.Namespace, published: "Published", *, tell: bool) -> "Config":
    """The configuration with what the command line overrides and production wants, and what was published into it.

    Raises ConfigError.
    """
    from edgeworker.config import Socket
    from edgeworker.server.outbound_proxy import with_environment_proxies
    from wrangler_compat import load

    loaded = load(replace(load_options(options), environ=options.environ, published=published.projects))
    if tell:
        show_warnings(Output.for_stream(sys.stderr), loaded.diagnostics)
    config = loaded.require()

    def placed(socket: "Socket", port: int | None) -> "Socket":
        return replace(socket, host=options.host or socket.host, port=socket.port if port is None else port)

    https = config.https_socket
    if https is None and options.https_port is not None:
        https = Socket(config.edge_socket.host, trusted_proxies=config.edge_socket.trusted_proxies)
    management = config.management_socket or Socket(port=MANAGEMENT_PORT)
    if options.management_port is not None:
        management = replace(management, port=options.management_port)
    outbound = with_environment_proxies(options.environ, config.outbound)
    return replace(
        config,
        edge_socket=placed(config.edge_socket, options.port),
        https_socket=None if https is None else placed(https, options.https_port),
        api_socket=replace(
            config.api_socket, port=config.api_socket.port if options.api_port is None else options.api_port
        ),
        management_socket=management,
        outbound=replace(outbound, allow_private=(*outbound.allow_private, *options.allow_private)),
        kv=replace(config.kv, durability=config.kv.durability or "full"),
        trigger_urls=False,
    )


def _published(options: argparse.Namespace) -> "Published":
    from edgeworker.cli.serve.publishing import Published

    return Published.read(options.persist_to)


def _try_worker(options: argparse.Namespace) -> int:
    from edgeworker.cli.serve.publishing import candidate

    config = load_config(options, candidate(options.try_worker, options.persist_to), tell=False)
    event_loop.run(_try(config))
    return 0


async def _try(config: "Config") -> None:
    """Loads all that would be served. Raises EdgeworkerError."""
    from edgeworker.clock import SystemClock
    from edgeworker.host.assembly import Assembly
    from edgeworker.kv.memory import MemoryStore

    assembly = await Assembly.open(config, store=MemoryStore(), clock=SystemClock())
    await assembly.close()


def bind_sockets(config: "Config") -> dict[str, int]:
    """The descriptors of all listening sockets, by name; those that systemd opened are used as they are.

    Raises SocketError.
    """
    from edgeworker.server.listener import bind

    inherited = systemd.inherited_sockets(os.environ)
    found = {}
    for name, field in _SOCKETS.items():
        socket: Socket | None = getattr(config, field)
        if socket is None:
            continue
        if name in inherited:
            found[name] = inherited[name]
        else:
            found[name] = bind(socket).detach()
    for name in inherited.keys() - found.keys():
        _log.warning('the socket "%s" of the service manager is not used; there are: %s', name, ", ".join(found))
    return found


def _address(descriptor: int) -> tuple[str, int]:
    with sockets.socket(fileno=os.dup(descriptor)) as socket:
        host, port = socket.getsockname()[:2]
    return host, port


def _announce(config: "Config", bound: dict[str, int], processes: int) -> None:
    """What is served where; with `--log-format json` the line has `event` "serving" and the `urls`."""
    urls = {}
    for name, descriptor in bound.items():
        host, port = _address(descriptor)
        scheme = "https" if name.endswith("https") or (name == "edge" and config.edge_socket.tls) else "http"
        urls[name] = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    workers = ", ".join(_called(worker) for worker in config.workers)
    places = ", ".join(f"{name} {url}" for name, url in urls.items())
    fields = {"event": "serving", "urls": urls, "processes": processes}
    _log.info("serving %s with %d process(es): %s", workers, processes, places, extra={"fields": fields})


def _called(worker: "Worker") -> str:
    """A published one with its version, which is not what the configuration files say."""
    return worker.source if worker.source.startswith(f"{worker.name}, version ") else worker.name


def _tell_ready() -> None:
    _log.info("ready", extra={"fields": {"event": "ready"}})
    systemd.notify("READY=1")


class ServingProcess:
    """What each process does. Made before the processes are: its sockets are inherited."""

    def __init__(self, options: argparse.Namespace, bound: dict[str, int]) -> None:
        self._options = options
        self._bound = bound

    def prepare(self) -> None:
        """The folders in which the processes share their counts and what they serve, made anew."""
        from edgeworker.cli.serve.publishing import SERVED_FOLDER
        from edgeworker.host.datadir import DataDir

        data = DataDir.open(self._options.persist_to).path
        for folder in (data / _METRICS_FOLDER, data / SERVED_FOLDER):
            shutil.rmtree(folder, ignore_errors=True)
            make_folder(folder)

    def run(self, slot: int, ready: Callable[[], None]) -> int:
        try:
            event_loop.run(self._serve(slot, ready))
        except EdgeworkerError as error:
            Output.for_stream(sys.stderr).error(str(error))
            return 1
        return 0

    def try_config(self) -> int:
        """0 if the configuration, as it is on the disk now, could serve."""
        try:
            event_loop.run(_try(load_config(self._options, _published(self._options), tell=True)))
        except EdgeworkerError as error:
            _log.error("%s", error)
            return 1
        return 0

    async def _serve(self, slot: int, ready: Callable[[], None]) -> None:
        from edgeworker.balancing.board import OriginBoard
        from edgeworker.cli.serve.publishing import ServedMark, follow, publisher
        from edgeworker.clock import SystemClock
        from edgeworker.cron.firing import fire_when_due
        from edgeworker.host.acme.renewal import keep_certificate
        from edgeworker.host.datadir import DataDir
        from edgeworker.host.descriptors import DescriptorWatch, raise_limit, with_connection_limit
        from edgeworker.host.management.health_socket import health_socket
        from edgeworker.host.refusal_ring import record_refusals
        from edgeworker.host.serving import serve as serve_edge
        from edgeworker.host.stored_edge import StoredEdge
        from edgeworker.host.telemetry import Telemetry
        from edgeworker.kv.namespace import KVReads
        from edgeworker.metrics.counters import Counters
        from edgeworker.metrics.snapshots import Snapshots

        options, clock = self._options, SystemClock()
        published = _published(options)
        descriptors = raise_limit()
        watch = DescriptorWatch(clock, descriptors)
        asyncio.get_running_loop().set_exception_handler(watch.handle)
        config = self._with_descriptors(load_config(options, published, tell=False))
        config = with_connection_limit(config, descriptors)
        data = DataDir.open(options.persist_to)
        mark = ServedMark(data.path)
        counters = Counters(started_at=clock.now())
        board, reads, state = OriginBoard(), KVReads(), Readiness()
        refresh = partial(refresh_counters, counters, board, reads, state, clock)
        snapshots = Snapshots(counters, data.path / _METRICS_FOLDER, refresh)
        requests = RequestFile(options, clock)
        drain = config.limits.drain_timeout_seconds
        telemetry = Telemetry.open(os.environ)
        management = config.management_socket
        assert management is not None
        edge = StoredEdge(
            config,
            data,
            clock,
            partial(self._api, config, data, clock=clock, publisher=publisher(options, data.path, clock)),
            access_logger=record_refusals(
                data.path, clock, requests.logger(counters), slot=slot, processes=options.processes
            ),
            drain_seconds=drain,
            sweeps=slot == 0,
            origins=board,
            kv_reads=reads,
            spans=telemetry,
            health_file=data.path / _METRICS_FOLDER / _HEALTH_FILE,
            others={"management_url": health_socket(snapshots, state.reason, clock, management, config.limits)},
        )
        async with serve_edge(config, edge, clock=clock, drain_seconds=drain, data=data.path) as running:
            assembly = running.behind.assembly
            assert assembly is not None
            state.running = running
            if slot == 0 and not options.no_cron:
                firing = fire_when_due(
                    lambda: assembly.config.workers, assembly.scheduled, clock=clock, background=assembly.background
                )
                await running.run_beside(firing)
            if slot == 0:
                await running.run_beside(keep_certificate(lambda: running.sockets.config, data.path, clock))
            await running.run_beside(snapshots.write_for_ever(clock))
            await running.run_beside(watch.run())
            mark.serves(published.index)
            reloads: asyncio.Queue[None] = asyncio.Queue()
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGHUP, reloads.put_nowait, None)
            loop.add_signal_handler(signal.SIGUSR1, requests.reopen)
            await running.run_beside(self._reload_for_ever(reloads, running, counters, mark))
            await running.run_beside(follow(data.path, mark, clock, lambda: reloads.put_nowait(None)))
            garbage.serving()
            ready()
            await running.stop.wait()
            state.running = None
            systemd.notify("STOPPING=1")
            _log.info("stopping: requests in flight are finished first")
        snapshots.write()
        if telemetry is not None:
            await asyncio.to_thread(telemetry.close)

    async def _reload_for_ever(
        self, reloads: "asyncio.Queue[None]", running: "RunningEdge", counters: "Counters", mark: "ServedMark"
    ) -> None:
        from edgeworker.clock import SystemClock

        clock = SystemClock()
        while True:
            await reloads.get()
            alone = self._options.processes == 1
            if alone:
                systemd.notify_reloading()
            published = None
            try:
                published = await asyncio.to_thread(_published, self._options)
                loaded = await asyncio.to_thread(load_config, self._options, published, tell=alone)
                await running.sockets.reload(self._with_descriptors(loaded))
                mark.serves(published.index)
                garbage.collect_after_reload()
                counters.reloads += 1
                counters.last_reload_at = clock.now()
                _log.info("reloaded")
            except EdgeworkerError as error:
                counters.failed_reloads += 1
                if published is not None:
                    mark.refuses(published.index, str(error))
                _log.error("%s\nThe version before this change keeps serving.", error)
            if alone:
                systemd.notify("READY=1")

    def _with_descriptors(self, config: "Config") -> "Config":
        """Sockets stay those that were bound at the start, whatever a reloaded configuration says."""

        def bound(name: str, socket: "Socket | None") -> "Socket | None":
            descriptor = self._bound.get(name)
            if socket is None or descriptor is None:
                return None
            return replace(socket, descriptor=descriptor, port=_address(descriptor)[1])

        return replace(
            config,
            edge_socket=bound("edge", config.edge_socket) or config.edge_socket,
            https_socket=bound("https", config.https_socket),
            redirect_socket=bound("redirect", config.redirect_socket),
            api_socket=bound("api", config.api_socket) or config.api_socket,
            api_https_socket=bound("api_https", config.api_https_socket),
            management_socket=bound("management", config.management_socket),
        )

    def _api(
        self,
        config: "Config",
        data: "DataDir",
        storage: "Storage",
        state: "SQLiteState",
        *,
        clock: "SystemClock",
        publisher: "EdgePublisher | None",
    ) -> "V4Api":
        from wrangler_compat.api import Authenticator, NamedTokens, OneToken, V4Api

        token = self._options.environ.get(TOKEN_VARIABLE) or data.api_token()
        hosts = (config.api_socket.host, *config.api_hosts)
        authenticator = Authenticator([OneToken(token), NamedTokens(state.api_tokens)], clock=clock, hosts=hosts)
        return V4Api(
            config,
            storage.api,
            authenticator,
            clock=clock,
            state=state,
            relaxed_expiration=config.relaxed_expiration,
            publisher=publisher,
        )
