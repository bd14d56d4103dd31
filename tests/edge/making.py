"""An edge of script texts, with origins that a test answers for."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.clock import SystemClock
from edgeworker.config import Config, Worker
from edgeworker.edge import Edge, PersistentServices, build
from edgeworker.errors import OriginError
from edgeworker.handler import Background, Handler, Services
from edgeworker.kv.memory import MemoryStore
from edgeworker.messages import URL, Body, Headers, Request, Response

Answer = Callable[[Request], Awaitable[Response]]

HEADER = "from workers import Response, WorkerEntrypoint, fetch, Request\n\n\nclass Default(WorkerEntrypoint):\n"


_opened: list[Edge] = []


@pytest.fixture(autouse=True)
async def edges_are_closed() -> AsyncIterator[None]:
    """For the conftest.py of each folder whose tests make edges: a worker that stays open holds names of modules."""
    yield
    while _opened:
        await _opened.pop().close()


class Server:
    """Answers as told and remembers what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.requests: list[Request] = []

    async def fetch(self, request: Request, /) -> Response:
        self.requests.append(request)
        return await self._answer(request)


async def says_hello(request: Request) -> Response:
    return Response(200, Headers({"content-type": "text/plain"}), f"origin saw {request.url.href}".encode())


async def is_down(request: Request) -> Response:
    raise OriginError(f"http://127.0.0.1:1 refused the connection for {request.url.href}", status=521)


class Made:
    """`origins` has a Server for each base URL that was asked."""

    def __init__(self, edge: Edge, origins: dict[str, Server], internet: Server, background: Background) -> None:
        self.edge = edge
        self.origins = origins
        self.internet = internet
        self.background = background

    async def get(
        self, url: str, *, method: str = "GET", headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> tuple[Response, str]:
        """(response, its text)."""
        content = None if body is None else Body(body)
        response = await self.edge.fetch(Request(method, URL.parse(url), Headers(headers), content))
        return response, "" if response.body is None else (await response.body.read()).decode()

    async def close(self) -> None:
        """Where no conftest.py does it after the test."""
        _opened.remove(self.edge)
        await self.edge.close()


async def make(
    folder: Path,
    config: Config,
    scripts: dict[str, str],
    *,
    origin: Answer = says_hello,
    internet: Answer = is_down,
    persistent: PersistentServices | None = None,
) -> Made:
    """`scripts` has the body of each worker's class; a worker that `config` does not name yet is added to it."""
    workers: Sequence[Worker] = config.workers
    for name, text in scripts.items():
        main = folder / name / "worker.py"
        main.parent.mkdir(parents=True)
        main.write_text(HEADER + "\n".join(f"    {line}" for line in text.splitlines()) + "\n")
        known = next((worker for worker in workers if worker.name == name), None)
        if known is None:
            workers = (*workers, Worker(name, main))
        else:
            workers = tuple(replace(worker, main=main) if worker is known else worker for worker in workers)
    origins: dict[str, Server] = {}
    outside = Server(internet)
    background = Background()

    def origin_at(base: str) -> Handler:
        return origins.setdefault(base, Server(origin))

    services = Services(clock=SystemClock(), background=background, internet=outside, origin_at=origin_at)
    edge = await build(replace(config, workers=tuple(workers)), services, MemoryStore(), persistent)
    _opened.append(edge)
    return Made(edge, origins, outside, background)
