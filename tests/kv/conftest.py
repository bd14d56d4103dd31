from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edgeworker.kv.store import KVStore
from tests.kv.clocks import FakeClock
from tests.kv.stores import STORES


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[KVStore]:
    opened = STORES[request.param](tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
