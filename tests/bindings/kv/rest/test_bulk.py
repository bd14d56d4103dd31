import json
from collections.abc import AsyncIterator

import pytest

from edgeworker.config import JSON, Config
from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.store import KVStore
from tests.kv.clocks import FakeClock
from tests.wrangler_compat.api.client import NAMESPACE, NAMESPACES, TOKEN, VALUES, Client
from wrangler_compat.api import Authenticator, OneToken, V4Api

BULK = f"{NAMESPACES}/{NAMESPACE}/bulk"


@pytest.fixture
def namespace(store: KVStore, clock: FakeClock) -> KVNamespace:
    return KVNamespace(store, NAMESPACE, clock)


async def all_keys(namespace: KVNamespace) -> list[str]:
    return [key.name for key in (await namespace.list()).keys]


async def test_a_bulk_put_writes_values_expiry_and_metadata(
    client: Client, namespace: KVNamespace, clock: FakeClock
) -> None:
    now = clock.now()
    pairs: JSON = [
        {"key": "text", "value": "é"},
        {"key": "bytes", "value": "AP8=", "base64": True},
        {"key": "moment", "value": "", "expiration": now + 100, "metadata": {"a": 1}},
        {"key": "ttl", "value": "x", "expiration": now + 500, "expiration_ttl": 60, "base64": False},
        {"key": "nulls", "value": "x", "expiration": None, "expiration_ttl": None, "metadata": None},
    ]

    answer = await client.call("PUT", BULK, pairs)

    assert answer.result == {"successful_key_count": 5, "unsuccessful_keys": []}
    found = {key: await namespace.get_with_metadata(key) for key in ("text", "bytes", "moment", "ttl", "nulls")}
    assert {key: entry and (entry.value, entry.expires_at, entry.metadata) for key, entry in found.items()} == {
        "text": ("é".encode(), None, None),
        "bytes": (b"\x00\xff", None, None),
        "moment": (b"", now + 100, {"a": 1}),
        "ttl": (b"x", now + 60, None),
        "nulls": (b"x", None, None),
    }


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"value": "v"}, 400, 10012),
        ({"key": 5, "value": "v"}, 400, 10012),
        ({"key": "k"}, 400, 10012),
        ({"key": "k", "value": 5}, 400, 10012),
        ({"key": "k", "value": "not base64", "base64": True}, 400, 10012),
        ({"key": "k", "value": "AP8=", "base64": "true"}, 400, 10012),
        ({"key": "k", "value": "AP8=", "base64": 1}, 400, 10012),
        ("k", 400, 10012),
        ({"key": "", "value": "v"}, 400, 10042),
        ({"key": "..", "value": "v"}, 400, 10042),
        ({"key": "k" * 513, "value": "v"}, 414, 10030),
        ({"key": "k", "value": "v", "expiration": 1}, 400, 10033),
        ({"key": "k", "value": "v", "expiration": "soon"}, 400, 10033),
        ({"key": "k", "value": "v", "expiration_ttl": 59}, 400, 10034),
        ({"key": "k", "value": "v", "expiration_ttl": True}, 400, 10034),
        ({"key": "k", "value": "v", "expiration_ttl": [60]}, 400, 10034),
        ({"key": "k", "value": "v", "metadata": "m" * 1023}, 400, 10047),
    ],
)
async def test_one_wrong_pair_and_nothing_is_written(
    client: Client, namespace: KVNamespace, wrong: JSON, status: int, code: int
) -> None:
    answer = await client.call("PUT", BULK, [{"key": "right", "value": "v"}, wrong])

    assert (answer.status, answer.code) == (status, code)
    assert await all_keys(namespace) == []


@pytest.mark.parametrize(("method", "target"), [("DELETE", BULK), ("POST", f"{BULK}/delete")])
async def test_both_forms_of_bulk_delete_remove_and_do_not_mind_missing_keys(
    client: Client, namespace: KVNamespace, method: str, target: str
) -> None:
    for key in ("a", "b/c", "stays"):
        await namespace.put(key, b"v")

    answer = await client.call(method, target, ["a", "b/c", "missing"])

    assert answer.result == {"successful_key_count": 3, "unsuccessful_keys": []}
    assert await all_keys(namespace) == ["stays"]


@pytest.mark.parametrize(("method", "target"), [("PUT", BULK), ("DELETE", BULK), ("POST", f"{BULK}/delete")])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[]", 10029),
        (b" [ ] ", 10029),
        (b"", 10012),
        (b"{}", 10012),
        (b"[1", 10012),
        (b"[1] x", 10012),
        (b"[\xff]", 10012),
        (b"[{}]", 10012),
    ],
)
async def test_a_bulk_body_is_an_array_with_something_in_it(
    client: Client, method: str, target: str, body: bytes, code: int
) -> None:
    answer = await client.call(method, target, body)

    assert (answer.status, answer.code) == (400, code)


async def test_a_bulk_body_in_another_encoding_is_named(client: Client) -> None:
    answer = await client.call("PUT", BULK, '[{"key": "a", "value": "b"}]'.encode("utf-16"))

    assert (answer.status, answer.code) == (400, 10012)
    assert b"could not parse the request's body as JSON: it is not UTF-8 text (byte 0)" in answer.content


async def test_a_bulk_call_has_at_most_ten_thousand_items(client: Client, namespace: KVNamespace) -> None:
    pairs: list[JSON] = [{"key": f"{number:05}", "value": "v"} for number in range(10_001)]

    too_many = await client.call("PUT", BULK, pairs)
    most = await client.call("PUT", BULK, pairs[1:])

    assert (too_many.status, too_many.code) == (400, 10046)
    assert most.result == {"successful_key_count": 10_000, "unsuccessful_keys": []}
    assert await namespace.get("00000") is None


async def test_a_bulk_body_over_100_mb_is_refused_before_it_is_read(client: Client) -> None:
    async def never() -> AsyncIterator[bytes]:
        pytest.fail("the body was read")
        yield b""

    answer = await client.call("PUT", BULK, never(), length=100 * 1024 * 1024 + 1)

    assert (answer.status, answer.code) == (413, 10024)


async def test_a_relaxed_api_moves_near_expiries_of_a_bulk_put(store: KVStore, clock: FakeClock) -> None:
    api = V4Api(Config(), store, Authenticator([OneToken(TOKEN)], clock=clock), clock=clock, relaxed_expiration=True)

    answer = await Client(api).call("PUT", BULK, [{"key": "k", "value": "v", "expiration": clock.now() + 1}])

    assert answer.status == 200
    entry = await store.get(NAMESPACE, "k", now=clock.now())
    assert entry is not None
    assert entry.expires_at == clock.now() + 60


async def test_a_bulk_get_answers_each_key_once_and_null_for_a_missing_one(
    client: Client, namespace: KVNamespace, clock: FakeClock
) -> None:
    await namespace.put("a", '{"n":1}', metadata="m", expiration_ttl=60)
    await namespace.put("b", b"[]")

    text = await client.call("POST", f"{BULK}/get", {"keys": ["b", "a", "b", "missing"]})
    as_json = await client.call("POST", f"{BULK}/get", {"keys": ["a", "missing"], "type": "json"})
    both = await client.call("POST", f"{BULK}/get", {"keys": ["a", "b", "missing"], "withMetadata": True})

    assert text.result == {"values": {"b": "[]", "a": '{"n":1}', "missing": None}}
    assert as_json.result == {"values": {"a": {"n": 1}, "missing": None}}
    assert both.result == {
        "values": {
            "a": {"value": '{"n":1}', "metadata": "m", "expiration": clock.now() + 60},
            "b": {"value": "[]", "metadata": None},
            "missing": None,
        }
    }


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"keys": []}, 400, 10029),
        ({"keys": "a"}, 400, 10029),
        ({}, 400, 10029),
        (["a"], 400, 10029),
        ({"keys": [str(number) for number in range(101)]}, 400, 10046),
        ({"keys": [5]}, 400, 10012),
        ({"keys": [""]}, 400, 10042),
        ({"keys": ["text"], "type": "arrayBuffer"}, 400, 10029),
        ({"keys": ["text"], "type": ["json"]}, 400, 10029),
    ],
)
async def test_a_bulk_get_that_cannot_be_made_has_its_code(
    client: Client, namespace: KVNamespace, body: JSON, status: int, code: int
) -> None:
    await namespace.put("text", b"no json")

    answer = await client.call("POST", f"{BULK}/get", body)

    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize(
    "value",
    [
        b"no json",
        b"NaN",
        b'{"a": Infinity}',
        b"1e999",
        b"[" * 100_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"9" * 5000,
        b"\xff",
    ],
    ids=["text", "nan", "infinity", "large", "open", "deep", "digits", "bytes"],
)
async def test_a_value_that_is_not_json_spoils_only_its_own_key(
    client: Client, namespace: KVNamespace, value: bytes
) -> None:
    await namespace.put("bad", value, metadata={"m": 1})
    await namespace.put("good", b'{"n": "\\ud800"}')

    answer = await client.call("POST", f"{BULK}/get", {"keys": ["bad", "good", "none"], "type": "json"})

    assert answer.status == 200
    assert answer.result == {"values": {"bad": None, "good": {"n": "\ud800"}, "none": None}}
    messages = answer.json["messages"]
    assert isinstance(messages, list)
    assert len(messages) == 1
    assert 'key "bad" is not JSON' in str(messages[0])


async def test_a_bulk_get_that_is_not_json_is_refused(client: Client) -> None:
    answer = await client.call("POST", f"{BULK}/get", b"{")

    assert (answer.status, answer.code) == (400, 10012)


async def test_a_key_named_bulk_is_a_key(client: Client) -> None:
    assert (await client.call("PUT", f"{VALUES}/bulk", json.dumps([]).encode())).status == 200
    assert (await client.get(f"{VALUES}/bulk")).content == b"[]"
