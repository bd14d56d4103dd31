import pytest

from edgeworker.config import JSON, Config
from edgeworker.kv.store import KVStore
from tests.kv.clocks import FakeClock
from tests.wrangler_compat.api.client import ACCOUNT, TOKEN, Client
from wrangler_compat.api import Authenticator, OneToken, V4Api
from wrangler_compat.api.account import MADE_UP_ACCOUNT_ID

EXAMPLE: JSON = {
    "id": "a" * 32,
    "name": "example.com",
    "status": "active",
    "paused": False,
    "type": "full",
    "account": {"id": ACCOUNT, "name": "edgeworker"},
}


async def test_whoami_gets_what_it_asks_for(client: Client) -> None:
    token = (await client.get("/client/v4/user/tokens/verify")).result
    user = (await client.get("/client/v4/user")).result
    accounts = await client.get("/client/v4/accounts?page=1")
    memberships = (await client.get("/client/v4/memberships?page=1")).result

    assert token == {"id": "edgeworker", "status": "active"}
    assert isinstance(user, dict)
    assert user["email"] == "edgeworker@localhost"
    assert accounts.result == [{"id": ACCOUNT, "name": "edgeworker", "type": "standard"}]
    assert accounts.json["result_info"] == {
        "page": 1,
        "per_page": 20,
        "count": 1,
        "total_count": 1,
        "total_pages": 1,
    }
    assert isinstance(memberships, list)
    assert isinstance(memberships[0], dict)
    assert memberships[0]["status"] == "accepted"
    assert memberships[0]["account"] == accounts.result[0]


@pytest.mark.parametrize("path", ["accounts", "memberships", "zones"])
async def test_a_page_beyond_the_end_is_empty(client: Client, path: str) -> None:
    assert (await client.get(f"/client/v4/{path}?page=2")).result == []


async def test_an_account_is_got_by_its_id(client: Client) -> None:
    assert (await client.get(f"/client/v4/accounts/{ACCOUNT}")).result == {
        "id": ACCOUNT,
        "name": "edgeworker",
        "type": "standard",
    }


async def test_another_account_than_the_configured_one_is_refused(client: Client) -> None:
    answer = await client.get(f"/client/v4/accounts/{'f' * 32}/storage/kv/namespaces")

    assert (answer.status, answer.code) == (403, 10000)


@pytest.mark.parametrize("config", [Config(), Config(account_id=MADE_UP_ACCOUNT_ID, account_is_made_up=True)])
async def test_without_a_configured_account_any_id_will_do(store: KVStore, clock: FakeClock, config: Config) -> None:
    client = Client(V4Api(config, store, Authenticator([OneToken(TOKEN)], clock=clock), clock=clock))

    for account in ("f" * 32, "my-account", MADE_UP_ACCOUNT_ID):
        assert (await client.get(f"/client/v4/accounts/{account}/storage/kv/namespaces")).status == 200
    accounts = (await client.get("/client/v4/accounts")).result
    assert accounts == [{"id": MADE_UP_ACCOUNT_ID, "name": "edgeworker", "type": "standard"}]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["example.com", "other.test"]),
        ("?name=example.com", ["example.com"]),
        ("?name=Example.COM", ["example.com"]),
        ("?name=www.example.com", []),
        (f"?name=example.com&account.id={ACCOUNT}", ["example.com"]),
        (f"?account.id={'f' * 32}", []),
        ("?per_page=1&page=2", ["other.test"]),
    ],
)
async def test_zones_are_listed_by_name_and_account(client: Client, query: str, names: list[str]) -> None:
    zones = (await client.get(f"/client/v4/zones{query}")).result

    assert isinstance(zones, list)
    assert [zone["name"] for zone in zones if isinstance(zone, dict)] == names


async def test_a_zone_is_got_by_its_id(client: Client) -> None:
    missing = await client.get(f"/client/v4/zones/{'c' * 32}")

    assert (await client.get(f"/client/v4/zones/{'a' * 32}")).result == EXAMPLE
    assert (missing.status, missing.code) == (404, 1001)


async def test_a_page_that_is_not_a_number_is_refused(client: Client) -> None:
    assert (await client.get("/client/v4/zones?page=x")).status == 400
