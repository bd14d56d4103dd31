"""The configuration that `serve` serves: what the files and the command line say, and what was published."""

import argparse
import logging
import sys
from collections.abc import Callable
from dataclasses import replace

from edgeworker.cli.diagnostics import show_warnings
from edgeworker.cli.options import load_options
from edgeworker.cli.output import Output
from edgeworker.cli.serve import MANAGEMENT_PORT
from edgeworker.cli.serve.publishing import WARNING, Published, read_candidate
from edgeworker.cli.thread_turns import WayGiver
from edgeworker.clock import SystemClock
from edgeworker.config import Config, Socket
from edgeworker.host import event_loop
from edgeworker.host.assembly import Assembly
from edgeworker.host.forked_trials import TRIAL_PASSED
from edgeworker.kv.memory import MemoryStore
from edgeworker.runtime.python.load_turns import TRIAL_PACE, LoadingPauses
from edgeworker.schema.diagnostics import Diagnostics
from edgeworker.server.outbound_proxy import with_environment_proxies
from wrangler_compat import load

_log = logging.getLogger(__name__)


def load_config(
    options: argparse.Namespace,
    published: Published,
    *,
    tell: bool,
    about: str = "",
    give_way: Callable[[], None] = lambda: None,
) -> Config:
    """Load the configuration: the files, what the command line overrides, production defaults, and published workers.

    `tell` shows warnings; `about`, written NAME=VERSION-ID, only those about this version, each on one line.

    Raises ConfigError.
    """
    named = load_options(options)
    give_way()
    loaded = load(replace(named, environ=options.environ, published=published.projects, give_way=give_way))
    if about:
        _write_warnings(loaded.diagnostics, about)
    elif tell and options.log_format == "json":
        for block in loaded.diagnostics.blocks("warning"):
            _log.warning("%s", block)
    elif tell:
        show_warnings(Output.for_stream(sys.stderr), loaded.diagnostics)
    config = loaded.require()

    def override_address(socket: Socket, port: int | None) -> Socket:
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
        edge_socket=override_address(config.edge_socket, options.port),
        https_socket=None if https is None else override_address(https, options.https_port),
        redirect_socket=None if config.redirect_socket is None else override_address(config.redirect_socket, None),
        api_socket=replace(
            config.api_socket, port=config.api_socket.port if options.api_port is None else options.api_port
        ),
        management_socket=management,
        outbound=replace(outbound, allow_private=(*outbound.allow_private, *options.allow_private)),
        kv=replace(config.kv, durability=config.kv.durability or "full"),
        trigger_urls=False,
    )


def _write_warnings(diagnostics: Diagnostics, about: str) -> None:
    name, _, id = about.partition("=")
    if not id:
        return
    for found in diagnostics.of("warning"):
        places = [p for p in found.locations if f"/{id}/" in p.file or p.file.startswith(f"{name}, version ")]
        if places:
            sys.stderr.write(f"{WARNING}{' '.join(found.text.split())} (at {places[0]})\n")


def read_published(options: argparse.Namespace) -> Published:
    return Published.read(options.persist_to)


def try_worker(options: argparse.Namespace, candidate: str, is_busy: Callable[[], bool] = lambda: True) -> int:
    """Gives TRIAL_PASSED; raises EdgeworkerError for what does not work. `is_busy`: whether the edge has requests
    meanwhile."""
    try_config(options, read_candidate(candidate, options.persist_to), is_busy, tell=False, about=candidate)
    return TRIAL_PASSED


def try_config(
    options: argparse.Namespace, published: Published, is_busy: Callable[[], bool], *, tell: bool, about: str = ""
) -> None:
    """Load everything that would be served, without serving it. Raises EdgeworkerError."""
    give_way = WayGiver(is_busy, pause_times=TRIAL_PACE.pause_times)
    event_loop.run(_load_all(load_config(options, published, tell=tell, about=about, give_way=give_way), is_busy))


async def _load_all(config: Config, is_busy: Callable[[], bool]) -> None:
    pauses = LoadingPauses(TRIAL_PACE, is_busy)
    assembly = await Assembly.open(config, store=MemoryStore(), clock=SystemClock(), pauses=pauses)
    await assembly.close()
