"""Runs workers on this machine, reloading them when their files change.

examples:
  edgeworker dev                                    the worker of ./wrangler.toml, or the split-token gateway
  edgeworker dev --origin http://127.0.0.1:3000     with your API behind it
  edgeworker dev -c a/wrangler.toml -c b/wrangler.toml
  edgeworker dev --edge edge.toml -e staging --port 0 --json
  edgeworker dev --inspector-port 9229              JavaScript workers in Chrome's DevTools (chrome://inspect)
  edgeworker dev --https                            also https://localhost:8443, see: edgeworker tls show
  curl -H 'Host: api.example.com' http://127.0.0.1:8787/orders
"""

import argparse
import asyncio
import importlib
import json
import logging
import sys
from contextlib import nullcontext, redirect_stdout, suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from edgeworker.cli import startup
from edgeworker.cli.diagnostics import show_warning_blocks
from edgeworker.cli.options import add_config_options, load_options
from edgeworker.cli.output import Output
from edgeworker.cli.run_options import (
    add_developer_options,
    add_run_options,
    api_token,
    apply_options,
    port_number,
    serves_this_machine_only,
)
from edgeworker.errors import ConfigError, EdgeworkerError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeworker.cli.logs import LogStream
    from edgeworker.clock import Clock
    from edgeworker.config import Config
    from edgeworker.handler import Handler
    from edgeworker.host.sockets import ManagementSocket, Sockets
    from edgeworker.host.storage import Storage
    from edgeworker.messages import Request, Response
    from edgeworker.runtime.workerd.inspector import InspectedChildren
    from edgeworker.server.access_log import AccessLogger
    from edgeworker.state import SQLiteState
    from edgeworker.trace import Trace
    from wrangler_compat import Loaded
    from wrangler_compat.api import V4Api

_log = logging.getLogger(__name__)

# What these say when a script is loaded.
_LOADING: Final = ("edgeworker.runtime.python.isolate", "edgeworker.assets")


def configure(parser: argparse.ArgumentParser) -> None:
    add_config_options(parser)
    add_run_options(parser)
    add_developer_options(parser)
    group = parser.add_argument_group("debugging")
    group.add_argument(
        "--inspector-port",
        type=port_number,
        metavar="N",
        help="let DevTools debug JavaScript workers on this port (0: any free one); they must run in workerd",
    )
    group.add_argument(
        "--inspector-ip",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="where it listens (default: %(default)s); who reaches it can run code here",
    )


def run(options: argparse.Namespace) -> int:
    from edgeworker.cli import garbage, heap, logs
    from edgeworker.host import event_loop

    garbage.starting()
    heap.share_between_threads()
    log = logs.set_up(as_json=options.json, verbose=options.verbose)
    event_loop.run(_Session(options, log).serve())
    return 0


class _SaidOnce(logging.Filter):
    """Lets each warning about a script or its assets through once: what loading says is not said at each save."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno != logging.WARNING or not record.name.startswith(_LOADING):
            return True
        text = record.getMessage()
        is_new = text not in self._said
        self._said.add(text)
        return is_new


class _Session:
    """One run of `dev`."""

    def __init__(self, options: argparse.Namespace, log: "LogStream") -> None:
        self._options = options
        self._log = log
        log.addFilter(_SaidOnce())
        self._errors = Output.for_stream(sys.stderr)
        self._warned: frozenset[str] = frozenset()  # what stood in the files already is not told at each save

    async def serve(self) -> None:
        from edgeworker.cli import garbage
        from edgeworker.cli.logs import PrintedLines
        from edgeworker.clock import SystemClock
        from edgeworker.host.datadir import DataDir
        from edgeworker.host.deferred_api import DeferredApi
        from edgeworker.host.serving import serve
        from edgeworker.host.stored_edge import StoredEdge

        options, clock = self._options, SystemClock()
        begun_ms = clock.now_ms()
        loaded = self._load()
        self._tell_secret_sources(loaded)
        config = self._apply_options(loaded)
        data = DataDir.open(options.persist_to)
        token, place = api_token(options, data)
        drain = config.limits.drain_timeout_seconds
        inspected, others = self._debugging(config)
        edge = StoredEdge(
            config,
            data,
            clock,
            lambda storage, state: DeferredApi(config, lambda: self._api(config, storage, state, token, clock)),
            wrap=self._tracing(clock) if options.trace else None,
            access_logger=self._request_log(clock),
            refusal_recorder=self._record_refusals(data.path, clock),
            drain_seconds=drain,
            others=others,
            inspected=inspected,
        )
        garbage.program_loaded()
        async with serve(config, edge, clock=clock, drain_seconds=drain, data=data.path) as running:
            assembly = running.behind.assembly
            assert assembly is not None
            assembly.collect_replaced = garbage.collect_replaced
            if options.cron:
                from edgeworker.cron.firing import fire_when_due

                firing = fire_when_due(
                    lambda: assembly.config.workers, assembly.scheduled, clock=clock, background=assembly.background
                )
                await running.run_beside(firing)
                _log.info("cron triggers fire at their times (see `edgeworker cron next`)")
            garbage.serving()
            self._ready(config, running.sockets, place)
            with redirect_stdout(PrintedLines()) if options.json else nullcontext():
                await self._reload_until(running.stop, running.sockets, begun_ms)
                _log.info("stopping: requests in flight are finished first (Ctrl-C again cuts them)")

    def _debugging(self, config: "Config") -> "tuple[InspectedChildren | None, dict[str, ManagementSocket]]":
        """Raises ConfigError where there is nothing to debug."""
        options = self._options
        if options.inspector_port is None:
            return None, {}
        if not any(worker.is_javascript for worker in config.workers):
            raise ConfigError("--inspector-port is for JavaScript workers, and there is none; leave the option out")
        from edgeworker.config import Socket
        from edgeworker.host.management.inspector_socket import inspector_socket
        from edgeworker.runtime.workerd.inspector import InspectedChildren

        children = InspectedChildren()
        socket = Socket(options.inspector_ip.strip("[]"), options.inspector_port)
        return children, {"inspector_url": inspector_socket(children, socket, config.limits)}

    def _record_refusals(self, data: Path, clock: "Clock") -> "AccessLogger | None":
        from edgeworker.host.data_lock import hold_data
        from edgeworker.host.refusal_ring import record_refusals

        try:
            hold_data(data)
        except StoreError as error:
            _log.warning("%s\nThis one serves, and records no refusals for `edgeworker explain`.", error)
            return None
        return record_refusals(data, clock)

    def _tracing(self, clock: "Clock") -> "Callable[[Handler], Handler]":
        from edgeworker.host.tracing import Tracing

        return lambda edge: Tracing(edge, clock, self._print_trace)

    def _api(self, config: "Config", storage: "Storage", state: "SQLiteState", token: str, clock: "Clock") -> "V4Api":
        from wrangler_compat.api import Authenticator, NamedTokens, OneToken, V4Api

        hosts = (config.api_socket.host, *config.api_hosts)
        authenticator = Authenticator([OneToken(token), NamedTokens(state.api_tokens)], clock=clock, hosts=hosts)
        return V4Api(
            config, storage.api, authenticator, clock=clock, state=state, relaxed_expiration=config.relaxed_expiration
        )

    def _load(self) -> "Loaded":
        from wrangler_compat import load

        return load(load_options(self._options))

    def _tell_secret_sources(self, loaded: "Loaded") -> None:
        """In wrangler's words, once: a file that is not meant to be there is seen at the start. People see it above the
        table of what is served."""
        if self._options.json:
            for name in loaded.secret_sources:
                _log.info("Using secrets defined in %s", name)

    def _apply_options(self, loaded: "Loaded") -> "Config":
        """The configuration with what the command line overrides. Tells new warnings; raises ConfigError."""
        blocks = loaded.diagnostics.blocks("warning")
        new = [block for block in blocks if block not in self._warned]
        self._warned = frozenset(blocks)
        if self._options.json:
            for block in new:
                _log.warning("%s", block)
        else:
            show_warning_blocks(self._errors, new)
        config = apply_options(loaded.require(), self._options)
        details = not self._options.no_error_details and serves_this_machine_only(config)
        return replace(config, trigger_urls=True, error_details=details)

    def _ready(self, config: "Config", sockets: "Sockets", token_place: str) -> None:
        urls, authority = sockets.urls, None if sockets.tls is None else sockets.tls.authority
        if self._options.json:
            ca = {} if authority is None else {"ca": str(authority.certificate_file.resolve())}
            engines = {"javascript": note.removesuffix("; ")} if (note := startup.engine_note(config)) else {}
            print(json.dumps({"event": "ready", **urls, **ca, **engines}), flush=True)
            return
        after = [
            "Scripts and configuration are watched; data files that scripts read are not.",
            f"Ready on {urls['url']}  ({startup.engine_note(config)}Ctrl-C stops)",
        ]
        out = Output.for_stream(sys.stdout)
        if (inspector_url := urls.get("inspector_url")) is not None:
            after.insert(0, f"DevTools: {urlsplit(inspector_url).netloc} in chrome://inspect, or {inspector_url}/json")
        if authority is not None:
            made = "was made now" if sockets.tls is not None and sockets.tls.made_authority else "signs for https"
            after.insert(0, f"{authority.certificate_file} {made}; to trust it: edgeworker tls show")
        startup.show(
            out, config, urls=urls, token_place=token_place, verbose=self._options.verbose, lines_after=len(after)
        )
        *notes, ready = after
        for note in notes:
            out.prose(note)
        out.line(ready.replace(urls["url"], out.style(urls["url"], "bold cyan")))

    async def _reload_until(self, stop: asyncio.Event, sockets: "Sockets", loaded_ms: int) -> None:
        from edgeworker.clock import SystemClock

        # Its libraries take a while to load; the first requests do not wait for them.
        watching = await asyncio.to_thread(_load_watching)
        while not stop.is_set():
            directories, named = (
                watching.find_watched_directories(sockets.config),
                watching.files_of_products(sockets.config),
            )
            async for files in watching.changes(
                directories,
                stop,
                since_ms=loaded_ms,
                has_javascript=any(worker.is_javascript for worker in sockets.config.workers),
                files=named,
            ):
                loaded_ms = SystemClock().now_ms()
                await self._reload(sockets, files)
                now = watching.find_watched_directories(sockets.config), watching.files_of_products(sockets.config)
                if now != (directories, named):
                    break

    async def _reload(self, sockets: "Sockets", files: frozenset[Path]) -> None:
        names = ", ".join(sorted(file.name for file in files))
        try:
            config = self._apply_options(self._load())
            self._tell_what_waits(sockets.config, config)
            await sockets.reload(config)
        except EdgeworkerError as error:
            _log.error("%s\nThe version before this change keeps serving.", error)
            return
        _log.info("reloaded (%s)", names)

    def _tell_what_waits(self, old: "Config", new: "Config") -> None:
        """Sockets and storage stay as they were opened."""
        sockets = ("edge_socket", "https_socket", "redirect_socket", "api_socket", "api_https_socket")
        for name in (*sockets, "api_hosts", "relaxed_expiration", "kv", "limits"):
            if getattr(old, name) != getattr(new, name):
                _log.warning("the change of %s takes effect after a restart", name.replace("_", " "))

    def _request_log(self, clock: "Clock") -> "AccessLogger | None":
        from edgeworker.cli.request_log import json_line, text_line

        later = self._log.later
        if self._options.no_request_log:
            return None
        if self._options.json:
            return lambda record: later(json_line(record, now_ms=clock.now_ms()))
        return lambda record: later(text_line(record, now_ms=clock.now_ms()))

    def _print_trace(self, request: "Request", response: "Response | None", trace: "Trace") -> None:
        status = "failed" if response is None else str(response.status)
        self._errors.line(f"{request.method} {request.url.origin}{request.url.path} -> {status}")
        for line in trace.lines():
            self._errors.note(f"  {line}")


def _load_watching() -> ModuleType:
    from edgeworker.host import watching

    with suppress(ImportError):
        importlib.import_module("anyio._backends._asyncio")  # which the watcher would load in the loop
    return watching
