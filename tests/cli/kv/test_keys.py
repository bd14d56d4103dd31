import json
from pathlib import Path

import pytest

from edgeworker.clock import SystemClock
from edgeworker.kv.namespace import KVNamespace
from tests.cli.kv.commands import Kv

HERE = ("--namespace-id", "ns")


async def test_a_key_is_put_got_listed_and_deleted(kv: Kv, namespace: KVNamespace) -> None:
    put = await kv("key", "put", "a/b c+%é", "value", "--metadata", '{"a":1}', "--ttl", "600", *HERE)

    found = await namespace.get_with_metadata("a/b c+%é")
    assert found is not None
    assert (found.value, found.metadata) == (b"value", {"a": 1})
    assert found.expires_at is not None
    assert 590 < found.expires_at - SystemClock().now() <= 600
    assert put.out == 'Writing the value "value" to key "a/b c+%é" on namespace id: "ns" with metadata "{"a":1}".\n'
    assert (await kv("key", "get", "a/b c+%é", *HERE)).content == b"value"
    assert (await kv("key", "get", "a/b c+%é", "--text", *HERE)).content == b"value\n"
    assert json.loads((await kv("key", "list", *HERE)).out) == [
        {"name": "a/b c+%é", "expiration": found.expires_at, "metadata": {"a": 1}}
    ]
    deleted = await kv("key", "delete", "a/b c+%é", *HERE)
    assert deleted.out == 'Deleting the key "a/b c+%é" on namespace id: "ns".\n'
    assert await namespace.get("a/b c+%é") is None


async def test_a_value_from_a_file_is_its_bytes_with_and_without_metadata(
    kv: Kv, namespace: KVNamespace, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 4096
    (tmp_path / "file").write_bytes(content)

    await kv("key", "put", "plain", "--path", "file", "--expiration", "9999999999", *HERE)
    await kv("key", "put", "with", "--path", "file", "--metadata", '"m"', *HERE)

    plain, described = await namespace.get_with_metadata("plain"), await namespace.get_with_metadata("with")
    assert plain is not None
    assert described is not None
    assert (plain.value, plain.expires_at) == (content, 9_999_999_999)
    assert (described.value, described.metadata) == (content, "m")
    assert (await kv("key", "get", "plain", *HERE)).content == content


async def test_more_keys_than_a_page_are_listed_by_prefix(kv: Kv, namespace: KVNamespace) -> None:
    for number in range(1005):
        await namespace.put(f"p&+/{number:04}", b"")
    await namespace.put("q", b"")

    listed = json.loads((await kv("key", "list", "--prefix", "p&+", *HERE)).out)

    assert [key["name"] for key in listed] == [f"p&+/{number:04}" for number in range(1005)]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("key", "get", "missing"), 'there is no key "missing" in the namespace ns'),
        (("key", "put", "k"), "give either a value or --path FILE"),
        (("key", "put", "k", "v", "--path", "f"), "give either a value or --path FILE"),
        (("key", "put", "k", "--path", "missing"), "--path missing: cannot be read: No such file"),
        (("key", "put", "k", "v", "--ttl", "5"), "Invalid expiration_ttl of 5. Expiration TTL must be at least 60."),
        (("key", "put", "k", "v", "--metadata", "{"), "--metadata {: is not JSON"),
        (("key", "delete", ".."), '".." is not allowed as a key name.'),
    ],
)
async def test_what_cannot_be_done_is_told_in_one_line(kv: Kv, arguments: tuple[str, ...], text: str) -> None:
    ran = await kv(*arguments, *HERE, status=1)

    assert text in ran.err
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1


async def test_reading_makes_no_database_and_writing_does(kv_here: Kv, tmp_path: Path) -> None:
    assert "there is no KV database" in (await kv_here("key", "get", "k", *HERE, status=1)).err
    assert not (tmp_path / "data").exists()

    await kv_here("key", "put", "k", "v", *HERE)

    assert (await kv_here("key", "get", "k", *HERE)).content == b"v"
