"""Reads of KV that are answered as bytes; recorded from workerd 2026-08-01."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeworker.cache.memory import MemoryCache
from edgeworker.clock import SystemClock
from edgeworker.handler import Handler
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.namespace import KVNamespace
from edgeworker.messages import Request, Response
from edgeworker.runtime.workerd.bridge import Bridge
from edgeworker.runtime.workerd.kept_reads import Expiries
from edgeworker.runtime.workerd.wire_kv_reads import answer_read
from edgeworker.server.unix_link import UnixLink
from tests.kv.clocks import FakeClock

KEY = b"the-key-of-our-child"
READ = (
    b"GET /%b HTTP/1.1\r\nHost: fake-host\r\new-service: 3\r\new-key: the-key-of-our-child\r\new-scheme: https\r\n"
    b"CF-KV-FLPROD-405: https://fake-host/k?urlencoded=true\r\n\r\n"
)


@pytest.fixture
async def namespace() -> KVNamespace:
    made = KVNamespace(MemoryStore(), "n", FakeClock(1_700_000_000))
    await made.put("k", b"value")
    await made.put("a b/é", b"", metadata={"m": "é"})
    await made.put("large", b"x" * 100_000)
    return made


@pytest.fixture
def folder() -> Iterator[Path]:
    """With a short path: that of a socket has at most about a hundred bytes."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.mark.parametrize(
    ("target", "answer"),
    [
        (b"k?urlencoded=true", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nvalue"),
        (
            b"a+b%2F%C3%A9?urlencoded=true",
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",  # "+" is itself in a path
        ),
        (
            b"a%20b%2F%C3%A9?urlencoded=true",
            b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nCF-KV-Metadata: {"m": "\\u00e9"}\r\n\r\n',
        ),
        (b"missing?urlencoded=true", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        (b"large?urlencoded=true", None),
        (b"k?urlencoded=true&cache_ttl=60", None),
        (b"?urlencoded=true", None),  # a list
        ("é?urlencoded=true".encode(), None),
        (b"%s?urlencoded=true" % (b"k" * 600), None),  # an error has a text of its own
    ],
)
async def test_a_read_is_answered_at_once_or_left(namespace: KVNamespace, target: bytes, answer: bytes | None) -> None:
    assert answer_read(READ % target, KEY, {b"3": namespace}, Expiries()) == answer


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        (b"GET", b"PUT"),
        (b"ew-key: the", b"ew-key: another"),
        (b"\r\new-key", b"\r\new-key: the-key-of-our-child\r\new-key"),
        (b"\r\new-key: the-key-of-our-child", b""),
        (b"ew-service: 3", b"ew-service: 4"),
        (b"ew-service: 3", b"ew-service: 3\r\nEW-Service: 3"),
        (b"ew-scheme: https", b"Content-Length: 1"),
        (b"ew-scheme: https", b"Transfer-Encoding: chunked"),
        (b"ew-scheme: https", b"Connection: close"),
        (b"ew-scheme: https", b" folded"),
        (b"\r\n\r\n", b"\r\n"),
        (b"\r\n\r\n", b"\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
        (b"HTTP/1.1", b"HTTP/1.0"),
    ],
)
async def test_what_is_not_exactly_a_read_of_our_child_is_left(
    namespace: KVNamespace, part: bytes, instead: bytes
) -> None:
    read = READ % b"k?urlencoded=true"
    assert part in read

    assert answer_read(read.replace(part, instead, 1), KEY, {b"3": namespace}, Expiries()) is None


async def test_a_connection_has_reads_and_other_requests_in_turns(namespace: KVNamespace, folder: Path) -> None:
    clock = SystemClock()
    link = UnixLink(clock)
    bridge = Bridge(KEY.decode(), MemoryCache(), clock)
    number = bridge.add_namespace(namespace).encode()
    handler: Handler = bridge
    stop = await link.serve(folder / "s", handler, bridge.answer_read)
    reader, writer = await asyncio.open_unix_connection(str(folder / "s"))

    def request(target: bytes) -> bytes:
        return (READ % target).replace(b"ew-service: 3", b"ew-service: " + number)

    statuses = []
    for target in (b"k?urlencoded=true", b"large?urlencoded=true", b"no?urlencoded=true", b"k?urlencoded=true"):
        writer.write(request(target))
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split()[1]) for line in head.splitlines() if line.lower().startswith(b"content-length"))
        statuses.append((head.split()[1], len(await reader.readexactly(length))))
    writer.write(request(b"k?urlencoded=true") * 2)
    both = await reader.readexactly(2)
    writer.close()
    await stop()
    await link.close()

    assert statuses == [(b"200", 5), (b"200", 100_000), (b"404", 0), (b"200", 5)]
    assert both == b"HT"


async def test_what_the_handler_is_asked_is_what_was_left(folder: Path) -> None:
    asked = []

    class Other:
        async def fetch(self, request: Request, /) -> Response:
            asked.append(request.url.path)
            return Response(200, body=b"read")

    link = UnixLink(SystemClock())
    stop = await link.serve(folder / "s", Other(), lambda data: b"at once" if b"/one" in data else None)
    reader, writer = await asyncio.open_unix_connection(str(folder / "s"))
    writer.write(b"GET /one HTTP/1.1\r\nHost: edge\r\n\r\n")
    first = await reader.readexactly(7)
    writer.write(b"GET /two HTTP/1.1\r\nHost: edge\r\n\r\n")
    await reader.readuntil(b"read")
    writer.close()
    await stop()
    await link.close()

    assert first == b"at once"
    assert asked == ["/two"]
