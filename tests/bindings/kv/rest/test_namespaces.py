import re

import pytest

from edgeworker.bindings.kv.rest.namespaces import MAX_NAMESPACES
from edgeworker.config import JSON, Namespace
from edgeworker.kv.store import KVStore
from tests.wrangler_compat.api.client import NAMESPACE, NAMESPACES, VALUES, Client


def titles(result: JSON) -> list[JSON]:
    assert isinstance(result, list)
    return [item["title"] for item in result if isinstance(item, dict)]


async def test_a_namespace_is_made_renamed_and_deleted_with_its_keys(client: Client) -> None:
    made = (await client.call("POST", NAMESPACES, {"title": "sessions"})).result

    assert isinstance(made, dict)
    assert re.fullmatch("[0-9a-f]{32}", str(made["id"]))
    assert made == {"id": made["id"], "title": "sessions", "supports_url_encoding": True}
    here = f"{NAMESPACES}/{made['id']}"
    assert (await client.get(here)).result == made
    renamed = (await client.call("PUT", here, {"title": "logins"})).result
    assert renamed == {**made, "title": "logins"}
    assert (await client.get(here)).result == renamed
    await client.call("PUT", f"{here}/values/k", b"v")
    assert (await client.call("DELETE", here)).result is None
    for gone in (await client.get(here), await client.get(f"{here}/values/k"), await client.call("DELETE", here)):
        assert (gone.status, gone.code) == (404, 10013)


@pytest.mark.parametrize("body", [{}, {"title": ""}, {"title": " "}, {"title": 5}, {"title": None}, [], "title"])
async def test_a_namespace_needs_a_title(client: Client, body: JSON) -> None:
    for method, target in (("POST", NAMESPACES), ("PUT", f"{NAMESPACES}/{NAMESPACE}")):
        answer = await client.call(method, target, body)

        assert (answer.status, answer.code) == (400, 10019)


@pytest.mark.parametrize("body", [None, b"", b"{", b"\xff", b'{"title": NaN}', b"[" * 100_000])
async def test_a_body_that_is_not_json_is_refused(client: Client, body: bytes | None) -> None:
    answer = await client.call("POST", NAMESPACES, body)

    assert (answer.status, answer.code) == (400, 10012)


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_title_is_well_formed(client: Client, method: str) -> None:
    target = NAMESPACES if method == "POST" else f"{NAMESPACES}/{NAMESPACE}"

    answer = await client.call(method, target, b'{"title": "a\\ud800"}')

    assert (answer.status, answer.code) == (400, 10012)


async def test_two_namespaces_cannot_have_one_title(client: Client) -> None:
    other = (await client.call("POST", NAMESPACES, {"title": "other"})).result
    assert isinstance(other, dict)

    made = await client.call("POST", NAMESPACES, {"title": "tokens"})
    renamed = await client.call("PUT", f"{NAMESPACES}/{other['id']}", {"title": "tokens"})

    assert (made.status, made.code) == (400, 10014)
    assert made.message == "create namespace: 'a namespace with this account ID and title already exists'"
    assert (renamed.status, renamed.code) == (400, 10014)


async def test_renaming_an_unknown_namespace_is_10013(client: Client) -> None:
    answer = await client.call("PUT", f"{NAMESPACES}/{'2' * 32}", {"title": "x"})

    assert (answer.status, answer.code) == (404, 10013)


async def test_a_pager_by_number_sees_each_namespace_once_and_then_an_empty_page(
    client: Client, store: KVStore
) -> None:
    await store.namespaces.register(Namespace(f"{number:032x}", f"title {number:02}") for number in range(1, 25))
    seen: list[JSON] = []
    pages = 0
    while True:
        pages += 1
        answer = await client.get(f"{NAMESPACES}?page={pages}&order=title")
        assert isinstance(answer.result, list)
        assert answer.json["result_info"] == {
            "page": pages,
            "per_page": 20,
            "count": len(answer.result),
            "total_count": 25,
            "total_pages": 2,
        }
        if not answer.result:
            break
        seen += titles(answer.result)

    assert pages == 3
    assert seen == [f"title {number:02}" for number in range(1, 25)] + ["tokens"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["tokens", "b", "a"]),
        ("?order=title", ["a", "b", "tokens"]),
        ("?order=title&direction=desc", ["tokens", "b", "a"]),
        ("?order=id", ["b", "a", "tokens"]),
        ("?order=id&direction=desc&per_page=1", ["tokens"]),
        ("?per_page=2&page=2", ["a"]),
    ],
)
async def test_namespaces_are_listed_in_the_asked_order(
    client: Client, store: KVStore, query: str, expected: list[str]
) -> None:
    await store.namespaces.register([Namespace("00", "b"), Namespace("01", "a")])

    assert titles((await client.get(NAMESPACES + query)).result) == expected


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("page=0", 10007),
        ("page=-1", 10007),
        ("page=x", 10007),
        ("page=", 10007),
        ("per_page=0", 10008),
        ("per_page=1001", 10008),
        ("per_page=x", 10008),
        ("order=size", 10043),
        ("order=id&direction=up", 10044),
    ],
)
async def test_a_list_that_cannot_be_made_has_its_code(client: Client, query: str, code: int) -> None:
    answer = await client.get(f"{NAMESPACES}?{query}")

    assert (answer.status, answer.code) == (400, code)


async def test_an_account_has_at_most_a_thousand_namespaces(client: Client, store: KVStore) -> None:
    await store.namespaces.register(Namespace(str(number), str(number)) for number in range(MAX_NAMESPACES - 1))

    answer = await client.call("POST", NAMESPACES, {"title": "one more"})

    assert (answer.status, answer.code) == (400, 10018)


async def test_a_namespaces_id_may_be_any_text_that_is_percent_encoded(client: Client, store: KVStore) -> None:
    await store.namespaces.register([Namespace("my tokens", "mine")])

    assert (await client.call("PUT", f"{NAMESPACES}/my%20tokens/values/k", b"v")).status == 200
    assert (await client.get(f"{VALUES}/k")).code == 10009
