"""What is measured, each as a program: `python -m tests.bench.peers KIND --origin URL --data DIR`.

Prints `ready PORT` as soon as it serves, and serves until it is ended.
"""

import argparse
import asyncio
import base64
import gc
import hashlib
from pathlib import Path

import httptools

from edgeworker.admission import Refusal, admit
from edgeworker.clock import SystemClock
from edgeworker.config import Limits, Namespace, Outbound, Socket
from edgeworker.handler import Handler
from edgeworker.host import event_loop
from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.sqlite import SQLiteStore
from edgeworker.messages import Headers, Request, Response
from edgeworker.server import OriginClient, listen
from tests.bench import tokens

ANSWER = (
    b"HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 00:00:00 GMT\r\nContent-Type: application/json\r\n"
    b"Content-Length: 64\r\n\r\n" + b'{"orders":[{"id":1,"state":"open"},{"id":2,"state":"closed"}]}  '
)


class OriginProtocol(asyncio.Protocol):
    """An origin that costs as little as Python allows, where there is no nginx."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        assert self._transport is not None
        self._transport.write(ANSWER)


class Gateway:
    """The work of the split-token route on the core's types, without a script: hash, one KV read, forward."""

    def __init__(self, namespace: KVNamespace, origin: Handler) -> None:
        self._namespace = namespace
        self._origin = origin

    async def fetch(self, request: Request, /) -> Response:
        admitted = admit(request, ray="0123456789abcdef-LOC")
        if isinstance(admitted, Refusal):
            return Response(admitted.status, body=admitted.text.encode())
        token = (admitted.credentials.authorization or "").removeprefix("Bearer ")
        key = base64.b64encode(hashlib.sha256(token.encode()).digest()).decode()
        value = await self._namespace.get(key)
        if value is None:
            return Response(401)
        headers = Headers(admitted.headers)
        headers.set("Authorization", f"Bearer {value.decode()}.{token}")
        return await self._origin.fetch(admitted.replace(headers=headers))


async def serve_origin() -> int:
    server = await asyncio.get_running_loop().create_server(OriginProtocol, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    return port


async def serve_path(origin: str, data: Path) -> int:
    """Our listener and our origin client with the route's work between them."""
    clock = SystemClock()
    store = SQLiteStore.open(data / "path.sqlite", durability="normal")
    await store.namespaces.register([Namespace(tokens.NAMESPACE, "bench")])
    namespace = KVNamespace(store, tokens.NAMESPACE, clock)
    await asyncio.gather(*[namespace.put(one.key, one.value) for one in tokens.read(data / "tokens.json")])
    gateway = Gateway(namespace, OriginClient(Outbound(), clock).at(origin))
    listener = await listen(gateway, Socket(port=0), limits=Limits(), clock=clock)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    return listener.port


async def run(kind: str, origin: str, data: Path) -> None:
    match kind:
        case "origin":
            port = await serve_origin()
        case "path":
            port = await serve_path(origin, data)
        case "bare":
            from tests.bench import bare_aiohttp  # what the others do not need must not be in their start

            port = await bare_aiohttp.serve(origin)
        case _:
            raise SystemExit(f"no such kind: {kind}")
    print(f"ready {port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["origin", "path", "bare"])
    parser.add_argument("--origin", default="")
    parser.add_argument("--data", type=Path, default=Path())
    options = parser.parse_args()
    work = run(options.kind, options.origin, options.data)
    if options.kind == "path":
        event_loop.run(work)
    else:
        asyncio.run(work)
