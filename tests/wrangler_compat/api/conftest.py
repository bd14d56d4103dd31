from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edgeworker.config import Config, Namespace, Zone
from edgeworker.kv.store import KVStore
from tests.kv.clocks import FakeClock
from tests.kv.stores import STORES
from tests.management import listen_api
from tests.wrangler_compat.api.client import ACCOUNT, NAMESPACE, TOKEN, Client
from wrangler_compat.api import Authenticator, OneToken, V4Api

CONFIG = Config(account_id=ACCOUNT, zones=(Zone("example.com", "a" * 32), Zone("other.test", "b" * 32)))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[KVStore]:
    store = STORES[request.param](tmp_path / "data")
    await store.namespaces.register([Namespace(NAMESPACE, "tokens")])
    yield store
    await store.close()


@pytest.fixture
def client(store: KVStore, clock: FakeClock) -> Client:
    return Client(V4Api(CONFIG, store, Authenticator([OneToken(TOKEN)], clock=clock), clock=clock))


@pytest.fixture
async def url(client: Client, clock: FakeClock) -> AsyncIterator[str]:
    """The API on a socket of its own: "http://127.0.0.1:<port>"."""
    listener = await listen_api(client.api)
    yield listener.url
    await listener.close(0)
