from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edgeworker.clock import SystemClock
from edgeworker.config import Config, Limits, Namespace, Socket
from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.sqlite import SQLiteStore
from edgeworker.kv.store import KVStore
from edgeworker.server import listen
from tests.cli.kv.commands import TOKEN, Kv, on_directory
from wrangler_compat.api import Authenticator, OneToken, V4Api


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[KVStore]:
    """The database that the commands work on, open in this process too, as by an edge that runs."""
    store = SQLiteStore.open(tmp_path / "data" / "kv.sqlite", durability="normal")
    await store.namespaces.register([Namespace("ns", "tokens")])
    yield store
    await store.close()


@pytest.fixture
def namespace(store: KVStore) -> KVNamespace:
    return KVNamespace(store, "ns", SystemClock())


@pytest.fixture(params=["directory", "api"])
async def kv(
    request: pytest.FixtureRequest,
    store: KVStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> AsyncIterator[Kv]:
    """Both places: whatever a command does, it does in both."""
    monkeypatch.chdir(tmp_path)
    if request.param == "directory":
        yield Kv(on_directory(tmp_path / "data"), capsysbinary)
        return
    clock = SystemClock()
    api = V4Api(Config(account_id="some-account"), store, Authenticator([OneToken(TOKEN)], clock=clock), clock=clock)
    listener = await listen(api, Socket(port=0), limits=Limits(), clock=clock)
    yield Kv(("--api-url", listener.url, "--api-token", TOKEN), capsysbinary)
    await listener.close(0)


@pytest.fixture
def kv_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Kv:
    """On the data directory alone, which may not be there yet."""
    monkeypatch.chdir(tmp_path)
    return Kv(on_directory(tmp_path / "data"), capsysbinary)
