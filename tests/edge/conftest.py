from collections.abc import AsyncIterator

import pytest

from tests.edge.making import OPENED


@pytest.fixture(autouse=True)
async def _edges_are_closed() -> AsyncIterator[None]:
    yield
    while OPENED:
        await OPENED.pop().close()
