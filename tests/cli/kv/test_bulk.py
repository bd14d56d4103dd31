import json
from pathlib import Path

import pytest

from edgeworker.config import JSON
from edgeworker.kv.namespace import KVNamespace
from tests.cli.kv.commands import Kv

HERE = ("--namespace-id", "ns")


async def test_pairs_are_put_got_and_deleted(kv: Kv, namespace: KVNamespace, tmp_path: Path) -> None:
    pairs: list[JSON] = [{"key": f"{number:04}", "value": "é"} for number in range(1500)]
    pairs.append({"key": "bytes", "value": "AP8=", "base64": True, "metadata": {"n": 2}, "expiration": 9_999_999_999})
    (tmp_path / "pairs.json").write_text(json.dumps(pairs))
    (tmp_path / "keys.json").write_text(json.dumps(["0001", {"name": "1499"}, "missing"]))

    assert (await kv("bulk", "put", "pairs.json", "--metadata", '"default"', *HERE)).out == "Success!\n"
    found, other = await namespace.get_with_metadata("bytes"), await namespace.get_with_metadata("1499")
    assert found is not None
    assert other is not None
    assert (found.value, found.metadata, found.expires_at) == (b"\x00\xff", {"n": 2}, 9_999_999_999)
    assert (other.value, other.metadata) == ("é".encode(), "default")
    got = json.loads((await kv("bulk", "get", "keys.json", *HERE)).out)
    assert got == {"0001": "é", "1499": "é", "missing": None}
    assert (await kv("bulk", "delete", "keys.json", "--force", *HERE)).out == "Success!\n"
    assert await namespace.get("0001") is None
    assert await namespace.get("0002") == "é".encode()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("{", "f.json: is not JSON"),
        ("{}", "f.json: holds no JSON array"),
        ('[{"value": "v"}]', 'f.json: item 0: "key" is not a string'),
        ('[{"key": "k", "value": 1}]', 'f.json: item 0: "value" is not a string'),
        ('["k"]', 'f.json: item 0 is not an object with "key" and "value"'),
        ('[{"key": "k", "value": "?", "base64": true}]', 'f.json: item 0: "value" is not base64'),
        ('[{"key": "k", "value": "v", "expiration": "x"}]', 'f.json: item 0: "expiration" is "x", not a number'),
        ('[{"key": "", "value": "v"}]', "Key name cannot be empty."),
    ],
)
async def test_a_file_that_is_not_right_is_told_with_its_place(
    kv: Kv, namespace: KVNamespace, tmp_path: Path, content: str, text: str
) -> None:
    (tmp_path / "f.json").write_text(content)

    assert text in (await kv("bulk", "put", "f.json", *HERE, status=1)).err
    assert (await namespace.list()).keys == ()


async def test_a_list_of_keys_holds_keys(kv: Kv, tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text("[5]")

    assert (
        "item 0 is neither a key nor an object with a name" in (await kv("bulk", "get", "f.json", *HERE, status=1)).err
    )
    assert "missing.json: cannot be read" in (await kv("bulk", "get", "missing.json", *HERE, status=1)).err
