import pytest

from edgeworker.config import JSON
from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.store import KVStore
from tests.kv.clocks import FakeClock
from tests.wrangler_compat.api.client import NAMESPACE, NAMESPACES, Client

KEYS = f"{NAMESPACES}/{NAMESPACE}/keys"


@pytest.fixture
def namespace(store: KVStore, clock: FakeClock) -> KVNamespace:
    return KVNamespace(store, NAMESPACE, clock)


def names(result: JSON) -> list[JSON]:
    assert isinstance(result, list)
    return [item["name"] for item in result if isinstance(item, dict)]


async def test_keys_are_listed_with_expiry_and_metadata_where_they_have_them(
    client: Client, namespace: KVNamespace, clock: FakeClock
) -> None:
    await namespace.put("b", b"v", expiration_ttl=60, metadata={"n": 1})
    await namespace.put("a", b"v")

    answer = await client.get(KEYS)

    assert answer.result == [{"name": "a"}, {"name": "b", "expiration": clock.now() + 60, "metadata": {"n": 1}}]
    assert answer.json["result_info"] == {"count": 2, "cursor": ""}


async def test_a_cursor_leads_through_all_pages_until_it_is_empty(client: Client, namespace: KVNamespace) -> None:
    for number in range(25):
        await namespace.put(f"p/{number:02}", b"v")
    await namespace.put("q", b"v")
    seen: list[JSON] = []
    cursor = ""
    for _ in range(4):
        answer = await client.get(f"{KEYS}?limit=10&prefix=p%2F&cursor={cursor.replace('+', '%2B')}")
        seen += names(answer.result)
        info = answer.json["result_info"]
        assert isinstance(info, dict)
        cursor = str(info["cursor"])
        if not cursor:
            break

    assert seen == [f"p/{number:02}" for number in range(25)]
    assert cursor == ""


async def test_an_empty_namespace_is_one_empty_page(client: Client) -> None:
    answer = await client.get(f"{KEYS}?limit=&prefix=&cursor=")

    assert (answer.result, answer.json["result_info"]) == ([], {"count": 0, "cursor": ""})


@pytest.mark.parametrize("prefix", ["%25", "_", "%00", "%F0%9F%98%80", "a+b", "%E2%82%AC/"])
async def test_a_prefix_is_taken_to_the_byte(client: Client, namespace: KVNamespace, prefix: str) -> None:
    for key in ("%", "_", "\0", "😀", "a b", "a+b", "€/x", "zz"):
        await namespace.put(key, b"v")

    found = names((await client.get(f"{KEYS}?prefix={prefix}")).result)

    assert found == [
        {"%25": "%", "%00": "\0", "%F0%9F%98%80": "😀", "%E2%82%AC/": "€/x", "a+b": "a b"}.get(prefix, prefix)
    ]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("limit=9", 400, 10028),
        ("limit=1001", 400, 10028),
        ("limit=ten", 400, 10028),
        ("limit=-10", 400, 10028),
        ("cursor=%25%25", 400, 10041),
        ("prefix=" + "p" * 513, 414, 10030),
        ("prefix=%E9", 400, 10042),
    ],
)
async def test_a_list_that_cannot_be_made_has_its_code(client: Client, query: str, status: int, code: int) -> None:
    answer = await client.get(f"{KEYS}?{query}")

    assert (answer.status, answer.code) == (status, code)
