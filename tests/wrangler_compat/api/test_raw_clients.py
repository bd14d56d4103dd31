"""curl, and the token publisher's call byte for byte, over a socket."""

import asyncio
import base64
import hashlib
import json
import secrets
import shutil
from pathlib import Path

import pytest

from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.store import KVStore
from tests.kv.clocks import FakeClock
from tests.wrangler_compat.api.client import ACCOUNT, NAMESPACE, TOKEN, VALUES

# The text of a signature and its key: one that begins with slashes, one without any character to escape.
VECTORS = [
    ("sig4616", "//p0H11e353t4zR+7J004M1LWP7fjivdkA74UV7aZF4="),
    ("sig1", "ZFdh7wy2aeTJh5uy27ZMX92N4QIR8wf9DQNmtrls7uU="),
]


@pytest.fixture
def namespace(store: KVStore, clock: FakeClock) -> KVNamespace:
    return KVNamespace(store, NAMESPACE, clock)


def publish(key: str, value: bytes, expiration: int, *, close: bool = False) -> bytes:
    """The request of Curity's cloudflare-token-publisher 0.1.0: the key is not escaped, the body is the value."""
    connection = "Connection: close\r\n" if close else ""
    head = (
        f"PUT /client/v4/accounts/{ACCOUNT}/storage/kv/namespaces/{NAMESPACE}/values/{key}?expiration={expiration}"
        f" HTTP/1.1\r\nHost: api.cloudflare.com\r\nAuthorization: Bearer {TOKEN}\r\n{connection}"
        f"Content-Length: {len(value)}\r\n\r\n"
    )
    return head.encode() + value


async def test_500_published_tokens_are_500_keys(url: str, namespace: KVNamespace, clock: FakeClock) -> None:
    keys = [base64.b64encode(hashlib.sha256(secrets.token_bytes(32)).digest()).decode() for _ in range(500)]
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))

    for key in keys:
        writer.write(publish(key, f"header.{key}".encode(), clock.now() + 300))
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        body = await reader.readexactly(int(fields[b"content-length"]))
        assert (head[:12], json.loads(body)["success"]) == (b"HTTP/1.1 200", True)
    writer.close()
    await writer.wait_closed()

    assert sum("/" in key for key in keys) > 150
    for key in keys:
        assert await namespace.get(key) == f"header.{key}".encode()


@pytest.mark.parametrize(("signature", "key"), VECTORS)
async def test_the_known_vectors_are_published_under_their_keys(
    url: str, namespace: KVNamespace, clock: FakeClock, signature: str, key: str
) -> None:
    assert base64.b64encode(hashlib.sha256(signature.encode()).digest()).decode() == key
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))

    writer.write(publish(key, b"header.payload", clock.now() + 61, close=True))
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert await namespace.get(key) == b"header.payload"


async def curl(*arguments: str, token: str | None = TOKEN) -> tuple[int, bytes]:
    """Status and body."""
    program = shutil.which("curl")
    if program is None:
        pytest.skip("curl is not installed")
    process = await asyncio.create_subprocess_exec(
        program,
        "--silent",
        "--write-out",
        "%{stderr}%{http_code}",
        *(() if token is None else ("--header", f"Authorization: Bearer {token}")),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, status = await process.communicate()
    return int(status), output


async def test_curl_writes_in_every_way_it_has(url: str, namespace: KVNamespace, tmp_path: Path) -> None:
    file = tmp_path / "value.bin"
    file.write_bytes(bytes(range(256)) * 300)
    values = url + VALUES

    assert (await curl("-X", "PUT", "-d", "a=b&c=d", f"{values}/form"))[0] == 200
    assert (await curl("-X", "PUT", "--data-binary", f"@{file}", f"{values}/binary"))[0] == 200
    assert (await curl("-T", str(file), f"{values}/upload"))[0] == 200
    assert (await curl("-T", str(file), "-H", "Transfer-Encoding: chunked", f"{values}/chunked"))[0] == 200
    assert (await curl("-X", "PUT", "-F", f"value=@{file}", "-F", 'metadata={"m":1}', f"{values}/multi/part"))[0] == 200
    assert (await curl("--path-as-is", "-X", "PUT", "-d", "dots", f"{values}/a/../b"))[0] == 200

    assert await namespace.get("form") == b"a=b&c=d"
    for key in ("binary", "upload", "chunked", "multi/part"):
        assert await namespace.get(key) == file.read_bytes(), key
    found = await namespace.get_with_metadata("multi/part")
    assert found is not None
    assert found.metadata == {"m": 1}
    assert await namespace.get("a/../b") == b"dots"
    assert await curl(f"{values}/binary") == (200, file.read_bytes())
    assert (await curl(f"{values}/missing"))[0] == 404
    assert (await curl("-X", "DELETE", f"{values}/form"))[0] == 200
    assert await namespace.get("form") is None


async def test_curl_without_a_token_is_told_so(url: str) -> None:
    status, body = await curl(f"{url}/client/v4/user", token=None)

    assert status == 401
    assert json.loads(body)["errors"] == [{"code": 10000, "message": "Authentication error"}]


async def test_a_rebound_name_and_a_web_page_are_refused_on_the_wire(url: str) -> None:
    assert (await curl("-H", "Host: attacker.example", f"{url}/client/v4/user"))[0] == 403
    assert (await curl("-H", "Origin: https://attacker.example", f"{url}/client/v4/user"))[0] == 403
