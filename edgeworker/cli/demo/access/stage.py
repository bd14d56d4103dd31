"""What the Access demo needs: an edge.toml in a temporary folder, its edge on a free port, an origin that verifies."""

import asyncio
import secrets
import socket as sockets
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edgeworker.cli.demo.access.origin import Verifier, origin
from edgeworker.clock import Clock, SystemClock
from edgeworker.config import Config
from edgeworker.host.bundled import DEFAULT_SCRIPT, script
from edgeworker.host.datadir import DataDir
from edgeworker.host.serving import serve
from edgeworker.host.stored_edge import StoredEdge
from edgeworker.products.access.config import Policy, access_config
from edgeworker.products.access.objects import parse_application, parse_policy
from edgeworker.state import SQLiteState
from wrangler_compat import LoadOptions, load

EMAIL: Final = "ada@example.com"
STRANGER: Final = "eve@elsewhere.example"

EDGE_TOML: Final = """\
[[zones]]
name = "shop.localhost"
origin = "{origin}"
routes_without_worker = ["shop.localhost/*"]

[[zones]]
name = "wiki.localhost"
origin = "{origin}"
routes_without_worker = ["wiki.localhost/*"]

[[zones]]
name = "api.localhost"
origin = "{origin}"
routes_without_worker = ["api.localhost/*"]

[sockets]
edge = "127.0.0.1:{port}"

[access]
team = "acme"
local_login = true

[[access.identities]]
email = "ada@example.com"
name = "Ada"
groups = ["Engineering"]

[[access.service_tokens]]
name = "ci"
client_id = "{client_id}"
client_secret = "{client_secret}"

[[access.policies]]
name = "Staff"
decision = "allow"
include = [{{ email_domain = "example.com" }}]

[[access.apps]]
name = "Shop"
domain = "shop.localhost"
policies = ["Staff"]

[[access.apps]]
name = "Wiki"
domain = "wiki.localhost"
policies = ["Staff"]

[[access.apps]]
name = "API"
domain = "api.localhost"
policies = [{{ name = "Machines", decision = "non_identity", include = [{{ any_valid_service_token = {{}} }}] }}]
"""


@dataclass(frozen=True, slots=True)
class AccessStage:
    """`edge_url` is a socket of this machine; the other URLs are those that everyone uses, with their hosts."""

    edge_url: str
    port: int
    team_domain: str
    client_id: str
    client_secret: str = field(repr=False)
    config: Config
    data: Path
    clock: Clock
    verifier: Verifier
    stop: asyncio.Event

    def url(self, name: str, path: str = "/") -> str:
        return f"http://{name}.localhost:{self.port}{path}"


@asynccontextmanager
async def set_up() -> AsyncIterator[AccessStage]:
    """Free ports, nothing outside this machine, and nothing of it is left when it is over."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="edgeworker-demo-", ignore_cleanup_errors=True))
        )
        address = stack.enter_context(sockets.create_server(("127.0.0.1", 0)))
        port: int = address.getsockname()[1]
        verifier = Verifier()
        base = stack.enter_context(origin(verifier))
        client_id, secret = f"{secrets.token_hex(16)}.access", secrets.token_urlsafe(32)
        file = folder / "edge.toml"
        file.write_text(
            EDGE_TOML.format(origin=base, port=port, client_id=client_id, client_secret=secret), encoding="utf-8"
        )
        config = load(LoadOptions(default_script=script(DEFAULT_SCRIPT) / "worker.py", cwd=folder, edge=file)).require()
        access = access_config(config)
        assert access is not None
        data = DataDir.open(folder / ".edgeworker")
        edge = StoredEdge(config, data, clock)
        running = await stack.enter_async_context(serve(config, edge, clock=clock, drain_seconds=0, address=address))
        policies = {"Staff": _policy(config)}
        verifier.edge_url = running.urls["url"]
        verifier.team_domain = access.issuer
        verifier.audiences = [
            parse_application(dict(item.value), policies=policies).aud for item in access.objects if item.kind == "app"
        ]
        yield AccessStage(
            edge_url=running.urls["url"],
            port=port,
            team_domain=access.issuer,
            client_id=client_id,
            client_secret=secret,
            config=config,
            data=data.path,
            clock=clock,
            verifier=verifier,
            stop=running.stop,
        )


def _policy(config: Config) -> Policy:
    access = access_config(config)
    assert access is not None
    return next(parse_policy(dict(item.value)) for item in access.objects if item.kind == "policy")


@asynccontextmanager
async def state_of(stage: AccessStage) -> AsyncIterator[SQLiteState]:
    """The data directory, as another process has it open."""
    async with SQLiteState(stage.data, stage.clock) as state:
        yield state
