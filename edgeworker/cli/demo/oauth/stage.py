"""Everything that the OAuth demo needs: a project of `edgeworker init --template oauth` in a temporary folder, with
keys, a user and a client, its four workers on one edge, and an application that has a callback."""

import asyncio
import secrets
import socket as sockets
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edgeworker.bindings import KVBinding
from edgeworker.cli import init
from edgeworker.cli.demo.oauth.application import ClientApplication
from edgeworker.cli.demo.oauth.browser import Browser
from edgeworker.cli.demo.oauth.client import OAuthClient
from edgeworker.cli.kv.target import DataDirectory
from edgeworker.cli.oauth.clients import Clients
from edgeworker.cli.oauth.registry import Registry
from edgeworker.cli.oauth.secret_file import put_secret
from edgeworker.cli.oauth.users import Users
from edgeworker.clock import Clock, SystemClock
from edgeworker.config import Config
from edgeworker.host.bundled import DEFAULT_SCRIPT, script
from edgeworker.host.datadir import DataDir
from edgeworker.host.issuer_scripts import SigningKeys
from edgeworker.host.serving import serve
from edgeworker.host.stored_edge import StoredEdge
from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.sqlite import SQLiteStore
from wrangler_compat import LoadOptions, load

EMAIL: Final = "ann@example.com"
PASSWORD: Final = "correct horse battery staple"
CLIENT_ID: Final = "notes"
SCOPE: Final = "openid profile email offline_access records.read"

_PROJECT: Final = "my-login"
_PORT: Final = ":8787"  # what the project's files say


@dataclass(frozen=True, slots=True)
class DemoAccounts:
    """What exists before anything runs. `secret` is the client's."""

    project: Path
    user_id: str
    secret: str = field(repr=False)
    secret_file: Path


@dataclass(frozen=True, slots=True)
class Stage:
    """`edge_url` is a socket of this machine; `issuer` and `api` are the URLs that everybody uses, with their hosts."""

    edge_url: str
    issuer: str
    api: str
    registered: DemoAccounts
    application: ClientApplication
    config: Config
    store: SQLiteStore
    clock: Clock
    stop: asyncio.Event

    def client(self, secret: str | None = None) -> OAuthClient:
        given = self.registered.secret if secret is None else secret
        return OAuthClient(self.edge_url, self.issuer, CLIENT_ID, given, self.application.redirect_uri)

    def browser(self) -> Browser:
        """A new one, without cookies."""
        return Browser(self.edge_url, {self.application.url: self.application.url})

    def namespace(self, binding: str) -> KVNamespace:
        """By the name that the token worker gives it."""
        return KVNamespace(self.store, _namespace_id(self.config, binding), self.clock)


@asynccontextmanager
async def set_up() -> AsyncIterator[Stage]:
    """Free ports, nothing outside this machine, and nothing of it is left when it is over."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="edgeworker-demo-", ignore_cleanup_errors=True))
        )
        address = stack.enter_context(sockets.create_server(("127.0.0.1", 0)))
        port = address.getsockname()[1]
        application = stack.enter_context(ClientApplication().listening())
        project = folder / _PROJECT
        init.write(project, "oauth")
        for file in project.rglob("*.toml"):
            file.write_text(file.read_text("utf-8").replace(_PORT, f":{port}"), "utf-8")
        secret_file = project / "token" / ".dev.vars"
        keys = SigningKeys()
        put_secret(secret_file, "SIGNING_KEYS", keys.dump(keys.new(("RS256", "ES256"), now=clock.now())))

        config = load(LoadOptions(default_script=script(DEFAULT_SCRIPT) / "worker.py", cwd=project)).require()
        data = DataDir.open(project / ".edgeworker")
        store = SQLiteStore.open(data.kv_file, durability=config.kv.durability or "normal")
        stack.push_async_callback(store.close)
        registered = await _register(config, store, clock, project, secret_file, application.redirect_uri)
        edge = StoredEdge(config, data, clock)
        running = await stack.enter_async_context(serve(config, edge, clock=clock, drain_seconds=0, address=address))
        yield Stage(
            edge_url=running.urls["url"],
            issuer=f"http://auth.localhost:{port}",
            api=f"http://api.localhost:{port}",
            registered=registered,
            application=application,
            config=config,
            store=store,
            clock=clock,
            stop=running.stop,
        )


async def _register(
    config: Config, store: SQLiteStore, clock: Clock, project: Path, secret_file: Path, redirect_uri: str
) -> DemoAccounts:
    """As `oauth users add` and `oauth clients add` do it."""
    registry = Registry(DataDirectory(store, clock), _namespace_id(config, "USERS"))
    user = await Users(registry, clock.now()).add(
        {"email": EMAIL, "name": "Ann", "email_verified": True}, lambda _: PASSWORD
    )
    _, secret = await Clients(registry).add(
        {
            "client_id": CLIENT_ID,
            "client_name": "Notes",
            "redirect_uris": [redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": SCOPE,
            "token_format": "split",
        }
    )
    return DemoAccounts(project, user.id, secret or secrets.token_urlsafe(), secret_file)


def _namespace_id(config: Config, binding: str) -> str:
    return next(
        each.namespace_id
        for worker in config.workers
        for each in worker.bindings
        if worker.name == f"{_PROJECT}-token" and isinstance(each, KVBinding) and each.name == binding
    )
