"""Runs an ASGI application (FastAPI, Starlette, Django) for one request.

The scope is that of workers/asgi.py in workers-runtime-sdk 1.9.5, without `client`, `server` and `root_path`; the
application's lifespan is run around each request, as there. Source: https://asgi.readthedocs.io/en/latest/specs/
"""

import asyncio
import importlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from edgeworker import messages
from edgeworker.runtime.contract import current_invocation
from edgeworker.runtime.python.gateway import DEFAULT_OPTIONS, Options, build_response, decode_value, unwrap_request
from edgeworker.runtime.webapi.fetch import Response as JSResponse

_log: Final = logging.getLogger(__name__)

Message = MutableMapping[str, object]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, object], Receive, Send], Awaitable[None]]

_VERSIONS: Final = {"spec_version": "2.0", "version": "3.0"}


async def fetch(
    app: Application, req: object, env: object, ctx: object = None, *, options: Options | None = None
) -> JSResponse:
    """The application's response. Raises what it raises, RuntimeError where it answers nothing or fails to start."""
    request = unwrap_request(req)
    lifespan = Lifespan(app)
    state = await lifespan.start()
    exchange = _ApplicationCall(app, request, build_scope(request, env, state), options or DEFAULT_OPTIONS)
    try:
        response = await exchange.response()
    except BaseException:
        await lifespan.stop()
        raise
    if exchange.finished:
        await lifespan.stop()
    else:
        current_invocation.wait_until(_stop_after(exchange, lifespan))
    return response


def fastapi_env() -> object:
    """`asgi.env` for `Depends`: the worker's env. Raises ModuleNotFoundError without FastAPI."""
    fastapi = importlib.import_module("fastapi")

    def env(request: object) -> object:
        return getattr(request, "scope")["env"]  # noqa: B009  # the class is known only where FastAPI is

    # FastAPI reads the annotation to know that it shall pass its own request.
    env.__annotations__ = {"request": fastapi.Request}
    depends: object = fastapi.Depends(env)
    return depends


async def _stop_after(exchange: "_ApplicationCall", lifespan: "Lifespan") -> None:
    await exchange.wait()
    await lifespan.stop()


def build_scope(request: messages.Request, env: object, state: dict[str, object] | None) -> dict[str, object]:
    scope: dict[str, object] = {
        "type": "http",
        "asgi": _VERSIONS,
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": unquote(request.url.path),
        "raw_path": request.url.path.encode("ascii"),
        "query_string": request.url.query[1:].encode("ascii"),
        "headers": [(name.encode("ascii"), value) for name, value in request.headers.entries_of_bytes()],
        "env": env,
    }
    if state is not None:
        scope["state"] = dict(state)
    return scope


def request_to_scope(request: object, env: object, ws: bool = False) -> dict[str, object]:
    """`asgi.request_to_scope` of the SDK: the scope of a request, of a WebSocket's with `ws`."""
    core = getattr(request, "core", None)
    if not isinstance(core, messages.Request):
        raise TypeError(f"request_to_scope() takes a request, not {type(request).__name__}")
    scope = build_scope(core, env, None)
    return {**scope, "type": "websocket", "scheme": scope["scheme"]} if ws else scope


class _ApplicationCall:
    """One request in an application. A body in several pieces is handed on as it is made, at the reader's pace."""

    def __init__(self, app: Application, request: messages.Request, scope: dict[str, object], options: Options) -> None:
        self._app = app
        self._scope = scope
        self._options = options
        self._pieces = None if request.body is None else request.body.stream()
        self._body_due = True  # the message that ends the request's body
        self._response: asyncio.Future[JSResponse] = asyncio.get_running_loop().create_future()
        self._start: _Start | None = None
        self._queue: asyncio.Queue[bytes | BaseException | None] | None = None
        self._over = asyncio.Event()
        self._task: asyncio.Future[None] | None = None

    @property
    def finished(self) -> bool:
        return self._queue is None

    async def response(self) -> JSResponse:
        self._task = asyncio.ensure_future(self._run())
        try:
            response = await self._response
        except BaseException:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            raise
        if self.finished:
            await self._task
        return response

    async def wait(self) -> None:
        assert self._task is not None
        await self._task

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
            if not self._response.done():
                raise RuntimeError("The application did not generate a response")
        except Exception as error:  # noqa: BLE001  # it is raised where the response is awaited
            if not self._response.done():
                self._response.set_exception(error)
                return
            _log.exception("ASGI application failed after its response had started")
            if self._queue is not None:
                await self._queue.put(error)
        finally:
            self._over.set()

    async def _receive(self) -> Message:
        if self._pieces is not None:
            async for piece in self._pieces:
                return {"type": "http.request", "body": piece, "more_body": True}
            self._pieces = None
        if self._body_due:
            self._body_due = False
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        match message:
            case {"type": "http.response.start", "status": int() as status}:
                self._start = _Start(status, decode_fields(message.get("headers")))
            case {"type": "http.response.body"}:
                body = message.get("body", b"")
                await self._send_body(bytes(body) if isinstance(body, bytes | bytearray | memoryview) else b"", message)
            case _:
                raise RuntimeError(f"Unexpected ASGI message {message.get('type')!r}")

    async def _send_body(self, body: bytes, message: Message) -> None:
        more = bool(message.get("more_body"))
        if self._start is None:
            raise RuntimeError("ASGI: http.response.body before http.response.start")
        if self._queue is None and not more:
            self._answer(messages.Body(body) if body else None)
            self._over.set()
            return
        if self._queue is None:
            self._queue = asyncio.Queue(1)
            self._answer(messages.Body(_drain_queue(self._queue, self._over)))
        if body and not self._over.is_set():
            await self._queue.put(body)
        if not more and not self._over.is_set():
            await self._queue.put(None)

    def _answer(self, body: messages.Body | None) -> None:
        assert self._start is not None
        start = self._start
        if not self._response.done():
            self._response.set_result(
                build_response(start.status, start.headers, body, reason="", options=self._options)
            )


@dataclass(frozen=True, slots=True)
class _Start:
    """What an application says with "http.response.start"."""

    status: int
    headers: list[tuple[str, str]]


async def _drain_queue(
    queue: "asyncio.Queue[bytes | BaseException | None]", over: asyncio.Event
) -> AsyncIterator[bytes]:
    try:
        while True:
            piece = await queue.get()
            match piece:
                case None:
                    return
                case bytes():
                    yield piece
                case _:
                    raise piece
    finally:
        # The reader is gone: tell the application, and release a `send` that waits for room.
        over.set()
        while not queue.empty():
            queue.get_nowait()


def decode_fields(given: object) -> list[tuple[str, str]]:
    """Pairs of bytes in any iterable, as the specification has them; repeated names stay several."""
    pairs = given if isinstance(given, Iterable) else ()
    return [(decode_value(bytes(name)), decode_value(bytes(value))) for name, value in pairs]


@dataclass(slots=True)
class Lifespan:
    """An application's lifespan events; one that does not know them is left alone."""

    app: Application
    state: dict[str, object] = field(default_factory=dict)
    _events: "asyncio.Queue[Message]" = field(default_factory=asyncio.Queue)
    _task: "asyncio.Future[None] | None" = None
    _started: "asyncio.Future[bool] | None" = None
    _stopped: "asyncio.Future[None] | None" = None

    async def start(self) -> dict[str, object]:
        """The state that the application filled. Raises RuntimeError with its text where it fails to start."""
        loop = asyncio.get_running_loop()
        self._started, self._stopped = loop.create_future(), loop.create_future()
        await self._events.put({"type": "lifespan.startup"})
        self._task = asyncio.ensure_future(self._run())
        await self._started
        return self.state

    async def stop(self) -> None:
        assert self._task is not None
        assert self._started is not None
        assert self._stopped is not None
        if self._started.done() and self._started.exception() is None and self._started.result():
            await self._events.put({"type": "lifespan.shutdown"})
            await self._stopped
        await self._task

    async def _run(self) -> None:
        assert self._started is not None
        assert self._stopped is not None
        try:
            scope: Message = {"type": "lifespan", "asgi": _VERSIONS, "state": self.state}
            await self.app(scope, self._events.get, self._send)
        except Exception as error:  # noqa: BLE001  # the specification calls this "no lifespan"
            if not self._started.done():
                _log.debug("the ASGI application does not support lifespan: %r", error)
            else:
                _log.exception("ASGI application failed in its lifespan")
        if not self._started.done():
            self._started.set_result(False)
        if not self._stopped.done():
            self._stopped.set_result(None)

    async def _send(self, message: Message) -> None:
        assert self._started is not None
        assert self._stopped is not None
        match message.get("type"):
            case "lifespan.startup.complete":
                self._started.set_result(True)
            case "lifespan.startup.failed":
                self._started.set_exception(RuntimeError(str(message.get("message") or "ASGI lifespan startup failed")))
            case "lifespan.shutdown.complete":
                self._stopped.set_result(None)
            case "lifespan.shutdown.failed":
                text = str(message.get("message") or "ASGI lifespan shutdown failed")
                self._stopped.set_exception(RuntimeError(text))
            case other:
                raise RuntimeError(f"Unexpected lifespan event {other}")
