from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from cloudflare import AsyncCloudflare

from edgeworker.kv.memory import MemoryStore
from edgeworker.testing.local import LocalEdge
from tests.management import listen_api
from tests.products.access.stage import SERVICE, app, edge_with
from tests.wrangler_compat.api.client import TOKEN, Client
from wrangler_compat.api import Authenticator, OneToken, V4Api

ACCOUNT = "acc"


@dataclass
class Stage:
    """An edge with Access and the API over the same state."""

    edge: LocalEdge
    api: V4Api
    sdk: AsyncCloudflare
    client: Client


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with edge_with(app("shop", "shop.example.com"), app("written", "written.example.com", SERVICE)) as edge:
        clock = edge.clock
        api = V4Api(
            edge.config,
            MemoryStore(),
            Authenticator([OneToken(TOKEN)], clock=clock),
            clock=clock,
            state=edge._engine.state,
        )
        listener = await listen_api(api)
        try:
            async with AsyncCloudflare(api_token=TOKEN, base_url=f"{listener.url}/client/v4", max_retries=0) as sdk:
                yield Stage(edge, api, sdk, Client(api))
        finally:
            await listener.close(0)
