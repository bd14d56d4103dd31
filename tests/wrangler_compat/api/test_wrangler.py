"""The real wrangler over a socket: every `kv` command that reaches the API, and `whoami`."""

import asyncio
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.store import KVStore
from tests.kv.clocks import FakeClock
from tests.npm_tools import npm_program
from tests.wrangler_compat.api.client import ACCOUNT, NAMESPACE, TOKEN

pytestmark = [pytest.mark.wrangler, pytest.mark.parametrize("store", ["sqlite"], indirect=True)]

REMOTE = ("--namespace-id", NAMESPACE, "--remote")


@dataclass(frozen=True, slots=True)
class Wrangler:
    command: list[str]
    url: str
    directory: Path

    async def __call__(self, *arguments: str, token: str = TOKEN, status: int = 0) -> str:
        """What it printed on stdout; on stderr where it was to fail."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "CI": "1",
            "NO_COLOR": "1",
            "WRANGLER_SEND_METRICS": "false",
            "WRANGLER_HIDE_BANNER": "true",
            "CLOUDFLARE_API_BASE_URL": f"{self.url}/client/v4",
            "CLOUDFLARE_API_TOKEN": token,
            "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
        }
        process = await asyncio.create_subprocess_exec(
            *self.command,
            *arguments,
            cwd=self.directory,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        assert process.returncode == status, (arguments, output, errors)
        return (errors if status else output).decode()


@pytest.fixture
def wrangler(store: KVStore, url: str, tmp_path: Path) -> Wrangler:
    return Wrangler(npm_program("wrangler", "bin/wrangler.js"), url, tmp_path)


@pytest.fixture
def namespace(store: KVStore, clock: FakeClock) -> KVNamespace:
    return KVNamespace(store, NAMESPACE, clock)


async def test_wrangler_knows_who_it_is(wrangler: Wrangler) -> None:
    known, unknown = await asyncio.gather(wrangler("whoami"), wrangler("whoami", token="wrong", status=1))

    assert "edgeworker@localhost" in known
    assert ACCOUNT in known
    assert "10000" in unknown


async def test_wrangler_makes_lists_renames_and_deletes_namespaces(wrangler: Wrangler, store: KVStore) -> None:
    made = re.search(r'"id": "([0-9a-f]{32})"', await wrangler("kv", "namespace", "create", "made"))

    assert made is not None
    assert json.loads(await wrangler("kv", "namespace", "list")) == [
        {"id": made[1], "title": "made", "supports_url_encoding": True},
        {"id": NAMESPACE, "title": "tokens", "supports_url_encoding": True},
    ]
    await wrangler("kv", "namespace", "rename", "made", "--new-name", "better")
    assert [namespace.title for namespace in await store.namespaces.all()] == ["tokens", "better"]
    await wrangler("kv", "namespace", "delete", "--namespace-id", made[1], "-y")
    assert [namespace.title for namespace in await store.namespaces.all()] == ["tokens"]
    # wrangler says this in its own words when the answer is code 10014.
    taken = await wrangler("kv", "namespace", "create", "tokens", status=1)
    assert 'A KV namespace with the title "tokens" already exists' in taken


async def test_wrangler_puts_gets_lists_and_deletes_keys(
    wrangler: Wrangler, namespace: KVNamespace, clock: FakeClock
) -> None:
    (wrangler.directory / "file.bin").write_bytes(b"\x00\xffbin")
    key = "a/b c+d=é%2F"

    await asyncio.gather(
        wrangler("kv", "key", "put", key, "value", "--ttl", "600", *REMOTE),
        wrangler("kv", "key", "put", "file", "--path", "file.bin", *REMOTE),
    )
    await asyncio.gather(
        wrangler("kv", "key", "put", "meta", "v", "--metadata", '{"a":1}', *REMOTE),
        wrangler("kv", "key", "put", "moment", "v", "--expiration", str(clock.now() + 70), *REMOTE),
    )

    assert await namespace.get(key) == b"value"
    assert await namespace.get("file") == b"\x00\xffbin"
    got, listed = await asyncio.gather(
        wrangler("kv", "key", "get", key, *REMOTE), wrangler("kv", "key", "list", *REMOTE)
    )
    assert got == "value"
    assert json.loads(listed) == [
        {"name": key, "expiration": clock.now() + 600},
        {"name": "file"},
        {"name": "meta", "metadata": {"a": 1}},
        {"name": "moment", "expiration": clock.now() + 70},
    ]
    await wrangler("kv", "key", "delete", key, *REMOTE)
    assert await namespace.get(key) is None
    missing, short = await asyncio.gather(
        wrangler("kv", "key", "get", key, *REMOTE, status=1),
        wrangler("kv", "key", "put", "short", "v", "--ttl", "5", *REMOTE, status=1),
    )
    assert "404" in missing
    assert "Invalid expiration_ttl of 5. Expiration TTL must be at least 60.' [code: 10034]" in short


async def test_wrangler_lists_more_keys_than_a_page_holds(wrangler: Wrangler, namespace: KVNamespace) -> None:
    for number in range(1005):
        await namespace.put(f"p/{number:04}", b"v")
    await namespace.put("other", b"v")

    listed = json.loads(await wrangler("kv", "key", "list", "--prefix", "p/", *REMOTE))

    assert [key["name"] for key in listed] == [f"p/{number:04}" for number in range(1005)]


async def test_wrangler_writes_reads_and_deletes_in_bulk(wrangler: Wrangler, namespace: KVNamespace) -> None:
    pairs = [{"key": f"x/{number:04}", "value": "one"} for number in range(1500)]
    pairs_file, keys_file = wrangler.directory / "pairs.json", wrangler.directory / "keys.json"
    pairs_file.write_text(json.dumps([*pairs, {"key": "bytes", "value": "AP8=", "base64": True, "metadata": {"n": 2}}]))
    keys_file.write_text(json.dumps(["x/0001", "x/1499", "missing"]))

    await wrangler("kv", "bulk", "put", "pairs.json", *REMOTE)
    got = json.loads(await wrangler("kv", "bulk", "get", "keys.json", *REMOTE))
    await wrangler("kv", "bulk", "delete", "keys.json", "--force", *REMOTE)

    assert got == {"x/0001": "one", "x/1499": "one", "missing": None}
    assert await namespace.get("bytes") == b"\x00\xff"
    assert await namespace.get("x/1498") == b"one"
    assert await namespace.get("x/1499") is None
