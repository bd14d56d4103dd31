"""Everything that the demo needs, set up: the API, the edge in front of it, the KV REST API, temporary storage."""

import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from edgeworker.bindings import KVBinding, TextBinding
from edgeworker.cli.demo.orders import OrdersApi
from edgeworker.cli.demo.tokens import Issuer, Publisher
from edgeworker.clock import SystemClock
from edgeworker.config import Config, Namespace, Socket, Worker
from edgeworker.host.assembly import Assembly
from edgeworker.host.bundled import DEFAULT_SCRIPT, script
from edgeworker.kv.sqlite import SQLiteStore
from edgeworker.server import listen
from wrangler_compat.api import Door, OneToken, V4Api

_NAMESPACE: Final = Namespace(id=f"{0x70C3:032x}", title="split tokens of the demo")
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
class Stage:
    """`edge_url` and `publisher.api_url` are sockets of this machine."""

    edge_url: str
    issuer: Issuer
    publisher: Publisher
    api: OrdersApi


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
async def set_up() -> AsyncIterator[Stage]:
    """Free ports, nothing outside this machine, and nothing of it is left when it is over."""
    clock = SystemClock()
    issuer = Issuer()
    with (
        tempfile.TemporaryDirectory(prefix="edgeworker-demo-", ignore_cleanup_errors=True) as folder,
        OrdersApi(issuer.public_key).listening() as api,
    ):
        config = config_for(api.url)
        store = SQLiteStore.open(Path(folder) / "kv.sqlite", durability=config.kv.durability)
        try:
            assembly = await Assembly.open(config, store=store, clock=clock)
            token = secrets.token_urlsafe(24)
            v4 = V4Api(config, store, Door([OneToken(token)], clock=clock), clock=clock)
            rest = await listen(v4, config.api_socket, limits=config.limits, clock=clock)
            edge = await listen(assembly, config.edge_socket, limits=config.limits, clock=clock)
            try:
                yield Stage(edge.url, issuer, Publisher(rest.url, _ACCOUNT_ID, _NAMESPACE.id, token), api)
            finally:
                await edge.close(0)
                await rest.close(0)
                await assembly.close(drain_seconds=0)
        finally:
            await store.close()
