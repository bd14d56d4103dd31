"""Runs workers on this machine, reloading them when their files change.

examples:
  edgeworker dev                                    the worker of ./wrangler.toml, or the split-token gateway
  edgeworker dev --origin http://127.0.0.1:3000     with your API behind it
  edgeworker dev -c a/wrangler.toml -c b/wrangler.toml
  edgeworker dev --edge edge.toml -e staging --port 0 --json
  curl -H 'Host: api.example.com' http://127.0.0.1:8787/orders
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgeworker.cli import startup
from edgeworker.cli.diagnostics import show_warnings
from edgeworker.cli.options import add_config_options, load_options
from edgeworker.cli.output import Output
from edgeworker.errors import EdgeworkerError

if TYPE_CHECKING:
    from edgeworker.cli.logs import LogStream
    from edgeworker.clock import Clock
    from edgeworker.config import Config
    from edgeworker.harness.assembly import Assembly
    from edgeworker.harness.datadir import DataDir
    from edgeworker.messages import Request, Response
    from edgeworker.server.listener import OnRequest
    from edgeworker.trace import Trace
    from wrangler_compat import Loaded
    from wrangler_compat.api import V4Api

_log = logging.getLogger(__name__)

TOKEN_VARIABLE: Final = "EDGEWORKER_API_TOKEN"  # the name, not a token


def configure(parser: argparse.ArgumentParser) -> None:
    add_config_options(parser)
    parser.add_argument("--host", metavar="ADDRESS", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument(
        "--port", type=port_number, metavar="N", help="port of the edge (default: 8787; 0: any free one)"
    )
    parser.add_argument(
        "--api-port", type=port_number, metavar="N", help="port of the KV REST API (default: 8788; 0: any)"
    )
    parser.add_argument(
        "--api-token",
        metavar="T",
        help=f"token of the REST API (default: ${TOKEN_VARIABLE}, else one kept in the data directory)",
    )
    parser.add_argument(
        "--persist-to",
        type=Path,
        default=Path(".edgeworker"),
        metavar="DIR",
        help="the data directory (default: %(default)s)",
    )
    parser.add_argument(
        "--allow-private",
        action="append",
        default=[],
        metavar="HOST",
        help='a private host, address or network that scripts may fetch ("*": all); may be repeated',
    )
    parser.add_argument(
        "--json", action="store_true", help="log lines as JSON on stderr, a ready line as JSON on stdout"
    )
    parser.add_argument("--cron", action="store_true", help="fire cron triggers at their times, which are in UTC")
    parser.add_argument("--trace", action="store_true", help="print each request's way through the edge")
    parser.add_argument("--no-request-log", action="store_true", help="log no line for each request")
    parser.add_argument("--verbose", action="store_true", help="log more")


def port_number(text: str) -> int:
    """For argparse."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f'"{text}" is no port: give a number from 0 to 65535')
    return int(text)


def run(options: argparse.Namespace) -> int:
    from edgeworker.cli import garbage, logs

    garbage.starting()
    asyncio.run(_Session(options, logs.set_up(as_json=options.json, verbose=options.verbose)).serve())
    return 0


class _Session:
    """One run of `dev`."""

    def __init__(self, options: argparse.Namespace, log: "LogStream") -> None:
        self._options = options
        self._log = log
        self._errors = Output.for_stream(sys.stderr)

    async def serve(self) -> None:
        from edgeworker.cli import garbage
        from edgeworker.cli.logs import PrintedLines
        from edgeworker.clock import SystemClock
        from edgeworker.cron.firing import fire_when_due
        from edgeworker.edge import Kept
        from edgeworker.harness.assembly import Assembly
        from edgeworker.harness.datadir import DataDir
        from edgeworker.harness.storage import Storage
        from edgeworker.harness.tracing import Tracing
        from edgeworker.kv.sweeper import sweep_for_ever
        from edgeworker.runtime.watchdog import Watchdog
        from edgeworker.server import listen
        from edgeworker.state import ApiTokens, SQLiteAtoms
        from wrangler_compat.api import Door, NamedTokens, OneToken, V4Api

        options, clock, stop = self._options, SystemClock(), _stop_on_signals()
        config = self._settled(self._load())
        async with AsyncExitStack() as stack:
            data = DataDir.open(options.persist_to)
            token, place = self._api_token(data)
            storage = Storage.open(data.kv_file, config.kv, clock)
            stack.push_async_callback(storage.close)
            kept = Kept(SQLiteAtoms(data.path))
            stack.push_async_callback(kept.close)
            drain = config.limits.drain_timeout_seconds
            assembly = await Assembly.open(config, store=storage.edge, clock=clock, kept=kept)
            stack.push_async_callback(assembly.close, drain_seconds=drain)
            watchdog = Watchdog()
            watchdog.start()
            stack.callback(watchdog.close)
            door = Door(
                [OneToken(token), NamedTokens(ApiTokens(data.path))],
                clock=clock,
                hosts=[config.api_socket.host, *config.api_hosts],
            )
            v4 = V4Api(config, storage.api, door, clock=clock, relaxed_expiration=config.relaxed_expiration)
            api = await listen(v4, config.api_socket, limits=config.limits, clock=clock)
            stack.push_async_callback(api.close, drain)
            front = Tracing(assembly, clock, self._print_trace) if options.trace else assembly
            edge = await listen(
                front, config.edge_socket, limits=config.limits, clock=clock, on_request=self._request_log(clock)
            )
            stack.push_async_callback(edge.close, drain)
            await stack.enter_async_context(running(sweep_for_ever(storage.whole, clock)))
            if options.cron:
                firing = fire_when_due(
                    lambda: assembly.config.workers, assembly.scheduled, clock=clock, background=assembly.background
                )
                await stack.enter_async_context(running(firing))
                _log.info("cron triggers fire at their times (see `edgeworker cron next`)")
            garbage.serving()
            self._ready(config, edge.url, api.url, place)
            if options.json:
                stack.enter_context(redirect_stdout(PrintedLines()))
            await self._reload_until(stop, assembly, v4)
            _log.info("stopping: requests in flight are finished first (Ctrl-C again cuts them)")

    def _load(self) -> "Loaded":
        from wrangler_compat import load

        return load(load_options(self._options))

    def _settled(self, loaded: "Loaded") -> "Config":
        """The configuration with what the command line overrides. Tells warnings; raises ConfigError."""
        if self._options.json:
            for block in loaded.diagnostics.blocks("warning"):
                _log.warning("%s", block)
        else:
            show_warnings(self._errors, loaded.diagnostics)
        options, config = self._options, loaded.require()
        edge, api, outbound = config.edge_socket, config.api_socket, config.outbound
        return replace(
            config,
            trigger_urls=True,
            edge_socket=replace(
                edge,
                host=options.host or edge.host,
                port=edge.port if options.port is None else options.port,
            ),
            api_socket=replace(api, port=api.port if options.api_port is None else options.api_port),
            outbound=replace(outbound, allow_private=(*outbound.allow_private, *options.allow_private)),
        )

    def _api_token(self, data: "DataDir") -> tuple[str, str]:
        """(token, where it comes from)."""
        if self._options.api_token:
            return self._options.api_token, "--api-token"
        if kept := os.environ.get(TOKEN_VARIABLE):
            return kept, f"${TOKEN_VARIABLE}"
        return data.api_token(), str(data.api_token_file)

    def _ready(self, config: "Config", edge_url: str, api_url: str, token_place: str) -> None:
        if self._options.json:
            print(json.dumps({"event": "ready", "url": edge_url, "api_url": api_url}), flush=True)
            return
        out = Output.for_stream(sys.stdout)
        startup.show(out, config, edge_url=edge_url, api_url=api_url, token_place=token_place)
        out.line(f"Ready on {out.style(edge_url, 'bold cyan')}  (Ctrl-C stops)")

    async def _reload_until(self, stop: asyncio.Event, assembly: "Assembly", api: "V4Api") -> None:
        from edgeworker.harness.watching import changes, watched

        directories = watched(assembly.config)
        while not stop.is_set():
            async for files in changes(directories, stop):
                await self._reload(assembly, api, files)
                if watched(assembly.config) != directories:
                    break
            directories = watched(assembly.config)

    async def _reload(self, assembly: "Assembly", api: "V4Api", files: frozenset[Path]) -> None:
        from edgeworker.cli import garbage

        names = ", ".join(sorted(file.name for file in files))
        try:
            config = self._settled(self._load())
            self._tell_what_waits(assembly.config, config)
            await assembly.reload(config)
            api.config = config
            garbage.reloaded()
        except EdgeworkerError as error:
            _log.error("%s\nThe version before this change keeps serving.", error)
            return
        _log.info("reloaded (%s)", names)

    def _tell_what_waits(self, old: "Config", new: "Config") -> None:
        """Sockets and storage stay as they were opened."""
        for name in ("edge_socket", "api_socket", "api_hosts", "relaxed_expiration", "kv", "limits"):
            if getattr(old, name) != getattr(new, name):
                _log.warning("the change of %s takes effect after a restart", name.replace("_", " "))

    def _request_log(self, clock: "Clock") -> "OnRequest | None":
        from edgeworker.cli.request_log import json_line, text_line

        later = self._log.later
        if self._options.no_request_log:
            return None
        if self._options.json:
            return lambda summary: later(json_line(summary, now_ms=clock.now_ms()))
        return lambda summary: later(text_line(summary))

    def _print_trace(self, request: "Request", response: "Response | None", trace: "Trace") -> None:
        status = "failed" if response is None else str(response.status)
        self._errors.line(f"{request.method} {request.url.origin}{request.url.path} -> {status}")
        for line in trace.lines():
            self._errors.note(f"  {line}")


@asynccontextmanager
async def running(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """`work` runs beside the block and is cancelled after it; if it fails, so does the block."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        try:
            yield
        finally:
            task.cancel()


def _stop_on_signals() -> asyncio.Event:
    """Set by the first SIGINT or SIGTERM; a second one ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stopping(number: signal.Signals) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping, number)
    return stop
