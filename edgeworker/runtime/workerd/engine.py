"""All JavaScript workers of one edge in one child: its start, its watch, and its end."""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from edgeworker.cache.store import CacheStore
from edgeworker.clock import Clock
from edgeworker.errors import OriginError, ScriptError
from edgeworker.handler import Context, Handler
from edgeworker.javascript.node_builtins import imported_of_node
from edgeworker.javascript.project import Module, Project
from edgeworker.javascript.stack import map_stack, map_text
from edgeworker.messages import URL, Request, Response
from edgeworker.runtime.contract.isolate import ExceededLimits
from edgeworker.runtime.contract.javascript import (
    EnvDurableObjects,
    EnvEntry,
    EnvFetcher,
    EnvMethods,
    EnvNamespace,
    EnvNotEmulated,
    EnvService,
    EnvValue,
)
from edgeworker.runtime.workerd.binary import Binary
from edgeworker.runtime.workerd.bridge import Bridge, answer_of
from edgeworker.runtime.workerd.capnp import ChildWorker, NativeBinding, host_service, quote
from edgeworker.runtime.workerd.child import Child
from edgeworker.runtime.workerd.durable_objects import check_scripts, find_classes
from edgeworker.runtime.workerd.entry_module import CONTROL_BINDING, entry_modules
from edgeworker.runtime.workerd.inspector import InspectedChildren, modules_for_devtools
from edgeworker.runtime.workerd.invocation import SAFE_METHODS, Ended, Invocation, describe_lost, find_suspects
from edgeworker.runtime.workerd.isolate import WorkerdIsolate
from edgeworker.runtime.workerd.supervisor import ChildSupervisor

_log = logging.getLogger(__name__)

DEFAULT_HEAP_MEGABYTES: Final = 128  # https://developers.cloudflare.com/workers/platform/limits/#memory
_EXIT_SECONDS: Final = 30.0  # between the end of the child's connections and that of its process
_RESTART_DELAYS_SECONDS: Final = (0.0, 0.5, 1.0, 2.0, 5.0)
_PING_WORKER: Final = "edgeworker-ping"
_PING_SOURCE: Final = b"export default { fetch: () => new Response(null, { status: 204 }) };"
_PING_DATE: Final = "2024-01-01"


class Link(Protocol):
    """The edge's own HTTP over unix sockets."""

    async def serve(
        self, path: Path, handler: Handler, answer_at_once: Callable[[bytes], bytes | None]
    ) -> Callable[[], Awaitable[None]]:
        """Answers on a new socket until what it returns is called. `answer_at_once` is shown each request as bytes
        before the handler is asked, and may answer it with bytes."""
        ...

    def connect(self, path: Path) -> Handler:
        """What sends requests to the socket, on kept connections. Raises OriginError where nothing answers."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker's configuration says of how it runs. `entrypoints` are those that other workers name."""

    name: str
    project: Project
    env: Mapping[str, EnvEntry]
    compatibility_date: str
    compatibility_flags: tuple[str, ...] = ()
    entrypoints: tuple[str, ...] = ()
    cpu_ms: int = 30_000


class WorkerdEngine:
    """Collects workers with `add`; the first `open` of an isolate starts the child with all of them."""

    def __init__(
        self,
        binary: Binary,
        link: Link,
        cache: CacheStore,
        clock: Clock,
        *,
        heap_megabytes: int = DEFAULT_HEAP_MEGABYTES,
        inspected: InspectedChildren | None = None,
    ) -> None:
        self.binary = binary
        self._link = link
        self._child = Child(binary, self._handle_exit, self._map_stack, heap_megabytes=heap_megabytes)
        self.bridge = Bridge(self._child.key, cache, clock)
        self._workers: list[tuple[WorkerSettings, WorkerdIsolate]] = []
        self._paths: dict[tuple[str, str], Path] = {}
        self._handlers: dict[tuple[str, str], Handler] = {}
        self._starting: asyncio.Task[None] | None = None
        self._open: set[WorkerdIsolate] = set()
        self._stop_serving: Callable[[], Awaitable[None]] | None = None
        self._supervisor = ChildSupervisor(
            self._ping,
            self._child.kill,
            lambda name: next(one.cpu_ms for one, _ in self._workers if one.name == name) / 1000,
            self.bridge.invocations,
            inspected,
            heap_megabytes=heap_megabytes,
        )
        self.bridge.on_request = self._supervisor.hear
        self._child_end: asyncio.Future[Ended]  # of the child that runs now
        self._repeat_lock = asyncio.Lock()
        self._restarts = 0
        self._inspected = inspected
        self._inspector_port: int | None = None

    def add(self, settings: WorkerSettings) -> WorkerdIsolate:
        namespaces = [entry.namespace for entry in settings.env.values() if isinstance(entry, EnvNamespace)]
        isolate = WorkerdIsolate(settings.name, settings.project, self, namespaces)
        self._workers.append((settings, isolate))
        self._open.add(isolate)
        return isolate

    async def start(self) -> None:
        """Starts the child once; later callers wait for the same start. Raises ScriptError."""
        if self._is_started():
            return
        starting = self._starting
        if starting is None or (self._restarts and starting.done() and starting.exception() is not None):
            self._starting = asyncio.ensure_future(self._start())
        assert self._starting is not None
        await asyncio.shield(self._starting)

    def _is_started(self) -> bool:
        starting = self._starting
        return starting is not None and starting.done() and not starting.cancelled() and starting.exception() is None

    async def send(
        self, isolate: WorkerdIsolate, entrypoint: str | None, request: Request, invocation: Invocation
    ) -> Response:
        """Sends it to the child, and once more to the next one if the child ended meanwhile through something else and
        the request has changed nothing yet.

        Raises ExceededLimits or LostWithIsolate where the child had to be ended, ScriptError where it ended by itself.
        """
        is_repeated = False
        while True:
            if not self._is_started():
                await self.start()
            handler = self._handlers.get((isolate.name, entrypoint or ""))
            if handler is None:
                raise ScriptError(
                    f'worker "{isolate.name}" has no entrypoint "{entrypoint}"; it exports: '
                    f"{', '.join(isolate.entrypoints())}"
                )
            end = self._child_end
            try:
                return await self._send_once(handler, request, invocation, alone=is_repeated)
            except OriginError as error:
                ended = await self._wait_for_end(end)
                # It was down already when we asked: nothing of the request was read.
                if error.status == 521 and ended is not None and (request.body is None or not request.body.used):
                    continue
                may_repeat = (
                    request.method in SAFE_METHODS and request.body is None and not self.bridge.has_effects(invocation)
                )
                if may_repeat and not is_repeated and (ended is None or not ended.is_guilty(invocation)):
                    is_repeated = True
                    continue
                if ended is None:
                    raise ScriptError(f'worker "{isolate.name}": workerd closed the connection: {error}') from error
                raise ended.reason_for(invocation) from error

    async def _wait_for_end(self, end: "asyncio.Future[Ended]") -> "Ended | None":
        """None where the child still runs: it closed a connection that no one had used for a while."""
        ping = asyncio.ensure_future(self._ping())
        both: set[asyncio.Future[Response] | asyncio.Future[Ended]] = {ping, end}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not end.done() and ping.done() and ping.exception() is None:
            return None
        ping.cancel()
        await asyncio.gather(ping, return_exceptions=True)
        try:
            return await asyncio.wait_for(asyncio.shield(end), _EXIT_SECONDS)
        except TimeoutError:
            return None

    async def _send_once(self, handler: Handler, request: Request, invocation: Invocation, *, alone: bool) -> Response:
        invocation.resumed_at = asyncio.get_running_loop().time()
        self._supervisor.watch()
        if not alone:
            response = await handler.fetch(request)
            self._supervisor.hear()
            return response
        # If it ends the child again, no other can have done it: the next one is sent when this one lets others go on.
        answer: asyncio.Future[Response] | None = None
        try:
            async with self._repeat_lock:
                answer = asyncio.ensure_future(handler.fetch(request))
                ping = asyncio.ensure_future(self._ping())
                done, _ = await asyncio.wait({answer, ping}, return_when=asyncio.FIRST_COMPLETED)
                if not any(one.exception() for one in done):
                    self._supervisor.hear()
                ping.cancel()
                await asyncio.gather(ping, return_exceptions=True)
            return await answer
        finally:
            if answer is not None:
                answer.cancel()

    async def _ping(self) -> Response:
        return await self._handlers[_PING_WORKER, ""].fetch(_ping())

    async def close_one(self, isolate: WorkerdIsolate) -> None:
        """The child ends with its last isolate."""
        self._open.discard(isolate)
        if self._open:
            return
        await self._supervisor.close()
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        self._end_inspection()
        await self._child.stop()
        self.bridge.settle_all()
        if self._stop_serving is not None:
            await self._stop_serving()
        await self._link.close()

    async def _start(self) -> None:
        check_scripts(self._collect_envs())
        if self._stop_serving is None:
            self._stop_serving = await self._link.serve(self._child.host, self.bridge, self.bridge.answer_read)
            self._child.write(
                [*(self._make_child_worker(settings) for settings, _ in self._workers), self._make_ping_worker()]
            )
            self._handlers = {place: self._link.connect(path) for place, path in self._paths.items()}
        self._child_end = asyncio.get_running_loop().create_future()
        for _, isolate in self._workers:
            isolate.kept.begin_anew()
        self._supervisor.follow(0, 0)
        try:
            port = await self._child.start(inspected=self._inspected is not None)
        except ScriptError as error:
            text = str(error)
            for settings, _ in self._workers:
                text = map_text(text, settings.project)
            raise ScriptError(re.sub(r"^service (\S+?): (?:Uncaught )?", r'worker "\1": ', text)) from None
        self._supervisor.follow(self._child.pid, len(self._workers))
        self._inspector_port = port
        if self._inspected is not None and port is not None:
            self._inspected.add(port, tuple(settings.name for settings, _ in self._workers))

    def _end_inspection(self) -> None:
        if self._inspected is not None and self._inspector_port is not None:
            self._inspected.remove(self._inspector_port)

    def _make_child_worker(self, settings: WorkerSettings) -> ChildWorker:
        name = settings.name
        services = {
            "out": self.bridge.add(self.bridge.fetch_outside),
            "cache": self.bridge.add(self.bridge.use_cache),
            "control": self.bridge.add(self.bridge.answer_control),
        }
        bindings = [NativeBinding(CONTROL_BINDING, "service", quote(host_service(name, "control")))]
        for entry_name, entry in settings.env.items():
            service = f"env.{entry_name}"
            if isinstance(entry, EnvNamespace):
                services[service] = self.bridge.add_namespace(entry.namespace)
            elif (answer := answer_of(entry)) is not None:
                services[service] = self.bridge.add(answer)
            bindings.append(_write_binding(entry_name, entry, host_service(name, service)))
        sockets = {}
        for entrypoint in ("", *settings.entrypoints):
            path = self._child.socket_path(len(self._paths))
            self._paths[name, entrypoint] = path
            sockets[entrypoint] = str(path)
        date = min(settings.compatibility_date, self.binary.newest_date)
        if date != settings.compatibility_date:
            _log.warning(
                'worker "%s": compatibility_date %s is newer than %s knows; it runs with %s. A newer wrangler '
                "brings a newer workerd",
                name,
                settings.compatibility_date,
                self.binary,
                date,
            )
        flags = [*settings.compatibility_flags, *_flags_of_old_projects(settings)]
        if not {"nodejs_compat", "nodejs_als"} & set(flags):
            flags.append("nodejs_als")  # the entry module needs AsyncLocalStorage
        own = settings.project.modules if self._inspected is None else modules_for_devtools(settings.project)
        objects = find_classes(name, self._collect_envs())
        classes = [one.class_name for one in objects]
        modules = [*entry_modules(settings.project, name, settings.entrypoints, classes), *own]
        return ChildWorker(name, modules, date, flags, bindings, services, sockets, objects)

    def _map_stack(self, worker: str, stack: str) -> str:
        project = next((settings.project for settings, _ in self._workers if settings.name == worker), None)
        return stack if project is None else map_stack(stack, project)

    def _collect_envs(self) -> Mapping[str, Mapping[str, EnvEntry]]:
        return {settings.name: settings.env for settings, _ in self._workers}

    def _make_ping_worker(self) -> ChildWorker:
        services = {"out": self.bridge.add(_refuse), "cache": self.bridge.add(_refuse)}
        path = self._paths[_PING_WORKER, ""] = self._child.socket_path(len(self._paths))
        module = Module("ping.mjs", "esm", _PING_SOURCE)
        return ChildWorker(_PING_WORKER, [module], _PING_DATE, (), (), services, {"": str(path)})

    def _handle_exit(self) -> None:
        """The child ended by itself: its heap was full, it crashed, or we had to kill it."""
        self._end_inspection()
        supervisor = self._supervisor
        suspects = supervisor.suspects or find_suspects(self.bridge.invocations, heard_at=supervisor.heard_at)
        self._starting = asyncio.ensure_future(self._recover(self._child_end, suspects, supervisor.killed_for))

    async def _recover(
        self, end: "asyncio.Future[Ended]", suspects: list[Invocation], killed_for: ExceededLimits | None
    ) -> None:
        reason: ExceededLimits | ScriptError | None = killed_for
        words = await self._child.last_words()
        if reason is None and "heap" in words:
            reason = ExceededLimits("the worker used more memory than an isolate may have")
        ended = Ended(
            reason or ScriptError(f"workerd ended while a worker ran: {words or 'it said nothing'}"), suspects
        )
        _log.error("%s; workerd is started again. %s", ended.reason, describe_lost(self.bridge.invocations, suspects))
        end.set_result(ended)
        self.bridge.settle_all()
        if self._supervisor.is_healthy:
            self._restarts = 0
        await asyncio.sleep(_RESTART_DELAYS_SECONDS[min(self._restarts, len(_RESTART_DELAYS_SECONDS) - 1)])
        self._restarts += 1
        await self._start()


def _flags_of_old_projects(settings: WorkerSettings) -> tuple[str, ...]:
    """A service worker that imports a module of Node.js was made for webpack, which brought its own (`type = "webpack"`
    of wrangler 1): here it gets workerd's."""
    if not settings.project.is_service_worker or any("nodejs_compat" in one for one in settings.compatibility_flags):
        return ()
    names = imported_of_node(settings.project)
    if not names:
        return ()
    _log.warning(
        'worker "%s" imports %s of Node.js: it runs with the compatibility flag "nodejs_compat". Today\'s wrangler '
        "deploys it only as a module worker (`export default { fetch }`) with that flag",
        settings.name,
        ", ".join(names),
    )
    return ("nodejs_compat", "nodejs_compat_v2")


def _ping() -> Request:
    return Request("GET", URL("http", "localhost", 80, "/", ""))


async def _refuse(_request: Request, _ctx: Context | None) -> Response:
    return Response(403)


def _write_binding(name: str, entry: EnvEntry, service: str) -> NativeBinding:
    match entry:
        case EnvValue(str(text)):
            return NativeBinding(name, "text", quote(text))
        case EnvValue(value):
            return NativeBinding(name, "json", quote(json.dumps(value)))
        case EnvNamespace():
            return NativeBinding(name, "kvNamespace", quote(service))
        case EnvService():
            return _wrap_binding(name, {"form": "service"}, service)
        case EnvFetcher():
            return _wrap_binding(name, {"form": "fetcher"}, service)
        case EnvMethods(methods, without_answer):
            told = {"form": "methods", "methods": list(methods), "withoutAnswer": list(without_answer)}
            return _wrap_binding(name, told, service)
        case EnvDurableObjects(class_name, script):
            inner = f"(className={quote(class_name)}{f', serviceName={quote(script)}' if script else ''})"
            more = (f'(name="namespace", durableObjectNamespace={inner})',)
            return _wrap_binding(name, {"form": "durableObjects"}, None, more)
        case EnvNotEmulated(kind):
            return _wrap_binding(name, {"form": "unsupported", "name": name, "kind": kind}, None)


def _wrap_binding(
    name: str, told: Mapping[str, object], service: str | None, more: Sequence[str] = ()
) -> NativeBinding:
    inner = [f'(name="options", text={quote(json.dumps(told))})', *more]
    if service is not None:
        inner.append(f'(name="host", service={quote(service)})')
    return NativeBinding(name, "wrapped", f'(moduleName="edgeworker:bindings", innerBindings=[{", ".join(inner)}])')
