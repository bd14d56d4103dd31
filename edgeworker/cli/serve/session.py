"""One run of `serve`: this process alone, or the parent of several."""

import argparse
import logging
import os
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

from edgeworker.cli import garbage, heap, logs, thread_turns
from edgeworker.cli.repeated_lines import RepeatedLines
from edgeworker.cli.serve.bound_sockets import address_of, bind_sockets
from edgeworker.config import Config, Worker
from edgeworker.errors import ConfigError
from edgeworker.host import systemd, telemetry
from edgeworker.host.child_reports import Report, ReportKind
from edgeworker.host.data_lock import hold_data
from edgeworker.host.datadir import DataDir
from edgeworker.host.processes import Supervisor, Work
from edgeworker.host.storage import check_databases

_log = logging.getLogger(__name__)


def serve(options: argparse.Namespace) -> int:
    """Raises EdgeworkerError for what is wrong before the first request."""
    if not options.config and options.edge is None:
        raise ConfigError("serve does not look for a configuration: name it with --edge edge.toml or -c wrangler.toml")
    garbage.starting()
    heap.share_between_threads()
    thread_turns.shorten()
    log = logs.set_up(as_json=options.log_format == "json", verbose=options.verbose)
    log.addFilter(RepeatedLines())
    # What scripts print: a child that ends does not write what is left in a buffer of stdout.
    with redirect_stdout(logs.PrintedLines()):
        return _serve(options)


def _serve(options: argparse.Namespace) -> int:
    options.environ = systemd.SecretEnvironment(os.environ)
    options.persist_to = options.persist_to or Path(
        os.environ.get("STATE_DIRECTORY", "").split(":")[0] or ".edgeworker"
    )
    from edgeworker.cli.serve.loading import load_config, read_published, try_worker

    if options.try_worker is not None:
        return try_worker(options, options.try_worker)
    telemetry.check(os.environ)
    config = load_config(options, read_published(options), tell=True)
    data = DataDir.open(options.persist_to)
    hold_data(data.path)
    check_databases(data)
    bound = bind_sockets(config)
    _announce(config, bound, options.processes)
    from edgeworker.cli.serve.serving_process import ServingProcess

    session = ServingProcess(options, bound)
    session.prepare()
    if options.processes == 1:
        return session.run(0, _tell_ready, None)
    drain = config.limits.drain_timeout_seconds
    work = Work(
        session.run,
        session.try_config,
        drain,
        partial(try_worker, options, is_busy=session.traffic.is_busy),
        session.trials,
        session.count_refused_reload,
        session.reloads,
    )
    return Supervisor(work, options.processes).run()


def _announce(config: Config, bound: dict[str, int], processes: int) -> None:
    """Log what is served at which URLs; with `--log-format json` the line has `event` "serving" and the `urls`."""
    urls = {}
    for name, descriptor in bound.items():
        host, port = address_of(descriptor)
        scheme = "https" if name.endswith("https") or (name == "edge" and config.edge_socket.tls) else "http"
        urls[name] = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    workers = ", ".join(_describe_worker(worker) for worker in config.workers)
    places = ", ".join(f"{name} {url}" for name, url in urls.items())
    fields = {"event": "serving", "urls": urls, "processes": processes}
    _log.info("serving %s with %d process(es): %s", workers, processes, places, extra={"fields": fields})


def _describe_worker(worker: Worker) -> str:
    """Its name; for a published worker also the version, which the configuration files do not say."""
    return worker.source if worker.source.startswith(f"{worker.name}, version ") else worker.name


def _tell_ready(report: Report) -> None:
    """Announce readiness without a parent. Other reports have no use: if this process ends, the edge ends."""
    if report.kind is not ReportKind.READY:
        return
    _log.info("ready", extra={"fields": {"event": "ready"}})
    systemd.notify("READY=1")
