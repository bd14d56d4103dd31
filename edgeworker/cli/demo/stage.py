"""Everything that the demo needs, set up: the API, the edge in front of it, the KV REST API, temporary storage."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from edgeworker.bindings import KVBinding, TextBinding
from edgeworker.cli.demo.orders import OrdersApi
from edgeworker.cli.demo.tokens import DemoIssuer, Publisher
from edgeworker.clock import SystemClock
from edgeworker.config import Config, Namespace, Route, Socket, Worker
from edgeworker.host.bundled import DEFAULT_SCRIPT, script, scripts_folder
from edgeworker.host.datadir import DataDir
from edgeworker.host.serving import serve
from edgeworker.host.stored_edge import StoredEdge
from wrangler_compat.api import Authenticator, OneToken, V4Api

_NAMESPACE: Final = Namespace(id=f"{0x70C3:032x}", title="split tokens of the demo")
TUTORIAL_PATH: Final = "/tutorial/"
_ACCOUNT_ID: Final = f"{0xDE:032x}"

CONFIG: Final = Config(
    namespaces=(_NAMESPACE,),
    default_worker="split-token",
    default_on_every_host=True,
    account_id=_ACCOUNT_ID,
    edge_socket=Socket(port=0),
    api_socket=Socket(port=0),
)


@dataclass(frozen=True, slots=True)
class SplitTokenStage:
    """`edge_url` and `publisher.api_url` are sockets of this machine; `stop` is set by Ctrl-C. `engine` says what runs
    the tutorial's worker below TUTORIAL_PATH, where it is there."""

    edge_url: str
    issuer: DemoIssuer
    publisher: Publisher
    api: OrdersApi
    stop: asyncio.Event
    engine: str = ""


def with_tutorial(config: Config) -> Config:
    """The worker of the split-token tutorial beside the default script, on the same namespace."""
    tutorial = Worker(
        "split-tokens-worker",
        scripts_folder() / "templates" / "tutorial" / "index.js",
        bindings=(KVBinding("TOKENS", _NAMESPACE.id),),
        compatibility_date="2026-04-01",
        compatibility_flags=("nodejs_compat",),
    )
    route = Route(f"*{TUTORIAL_PATH}*", tutorial.name)
    return replace(config, workers=(*config.workers, tutorial), routes=(*config.routes, route))


def config_for(api_url: str) -> Config:
    """The default script on every host, with the API behind it."""
    worker = Worker(
        "split-token",
        script(DEFAULT_SCRIPT) / "worker.py",
        bindings=(KVBinding("TOKENS", _NAMESPACE.id), TextBinding("REALM", "orders")),
        compatibility_date="2026-04-01",
        compatibility_flags=("python_workers",),
        is_default_script=True,
    )
    return replace(CONFIG, workers=(worker,), origin=api_url)


@asynccontextmanager
async def set_up(*, tutorial: bool = False) -> AsyncIterator[SplitTokenStage]:
    """Free ports, nothing outside this machine, and nothing of it is left when it is over. `tutorial`: with the worker
    of the tutorial, which is JavaScript."""
    clock = SystemClock()
    issuer = DemoIssuer()
    with (
        tempfile.TemporaryDirectory(prefix="edgeworker-demo-", ignore_cleanup_errors=True) as folder,
        OrdersApi(issuer.public_key).listening() as api,
    ):
        config, engine = config_for(api.url), ""
        if tutorial:
            from edgeworker.runtime.engines.javascript import describe_engines

            config = with_tutorial(config)
            engine = describe_engines(config)["split-tokens-worker"]
        token = secrets.token_urlsafe(24)
        edge = StoredEdge(
            config,
            DataDir.open(Path(folder) / "data"),
            clock,
            lambda storage, state: V4Api(
                config, storage.api, Authenticator([OneToken(token)], clock=clock), clock=clock, state=state
            ),
        )
        async with serve(config, edge, clock=clock, drain_seconds=0) as running:
            publisher = Publisher(running.urls["api_url"], _ACCOUNT_ID, _NAMESPACE.id, token)
            yield SplitTokenStage(running.urls["url"], issuer, publisher, api, running.stop, engine)
