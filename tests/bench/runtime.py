"""What a worker costs over a direct call, per feature: `uv run python -m tests.bench.runtime [rounds]`.

Prints microseconds of CPU time per request in this process, with no socket: the best of several rounds, and the
difference from a handler that is plain Python. A figure that grows from one version to the next is a regression.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from edgeworker.bindings import KVBinding, ServiceBinding, TextBinding
from edgeworker.config import Binding
from edgeworker.handler import Handler
from edgeworker.kv.namespace import KVNamespace
from edgeworker.messages import URL, Body, Headers, Request, Response
from edgeworker.runtime import Worker
from tests.runtime.stage import Stage

CALLS = 500
HEADERS = [(f"X-Header-{number}".encode(), b"value") for number in range(12)] + [(b"Authorization", b"Bearer abc.def")]

# (what is measured, the body of fetch, what stands above it)
FEATURES: list[tuple[str, str, str]] = [
    ("a constant text", "return Response('hello')", ""),
    ("one header read", "return Response(request.headers.get('authorization'))", ""),
    ("all headers read", "return Response(str(len(list(request.headers.items()))))", ""),
    ("url and method read", "return Response(request.url + request.method)", ""),
    ("a body read as text", "return Response(await request.text())", ""),
    ("a body read as JSON", "return Response.json(await request.json())", ""),
    ("a response with headers", "return Response('x', status=201, headers={'a': '1', 'b': '2'})", ""),
    ("fetch(request) passed on", "return await fetch(request)", ""),
    (
        "fetch with a changed header",
        "return await fetch(Request(request, headers={**dict(request.headers.items()), 'a': '1'}))",
        "",
    ),
    ("fetch of an URL, body read", "return Response(await (await fetch('https://o.example/x')).text())", ""),
    ("env.TEXT", "return Response(self.env.TEXT)", ""),
    ("env.KV.get", "return Response(await self.env.KV.get('key'))", ""),
    ("env.SERVICE.fetch", "return await self.env.SERVICE.fetch(request)", ""),
    ("env.SERVICE.method()", "return Response(await self.env.SERVICE.total(1, 2))", ""),
    ("an import in the function", "import json\nreturn Response('x')", ""),
    ("run_sync imported", "return Response('hello')", "from pyodide.ffi import run_sync\n"),
    ("js.Response.new", "return js.Response.new('hello', status=200)", "import js\n"),
]
BINDINGS: tuple[Binding, ...] = (
    TextBinding("TEXT", "hello"),
    KVBinding("KV", "ns"),
    ServiceBinding("SERVICE", "service"),
)
SERVICE = """
from workers import Response, WorkerEntrypoint
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("hello")
    async def total(self, one, other):
        return str(one + other)
"""


class Direct:
    """What a worker is compared with: a handler of plain Python."""

    async def fetch(self, request: Request, /) -> Response:
        return Response(200, Headers.from_raw([(b"content-type", b"text/plain")]), b"hello")


def a_request(url: URL) -> Request:
    return Request("POST", url, Headers.from_raw(HEADERS), Body(b'{"a": 1}'))


async def microseconds(run: "Worker | Handler", stage: Stage, rounds: int) -> float:
    url = URL.parse("https://example.com/path?query=1")
    best = float("inf")
    for _ in range(rounds):
        requests = [a_request(url) for _ in range(CALLS)]
        begun = time.process_time()
        if isinstance(run, Worker):
            for request in requests:
                await run.run(request, stage.origin)
        else:
            for request in requests:
                await run.fetch(request)
        best = min(best, (time.process_time() - begun) / CALLS)
        stage.origin.requests.clear()
    return best * 1e6


async def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        stage.add(SERVICE, name="service")
        direct = await microseconds(Direct(), stage, rounds)
        print(f"{'a handler of plain Python':<40} {direct:8.2f} µs")
        for name, body, above in FEATURES:
            worker = stage.add_fetch(body, *BINDINGS, above=above)
            if "KV" in name:
                await KVNamespace(stage.store, "ns", stage.clock).put("key", b"value")
            taken = await microseconds(worker, stage, rounds)
            print(f"{name:<40} {taken:8.2f} µs   {taken - direct:+8.2f}")
        begun = time.process_time()
        for _ in range(20):
            stage.add_fetch("return Response('hello')")
        print(f"{'loading a small script':<40} {(time.process_time() - begun) / 20 * 1e6:8.0f} µs")
        await stage.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
