from collections.abc import AsyncIterator

import pytest

from edgeworker.config import Config, Namespace, Zone
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.store import KVStore
from tests.kv.clocks import FakeClock
from tests.wrangler_compat.api.client import ACCOUNT, NAMESPACE, TOKEN, Client
from wrangler_compat.api import Door, OneToken, V4Api

CONFIG = Config(account_id=ACCOUNT, zones=(Zone("example.com", "a" * 32), Zone("other.test", "b" * 32)))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def store() -> AsyncIterator[KVStore]:
    store = MemoryStore()
    await store.namespaces.register([Namespace(NAMESPACE, "tokens")])
    yield store
    await store.close()


@pytest.fixture
def client(store: KVStore, clock: FakeClock) -> Client:
    return Client(V4Api(CONFIG, store, Door([OneToken(TOKEN)], clock=clock), clock=clock))
