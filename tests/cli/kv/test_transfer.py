import json
import stat
from pathlib import Path

import pytest

from edgeworker.clock import SystemClock
from edgeworker.config import Namespace
from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.store import KVStore
from tests.cli.kv.commands import Kv, names_in
from tests.cli.kv.wrangler_layout import make_wrangler_state

FAR = 9_999_999_999


async def test_what_is_exported_is_imported_again_to_the_byte(
    kv: Kv, namespace: KVNamespace, store: KVStore, tmp_path: Path
) -> None:
    for number in range(1203):
        await namespace.put(f"k/{number:04}", f"value {number}")
    await namespace.put("bytes", bytes(range(256)) * 1000, metadata={"é": [1, None]}, expiration=FAR)
    await namespace.put("lines", "a\nb\r\n\u2028", expiration_ttl=600)

    # An API takes writes for namespaces that are there; a data directory makes them.
    await store.namespaces.register([Namespace("copy", "copy")])

    exported = await kv("export", "tokens", "out.jsonl")
    imported = await kv("import", "copy", "out.jsonl")

    assert exported.err == "ok: 1,205 keys exported\n"
    assert imported.err == "ok: 1,205 keys imported into copy\n"
    assert stat.S_IMODE((tmp_path / "out.jsonl").stat().st_mode) == 0o600
    copy = KVNamespace(store, "copy", SystemClock())
    for key in ("k/0000", "k/1202", "bytes", "lines"):
        assert await copy.get_with_metadata(key) == await namespace.get_with_metadata(key)
    assert (await copy.list()).keys == (await namespace.list()).keys


async def test_an_export_without_a_file_goes_to_standard_output(kv: Kv, namespace: KVNamespace) -> None:
    await namespace.put("a", "1")
    await namespace.put("b", b"\xff", metadata="m", expiration=FAR)

    exported = await kv("export", "ns", "--prefix", "b")

    assert exported.out == f'{{"key":"b","value":"/w==","base64":true,"expiration":{FAR},"metadata":"m"}}\n'


async def test_an_entry_that_has_nearly_expired_is_left_out(kv: Kv, namespace: KVNamespace, tmp_path: Path) -> None:
    now = SystemClock().now()
    lines = [
        {"key": "gone", "value": "v", "expiration": now - 1},
        {"key": "nearly", "value": "v", "expiration": now + 30},
        {"key": "there", "value": "v", "expiration": now + 600},
    ]
    (tmp_path / "f.jsonl").write_text("\n\n".join(json.dumps(line) for line in lines))

    ran = await kv("import", "ns", "f.jsonl")

    assert "ok: 1 keys imported into ns" in ran.err
    assert "2 left out" in ran.err
    assert [key.name for key in (await namespace.list()).keys] == ["there"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('{"key":"a","value":"v"}\n{"key":', "f.jsonl: line 2 is not JSON"),
        ('{"key":"a"}', 'f.jsonl: line 1: "value" is not a string'),
        ("[]", 'f.jsonl: line 1 is not an object with "key" and "value"'),
        ('{"key":"..","value":"v"}', '".." is not allowed as a key name.'),
    ],
)
async def test_a_wrong_line_is_told_and_its_batch_is_not_written(
    kv: Kv, namespace: KVNamespace, tmp_path: Path, content: str, text: str
) -> None:
    (tmp_path / "f.jsonl").write_text(content)

    assert text in (await kv("import", "ns", "f.jsonl", status=1)).err
    assert (await namespace.list()).keys == ()


async def test_a_failed_export_leaves_no_file(kv: Kv, tmp_path: Path) -> None:
    before = names_in(tmp_path)

    assert "there is no KV namespace or binding" in (await kv("export", "nothing", "out", status=1)).err
    assert "missing/out: cannot be written" in (await kv("export", "ns", "missing/out", status=1)).err

    assert names_in(tmp_path) == before


async def test_what_wrangler_kept_is_imported(kv: Kv, namespace: KVNamespace, tmp_path: Path) -> None:
    make_wrangler_state(
        tmp_path / ".wrangler" / "state" / "v3" / "kv",
        {
            "ns": {"a/b": (b"\x00\xff", FAR * 1000, '{"a":1}'), "c": (b"v", None, None)},
            "other": {"x": (b"y", None, None)},
        },
    )

    await kv("import", "ns", ".wrangler")
    found = await namespace.get_with_metadata("a/b")
    assert found is not None
    assert (found.value, found.expires_at, found.metadata) == (b"\x00\xff", FAR, {"a": 1})
    assert [key.name for key in (await namespace.list()).keys] == ["a/b", "c"]
    await kv("import", "ns", ".", "--source-namespace", "other")
    assert await namespace.get("x") == b"y"


async def test_a_folder_without_wranglers_layout_or_namespace_is_told(kv: Kv, tmp_path: Path) -> None:
    assert (
        "wrangler's local KV (.wrangler/state/v3/kv) is not in there" in (await kv("import", "ns", ".", status=1)).err
    )
    make_wrangler_state(tmp_path / "v3" / "kv", {"other": {"x": (b"y", None, None)}})

    assert 'there is no namespace "ns"; there are: other' in (await kv("import", "ns", ".", status=1)).err
