"""Runs an edge for tests in any language: in memory, its clock and its origins steered over a control socket.

The clock stands still until it is moved, origins answer by the test's rules, and nothing reaches the internet. When it
is ready, one line says where the edge, the control socket and the KV REST API are; with --json that line is JSON.

examples:
  edgeworker test-server --json -c wrangler.toml
      {"event": "ready", "url": "http://127.0.0.1:40001", "control_url": "http://127.0.0.1:40002", ...}
  C=http://127.0.0.1:40002; A='Authorization: Bearer CONTROL_TOKEN'
  curl -H "$A" -X POST $C/kv/TOKENS -d '{"key": "value"}'                      seed KV
  curl -H "$A" -X PUT "$C/kv/TOKENS/key?expiration_ttl=60" -d value            one entry
  curl -H "$A" $C/kv/TOKENS                                                    its keys; /kv/TOKENS/key: a value
  curl -H "$A" -X POST $C/origin/rules -d '{"pattern": "/orders", "json": []}'
  curl -H "$A" -X POST $C/origin/rules -d '{"pattern": "https://api.test/*", "fail": 521, "times": 1}'
  curl -H "$A" $C/origin/requests                                              what reached an origin
  curl -H "$A" -X POST $C/tokens -d '{"sub": "alice", "split": true}'          an access token, published
  curl -H "$A" -X POST $C/keys                                                 serves the issuer's key set
  curl -H "$A" -X POST $C/clock -d '{"advance": 61}'                           moves time, runs what became due
  curl -H "$A" -X POST $C/cron -d '{"cron": "*/5 * * * *"}'
  curl -H "$A" $C/trace                                                        each request's way; /logs: the log
  curl -H "$A" -X POST $C/reset                                                a fresh edge on the same ports
  edgeworker test-server --json --https    also "https_url", and "ca": the authority to trust, made for this run
"""

import argparse
import asyncio
import json
import secrets
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworker.cli.options import add_config_options, load_options
from edgeworker.cli.output import Output
from edgeworker.cli.run_options import port_number

if TYPE_CHECKING:
    from edgeworker.config import Config
    from edgeworker.host.serving import RunningEdge
    from edgeworker.messages import Request, Response
    from edgeworker.testing.local import LocalEdge


def configure(parser: argparse.ArgumentParser) -> None:
    add_config_options(parser)
    parser.add_argument("--port", type=port_number, default=0, metavar="N", help="port of the edge (default: any free)")
    parser.add_argument(
        "--control-port",
        type=port_number,
        default=0,
        metavar="N",
        help="port of the control socket (default: any)",
    )
    parser.add_argument(
        "--api-port", type=port_number, default=0, metavar="N", help="port of the KV REST API (default: any free)"
    )
    parser.add_argument(
        "--https", action="store_true", help="serve https too, with an authority that is made for this run"
    )
    parser.add_argument(
        "--https-port", type=port_number, metavar="N", help="port of https (default: any free); implies --https"
    )
    parser.add_argument("--json", action="store_true", help="print the ready line as JSON")


def run(options: argparse.Namespace) -> int:
    from edgeworker.cli import logs

    logs.set_up(as_json=options.json)
    asyncio.run(_serve(options))
    return 0


async def _serve(options: argparse.Namespace) -> None:
    import tempfile

    from edgeworker.clock import SystemClock
    from edgeworker.config import Socket
    from edgeworker.host.serving import serve
    from edgeworker.host.sockets import Behind, ManagementSocket
    from edgeworker.testing.control import Control
    from edgeworker.testing.local import LocalEdge

    config = _config(options)
    control_token, api_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    front, api = _Front(), _Api(config, api_token)

    def use(edge: LocalEdge) -> None:
        front.edge = edge
        api.use(edge)

    control = Control(lambda: LocalEdge(config), control_token, use)

    async def open_behind(stack: AsyncExitStack) -> Behind:
        stack.push_async_callback(lambda: control.edge.aclose())
        await control.edge.start()  # a script that cannot be loaded is reported now, not at the first request
        control_socket = ManagementSocket(control.application, Socket(port=options.control_port))
        return Behind(front, api, others={"control_url": control_socket})

    with tempfile.TemporaryDirectory(prefix="edgeworker-test-server-") as folder:
        async with serve(
            config,
            open_behind,
            clock=control.edge.clock,
            drain_seconds=0,
            data=Path(folder),
            tls_clock=SystemClock(),  # that of the clients, which the test's clock is not
        ) as running:
            _tell(_ready(running, control_token, api_token), as_json=options.json)
            await running.stop.wait()


def _ready(running: "RunningEdge", control_token: str, api_token: str) -> dict[str, str]:
    urls, tls = running.urls, running.sockets.tls
    ready = {
        "event": "ready",
        "url": urls["url"],
        "control_url": urls["control_url"],
        "control_token": control_token,
        "api_url": f"{urls['api_url']}/client/v4",
        "api_token": api_token,
    }
    if "https_url" in urls:
        ready["https_url"] = urls["https_url"]
    if tls is not None and tls.authority is not None:
        ready["ca"] = str(tls.authority.certificate_file.resolve())
    return ready


class _Front:
    """The edge of the moment, behind a port that stays."""

    edge: "LocalEdge"

    async def fetch(self, request: "Request", /) -> "Response":
        return await self.edge.answer(request)


class _Api:
    """The KV REST API of the edge of the moment."""

    def __init__(self, config: "Config", token: str) -> None:
        self.config = config
        self._token = token

    def use(self, edge: "LocalEdge") -> None:
        from wrangler_compat.api import Authenticator, OneToken, V4Api

        authenticator = Authenticator([OneToken(self._token)], clock=edge.clock, hosts=["127.0.0.1"])
        self._api = V4Api(self.config, edge.store, authenticator, clock=edge.clock)

    async def fetch(self, request: "Request", /) -> "Response":
        return await self._api.fetch(request)


def _config(options: argparse.Namespace) -> "Config":
    from edgeworker.config import Socket
    from wrangler_compat import load

    loaded = load(load_options(options))
    warnings = loaded.diagnostics.render("warning")
    if warnings:
        Output.for_stream(sys.stderr).line(warnings)
    config, is_https = loaded.require(), options.https or options.https_port is not None
    # Trusted proxies, TLS and the like are for a real address.
    return replace(
        config,
        edge_socket=Socket(port=options.port),
        api_socket=Socket(port=options.api_port),
        https_socket=Socket(port=options.https_port or 0) if is_https else None,
        api_https_socket=None,
        redirect_socket=None,
    )


def _tell(ready: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(ready), flush=True)
        return
    out = Output.for_stream()
    out.table(["", ""], [[name, value] for name, value in ready.items() if name != "event"])
    out.line("Ready  (Ctrl-C stops)")
