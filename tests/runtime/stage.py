"""A stage for scripts: real files, real isolates, and an origin that is a list of answers."""

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgeworker import config
from edgeworker.bindings import Resources, bind_services
from edgeworker.bindings.service.python_view import OwnExports
from edgeworker.config import Binding
from edgeworker.handler import Background
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.namespace import KVNamespace
from edgeworker.messages import URL, Body, Headers, Request, Response
from edgeworker.runtime import Env, Isolate, Worker, load
from edgeworker.runtime.contract.socket_policy import SocketPolicy
from edgeworker.runtime.python.isolate import PythonIsolate
from edgeworker.state import AtomicStore, MemoryAtomicStore
from edgeworker.state.rate_counters import RateCounters
from tests.kv.clocks import FakeClock

Files = str | Mapping[str, str]
IMPORTS = "from workers import Response, Request, fetch, WorkerEntrypoint\n"


@dataclass
class Origin:
    """Answers every subrequest with `answer`, and keeps what was asked."""

    answer: Callable[[Request], Response] = lambda _request: Response(200, body=b"from the origin")
    requests: list[Request] = field(default_factory=list)

    async def fetch(self, request: Request, /) -> Response:
        self.requests.append(request)
        return self.answer(request)


@dataclass
class Answer:
    """A response, read."""

    status: int
    headers: Headers
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()


@dataclass
class Stage:
    """Workers under one roof; each `add` writes the files and loads the script."""

    folder: Path
    origin: Origin = field(default_factory=Origin)
    background: Background = field(default_factory=Background)
    clock: FakeClock = field(default_factory=FakeClock)
    workers: dict[str, Worker] = field(default_factory=dict)
    opened: list[Isolate] = field(default_factory=list)
    store: MemoryStore = field(default_factory=MemoryStore)
    atomic: AtomicStore = field(default_factory=MemoryAtomicStore)

    def write(self, files: Files, *, name: str = "w", main: str = "worker.py") -> Path:
        folder = self.folder / name
        for path, text in ({main: files} if isinstance(files, str) else files).items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text))
        return folder / main

    def add(
        self,
        files: Files,
        *bindings: Binding,
        name: str = "w",
        main: str = "worker.py",
        date: str | None = None,
        flags: tuple[str, ...] = (),
        fake_time: bool = False,
        cpu_ms: int = config.DEFAULT_CPU_MS,
        seconds: float | None = None,
        sockets: SocketPolicy | None = None,
        lenient: bool = False,
    ) -> Worker:
        described = config.Worker(
            name,
            self.write(files, name=name, main=main),
            bindings,
            compatibility_date=date,
            compatibility_flags=flags,
            cpu_ms=cpu_ms,
        )
        bound = bind_services(
            described,
            Resources(
                clock=self.clock,
                namespaces=lambda namespace: KVNamespace(self.store, namespace, self.clock),
                workers=self.workers.get,
                atomic=self.atomic,
                rates=RateCounters(),
            ),
        )
        isolate = load(described, bound, self.clock if fake_time else None, sockets=sockets, lenient=lenient)
        self.opened.append(isolate)
        self.workers[name] = Worker(name, isolate, background=self.background, seconds=seconds, exports=OwnExports)
        return self.workers[name]

    def add_fetch(
        self, body: str, *bindings: Binding, above: str = "", name: str = "w", fake_time: bool = False
    ) -> Worker:
        """A worker whose `async def fetch(self, request)` has this body."""
        lines = textwrap.indent(textwrap.dedent(body).strip("\n"), " " * 8)
        head = f"class Default(WorkerEntrypoint):\n    async def fetch(self, request):\n{lines}\n"
        return self.add(IMPORTS + textwrap.dedent(above) + head, *bindings, name=name, fake_time=fake_time)

    async def get(
        self,
        url: str = "https://example.com/",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | Body | None = None,
        worker: str = "w",
        cf: Mapping[str, object] | None = None,
    ) -> Answer:
        sent = Body(body) if isinstance(body, bytes) else body
        request = Request(method, URL.parse(url), Headers(headers or {}), sent, cf=cf)
        response = await self.workers[worker].run(request, self.origin)
        content = b"" if response.body is None else await response.body.read()
        return Answer(response.status, response.headers, content)

    def env(self, worker: str = "w") -> Env:
        """What the script of a worker has as `env`."""
        isolate = self.workers[worker].isolate
        assert isinstance(isolate, PythonIsolate)
        return isolate.env

    async def run(self, body: str, *bindings: Binding, above: str = "") -> str:
        """The text that a `fetch` with this body answers."""
        self.add_fetch(body, *bindings, above=above)
        return (await self.get()).text

    async def close(self) -> None:
        await self.background.drain()
        for isolate in self.opened:
            await isolate.close()


SDK = """
import asyncio, json
from http import HTTPMethod, HTTPStatus
import js
from workers import *
from workers import Blob, File, FormData, Request, Response, fetch, python_from_rpc, python_to_rpc
"""


async def evaluated(
    stage: Stage,
    statement: str,
    expression: str,
    *,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = b'{"name": "x", "n": [{"a": 1}]}',
) -> str:
    """What an expression of a script gives within `fetch(self, request)`, or the error that it raises."""
    lines = textwrap.indent(statement, " " * 12)
    stage.add(
        f"{SDK}\nclass Default(WorkerEntrypoint):\n    async def fetch(self, request):\n        try:\n{lines}\n"
        f"            value = {expression}\n"
        "        except Exception as error:\n"
        "            value = f'{type(error).__name__}: {error}'\n"
        "        return Response(value if isinstance(value, str) else repr(value))\n"
    )
    answer = await stage.get("https://Example.com/Path?q=1", method=method, headers=headers, body=body)
    return answer.text
