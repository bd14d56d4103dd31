from collections.abc import AsyncIterator

import pytest

from edgeworker.config import Config
from edgeworker.kv.store import KVStore
from edgeworker.messages import URL, Body, Request
from edgeworker.rest.call import MAX_JSON_BYTES, Call
from edgeworker.rest.errors import ApiError, KVCode
from edgeworker.rest.permissions import Principal
from edgeworker.state import MemoryState
from tests.kv.clocks import FakeClock


@pytest.fixture
def call(store: KVStore, clock: FakeClock) -> Call:
    request = Request("PUT", URL.parse("http://a.example/"))
    return Call(
        request,
        {},
        {},
        Principal("id", "name", ()),
        Config(),
        store,
        MemoryState(clock),
        clock,
        relaxed_expiration=False,
    )


async def test_a_missing_body_is_empty_and_no_json(call: Call) -> None:
    assert await call.content() == b""
    with pytest.raises(ApiError, match="could not parse the request's body as JSON"):
        await call.json(KVCode.MALFORMED_BODY)


async def test_a_body_over_the_limit_is_refused_announced_or_not(call: Call) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1 << 24)

    for length in (None, MAX_JSON_BYTES + 1):
        call.request.body = Body(endless(), length=length)
        with pytest.raises(ApiError) as refused:
            await call.content()
        assert (refused.value.status, refused.value.code) == (413, KVCode.TOO_LARGE)
