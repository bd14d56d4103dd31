"""One JavaScript worker in a real engine, for tests."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edgeworker.cache.memory import MemoryCache
from edgeworker.clock import Clock, SystemClock
from edgeworker.handler import Background, Context, Handler
from edgeworker.javascript.build import Build
from edgeworker.javascript.loading import load_project
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.namespace import KVNamespace
from edgeworker.messages import URL, Headers, Request, Response
from edgeworker.runtime.contract.isolate import Isolate
from edgeworker.runtime.contract.javascript import EnvEntry
from edgeworker.runtime.workerd.binary import Binary, find_in_project, inspect_binary
from edgeworker.runtime.workerd.engine import WorkerdEngine, WorkerSettings
from edgeworker.server.unix_link import UnixLink
from tests.npm_tools import missing, node_tools


def workerd() -> Binary:
    program = find_in_project(node_tools())
    if program is None:
        missing("workerd is needed: it comes with wrangler, see tests/npm_tools.py")
    return inspect_binary(program, "node_modules")


class Outside:
    """What the worker fetches: says what it was asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def fetch(self, request: Request, /) -> Response:
        self.requests.append(request)
        body = b"" if request.body is None else await request.body.read()
        return Response(
            200, Headers({"Content-Type": "text/plain"}), f"{request.method} {request.url} ".encode() + body
        )


class Stage:
    def __init__(self, isolate: Isolate, child: WorkerdEngine | None) -> None:
        """`child` is workerd's."""
        self.isolate = isolate
        self.child = child
        self.outside = Outside()
        self.background = Background()

    async def get(self, path: str, **fields: str) -> Response:
        headers = Headers({name.replace("_", "-"): value for name, value in fields.items()})
        return await self.send(Request("GET", URL.parse(f"https://shop.example.com{path}"), headers))

    async def text(self, path: str, **fields: str) -> str:
        response = await self.get(path, **fields)
        return "" if response.body is None else (await response.body.read()).decode()

    async def send(
        self, request: Request, subrequests: Handler | None = None, entrypoint: str | None = None
    ) -> Response:
        ctx = self.context(request, subrequests)
        return await self.isolate.fetch(request, ctx, entrypoint)

    def context(self, request: Request, subrequests: Handler | None = None) -> Context:
        outside = self.outside if subrequests is None else subrequests
        return Context(request, name="shop", background=self.background, subrequest=outside)


@asynccontextmanager
async def staged(
    engine: str,
    folder: Path,
    source: str,
    env: Mapping[str, EnvEntry] | None = None,
    *,
    name: str = "worker.js",
    flags: tuple[str, ...] = (),
    entrypoints: tuple[str, ...] = (),
    cpu_ms: int = 30_000,
    date: str = "2026-07-01",
    clock: Clock | None = None,
) -> AsyncIterator[Stage]:
    """`engine` is "workerd" or "embedded"."""
    (folder / name).write_text(source)
    clock = clock or SystemClock()
    project = load_project(folder / name, Build(folder), lowers_async=engine == "embedded")
    isolate: Isolate
    child: WorkerdEngine | None = None
    if engine == "workerd":
        settings = WorkerSettings("shop", project, env or {}, date, flags, entrypoints, cpu_ms)
        child = WorkerdEngine(workerd(), UnixLink(clock), MemoryCache(), clock)
        isolate = child.add(settings)
    else:
        pytest.importorskip("quickjs", reason="quickjs-bindings has wheels for CPython 3.11 and 3.13")
        from edgeworker.runtime.quickjs.isolate import QuickJSIsolate
        from edgeworker.runtime.quickjs.settings import EmbeddedSettings

        isolate = QuickJSIsolate(EmbeddedSettings("shop", project, env or {}, MemoryCache(), clock, flags, cpu_ms))
    try:
        await isolate.open()
        yield Stage(isolate, child)
    finally:
        await isolate.close()


def memory_namespace() -> KVNamespace:
    return KVNamespace(MemoryStore(), "n", SystemClock())
