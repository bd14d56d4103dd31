from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cloudflare import AsyncCloudflare

from edgeworker.config import JSON, Config, Zone
from edgeworker.kv.memory import MemoryStore
from edgeworker.products.api_shield.config import ShieldConfig
from edgeworker.state import SQLiteState
from tests.kv.clocks import FakeClock
from tests.management import listen_api
from tests.products.api_shield.minting import key_set, signing_key
from tests.products.api_shield.zones import configuration, operation, rule
from tests.wrangler_compat.api.client import ACCOUNT, TOKEN, Answer, Client
from wrangler_compat.api import Authenticator, OneToken, V4Api

ZONE = "a" * 32
WRITTEN_ZONE = "b" * 32
OTHER_ZONE = "c" * 32
WRITTEN = ShieldConfig(
    operations=(operation("/written"),),
    configurations=(configuration("in-file", key_set(signing_key("RS256"))),),
    rules=(rule('is_jwt_valid("in-file")', id="rule-in-file"),),
)


@dataclass(frozen=True)
class Shield:
    """The API of a zone: paths are below "/zones/ZONE"."""

    client: Client
    clock: FakeClock
    zone: str = ZONE

    async def call(self, method: str, path: str, body: JSON = None) -> Answer:
        return await self.client.call(method, f"/client/v4/zones/{self.zone}{path}", body)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1_800_000_000)


@pytest.fixture
async def api(tmp_path: Path, clock: FakeClock) -> AsyncIterator[V4Api]:
    written = replace(
        WRITTEN,
        operations=tuple(replace(one, source="edge.toml:7") for one in WRITTEN.operations),
        configurations=tuple(replace(one, source="edge.toml:9") for one in WRITTEN.configurations),
    )
    zones = (
        Zone("api.test", ZONE, products=(ShieldConfig(),)),
        Zone("written.test", WRITTEN_ZONE, products=(written,)),
        Zone("other.test", OTHER_ZONE),
    )
    async with SQLiteState(tmp_path / "state", clock) as state:
        yield V4Api(
            Config(account_id=ACCOUNT, zones=zones),
            MemoryStore(),
            Authenticator([OneToken(TOKEN)], clock=clock),
            clock=clock,
            state=state,
        )


@pytest.fixture
def shield(api: V4Api, clock: FakeClock) -> Shield:
    return Shield(Client(api), clock)


@pytest.fixture
def written(api: V4Api, clock: FakeClock) -> Shield:
    return Shield(Client(api), clock, WRITTEN_ZONE)


@pytest.fixture
async def sdk(api: V4Api) -> AsyncIterator[AsyncCloudflare]:
    listener = await listen_api(api)
    async with AsyncCloudflare(api_token=TOKEN, base_url=f"{listener.url}/client/v4", max_retries=0) as client:
        yield client
    await listener.close(0)
