"""Runs `edgeworker oauth users|clients` on a data directory and on the API of an edge, as `edgeworker kv` is tested."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgeworker.cli import main
from edgeworker.clock import SystemClock
from edgeworker.config import Config, Limits, Namespace, Socket
from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.sqlite import SQLiteStore
from edgeworker.kv.store import KVStore
from edgeworker.server import listen
from tests.cli.kv.commands import TOKEN, Ran
from wrangler_compat.api import Authenticator, OneToken, V4Api


@dataclass(frozen=True, slots=True)
class OAuth:
    """`place` are the options that say where."""

    place: tuple[str, ...]
    capture: pytest.CaptureFixture[bytes]
    monkeypatch: pytest.MonkeyPatch

    async def __call__(self, *arguments: str, stdin: str = "", status: int = 0) -> Ran:
        self.monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        # In a thread: the command has an event loop of its own, and the API runs in the test's.
        ended = await asyncio.to_thread(self._run, [*arguments, *self.place])
        captured = self.capture.readouterr()
        ran = Ran(ended, captured.out, captured.err.decode())
        assert ran.status == status, ran
        return ran

    def _run(self, arguments: list[str]) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["oauth", *arguments])
        assert isinstance(ended.value.code, int)
        return ended.value.code


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[KVStore]:
    store = SQLiteStore.open(tmp_path / "data" / "kv.sqlite", durability="normal")
    await store.namespaces.register([Namespace("users-id", "users")])
    yield store
    await store.close()


@pytest.fixture
def namespace(store: KVStore) -> KVNamespace:
    return KVNamespace(store, "users-id", SystemClock())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, whose wrangler.toml binds USERS."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "worker.py").write_text("")
    (tmp_path / "wrangler.toml").write_text(
        'name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-04-01"\n'
        'kv_namespaces = [{ binding = "USERS", id = "users-id" }]\n'
    )
    return tmp_path


@pytest.fixture(params=["directory", "api"])
async def oauth(
    request: pytest.FixtureRequest,
    store: KVStore,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> AsyncIterator[OAuth]:
    if request.param == "directory":
        yield OAuth(("--persist-to", str(project / "data")), capsysbinary, monkeypatch)
        return
    clock = SystemClock()
    api = V4Api(Config(account_id="some-account"), store, Authenticator([OneToken(TOKEN)], clock=clock), clock=clock)
    listener = await listen(api, Socket(port=0), limits=Limits(), clock=clock)
    yield OAuth(("--api-url", listener.url, "--api-token", TOKEN), capsysbinary, monkeypatch)
    await listener.close(0)
