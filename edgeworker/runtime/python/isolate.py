"""Python isolates: a script loaded into this process, and its handlers called."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import CoroutineType
from typing import Final

from edgeworker import messages
from edgeworker.cache.memory import MemoryCache
from edgeworker.cache.store import CacheStore
from edgeworker.clock import Clock, SystemClock
from edgeworker.config import Worker
from edgeworker.errors import ScriptError
from edgeworker.handler import Context
from edgeworker.messages import Body, Request, Response
from edgeworker.runtime.contract import current_invocation
from edgeworker.runtime.contract.bound import BoundService
from edgeworker.runtime.contract.current_invocation import reset_invocation, set_invocation
from edgeworker.runtime.contract.env import Env
from edgeworker.runtime.contract.isolate import ExceededLimits, Scheduled
from edgeworker.runtime.contract.portability import Portability
from edgeworker.runtime.contract.script_frames import Script, enter_script, reset_script, set_script
from edgeworker.runtime.contract.socket_policy import NoSockets, SocketPolicy
from edgeworker.runtime.python import compatibility, exports, load_errors, run_sync_stack, shims, tracebacks
from edgeworker.runtime.python.events import ScheduledController, client_left, tell_of_the_end
from edgeworker.runtime.python.exports import Exports
from edgeworker.runtime.python.module_env import ModuleEnv
from edgeworker.runtime.python.modules import Modules
from edgeworker.runtime.python.shims import ShimServices
from edgeworker.runtime.sdk.entrypoints import ScriptContext, WorkerEntrypoint
from edgeworker.runtime.sdk.raw_env import RawEnv
from edgeworker.runtime.sdk.request import Request as SDKRequest
from edgeworker.runtime.sdk.response import FetchResponse
from edgeworker.runtime.webapi import body_init
from edgeworker.runtime.webapi.fetch import Request as JSRequest
from edgeworker.runtime.webapi.fetch import Response as JSResponse
from edgeworker.suggestions import did_you_mean

_log = logging.getLogger(__name__)
_INHERITED: Final = frozenset(vars(WorkerEntrypoint))
_EVENT_ARGUMENTS: Final = 3  # the event, env, ctx


def load(
    worker: Worker,
    bound: Sequence[BoundService] = (),
    clock: Clock | None = None,
    cache: CacheStore | None = None,
    sockets: SocketPolicy | None = None,
    *,
    lenient: bool = False,
) -> "PythonIsolate":
    """Run the top level of the script, which can read `workers.env` already. `bound` are its bindings. `clock` is what
    `js.Date` reads and, where it is not the machine's, `time.time()` of the script. `sockets` says where its libraries
    may connect to by themselves; without it, nowhere. `lenient`: what fails on Cloudflare is told and works here.

    Raises ScriptError with file, line and what would be right.
    """
    file = worker.main
    if file is None:
        raise ScriptError(f'worker "{worker.name}" has no script: set its "main"')
    if (missing := load_errors.check_main(worker, file)) is not None:
        raise missing
    portability = Portability.of_worker(worker, lenient=lenient)
    env = Env(worker.name, _make_views(worker.name, bound, portability))
    services = ShimServices(worker.name, ModuleEnv(env), clock or SystemClock(), cache or MemoryCache())
    own = Modules(worker.name, file, shims.make_shims(services))
    own.cpu_seconds = worker.cpu_ms / 1000
    own.sockets = sockets or NoSockets()
    own.portability = portability
    try:
        try:
            main = own.load_main()
        except (Exception, SystemExit, ExceededLimits) as error:
            raise load_errors.explain_load_error(error, worker, own) from error
        found = exports.find_exports(main, file.name)
    except BaseException:  # a cancellation too: it may be loaded in turns
        own.close()
        raise
    for warning in compatibility.warnings(worker, found, own):
        _log.warning('worker "%s": %s', worker.name, warning)
    has_request_signal = "enable_request_signal" in worker.compatibility_flags

    def advise(error: BaseException) -> str:
        return load_errors.advise(error, worker, own)

    return PythonIsolate(worker.name, file, own, found, env, has_request_signal=has_request_signal, advise=advise)


def _make_views(worker: str, bound: Sequence[BoundService], portability: Portability) -> dict[str, object]:
    # What the bindings show depends on the script, which is not there yet.
    script = Script(worker)
    script.portability = portability
    with enter_script(script):
        return {service.name: service.views["python"]() for service in bound}


class PythonIsolate:
    """An Isolate. It shares the process with all others and with the edge: NOT a security boundary."""

    def __init__(
        self,
        worker: str,
        main: Path,
        own: Modules,
        found: Exports,
        env: Env,
        *,
        has_request_signal: bool = False,
        advise: Callable[[BaseException], str] = lambda _error: "",
    ) -> None:
        """`has_request_signal`: the signal of a request is aborted when its client leaves. `advise` says what would be
        right about an exception, or ""."""
        self._advise = advise
        self.name = worker
        self._main = main
        self._modules = own
        self._exports = found
        self.env = env
        self._raw_env = env if own.portability.is_silent or not found.functions else RawEnv(worker, env)
        self._has_request_signal = has_request_signal
        # How many arguments a handler takes is looked up once for each function.
        self._arguments: dict[object, int] = {}

    async def open(self) -> None:
        """The script is loaded already."""

    async def fetch(self, request: Request, ctx: Context, entrypoint: str | None = None) -> Response:
        """Raises what the script raises, and TypeError if it does not return a response."""
        view = ScriptContext(ctx)
        invocation, script = set_invocation(ctx), set_script(self._modules)
        try:
            if not self._has_request_signal:
                result = self._call_fetch(request, view, None, entrypoint)
                if type(result) is CoroutineType and not self._modules.waits:
                    answer = await result
                    if isinstance(answer, FetchResponse):
                        return self._take_response(answer)
                    result = answer
                return await self._await_response(result)
            raw = JSRequest.over_incoming(request)
            try:
                response = await self._await_response(self._call_fetch(request, view, raw, entrypoint))
            except asyncio.CancelledError:
                raw.signal.abort_with(client_left())
                raise
            if response.body is not None and response.body.complete is None:
                response.body = Body(tell_of_the_end(response.body, raw.signal, ctx), length=response.body.length)
            return response
        finally:
            reset_script(script)
            reset_invocation(invocation)

    def _call_fetch(
        self, request: Request, view: ScriptContext, raw: JSRequest | None, entrypoint: str | None
    ) -> object:
        if entrypoint is None and self._exports.default is None:
            function = self._function("fetch")
            raw = raw or JSRequest.over_incoming(request)
            return function(*self._fit_arguments(function, raw, self._raw_env, view))
        method = self._method("fetch", view, entrypoint)
        return method(*self._fit_class_arguments(method, SDKRequest.over_incoming(request, raw), view))

    async def _await_response(self, result: object) -> Response:
        answer = await self._await_result(result)
        while not isinstance(answer, FetchResponse | JSResponse) and isinstance(answer, Awaitable):
            answer = await answer  # a promise of a promise is one promise to JavaScript
        return self._take_response(answer)

    async def scheduled(self, event: Scheduled, ctx: Context) -> None:
        view = ScriptContext(ctx)
        with current_invocation.enter_invocation(ctx), enter_script(self._modules):
            if self._exports.default is None:
                handler = self._function("scheduled")
                result = handler(*self._fit_arguments(handler, ScheduledController(event), self._raw_env, view))
            else:
                handler = self._method("scheduled", view, None)
                result = handler(*self._fit_class_arguments(handler, ScheduledController(event), view))
            await self._await_result(result)

    async def call(
        self,
        method: str,
        args: Sequence[object],
        options: Mapping[str, object],
        ctx: Context,
        entrypoint: str | None = None,
    ) -> object:
        if method.startswith("_") or method in ("ctx", "env"):
            raise TypeError(f'The RPC receiver does not implement the method "{method}".')
        with current_invocation.enter_invocation(ctx), enter_script(self._modules):
            function = self._method(method, ScriptContext(ctx), entrypoint)
            result = function(*args, **options)
            return await self._await_result(result)

    def entrypoints(self) -> Collection[str]:
        there = self._exports.default is not None or self._exports.functions
        return ("default", *self._exports.named) if there else tuple(self._exports.named)

    def handles(self, event: str) -> bool:
        default = self._exports.default
        if default is None:
            return event in self._exports.functions
        names = (event, exports.OLD_METHODS.get(event, event))
        return any(callable(getattr(default, name, None)) for name in names)

    async def close(self) -> None:
        self._modules.close()

    def describe(self, error: BaseException) -> str:
        described = tracebacks.format_error(error)
        with enter_script(self._modules):
            advice = self._advise(error)
        return self._modules.plain(f"{described}\n{advice}" if advice else described)

    async def _await_result(self, result: object) -> object:
        # A stack of its own costs some 10 µs a step, so only scripts that speak of run_sync get one.
        if self._modules.waits and inspect.iscoroutine(result):
            return await run_sync_stack.run(result)
        return await result if isinstance(result, Awaitable) else result

    def _function(self, event: str) -> Callable[..., object]:
        function = self._exports.functions.get(event)
        if function is None:
            raise ScriptError(f'Python entrypoint "{self._main.name}" does not export a handler named "on_{event}"')
        return function

    def _method(self, name: str, view: ScriptContext, entrypoint: str | None) -> Callable[..., object]:
        """The method of a fresh entrypoint object."""
        kind = self._exports.default if entrypoint in (None, "default") else self._exports.named.get(entrypoint or "")
        if kind is None:
            known = ", ".join(self._exports.named) or "none"
            meant = did_you_mean(str(entrypoint), self._exports.named, before=". ")
            raise ScriptError(
                f'worker "{self.name}" has no entrypoint named "{entrypoint}"; its named ones: {known}{meant}'
            )
        instance = kind(view, self.env)
        if not hasattr(instance, "env"):
            raise TypeError(f"{kind.__name__}.__init__ must call super().__init__(ctx, env)")
        method: object = getattr(instance, name, None)
        if method is None:  # class handlers of the first months: compatibility dates before 2025-08-14
            method = getattr(instance, exports.OLD_METHODS.get(name, name), None)
        if not callable(method) or name in _INHERITED:
            raise ScriptError(f"{self._main.name}: class {kind.__name__}: Method {name} does not exist")
        return method

    def _fit_class_arguments(
        self, method: Callable[..., object], event: object, view: ScriptContext
    ) -> tuple[object, ...]:
        """Production gives None for `env` and `ctx` to the handlers of classes."""
        if self._modules.portability.is_strict:
            return self._fit_arguments(method, event, None, None)
        return self._fit_arguments(method, event, self.env, view)

    def _fit_arguments(self, function: Callable[..., object], *arguments: object) -> tuple[object, ...]:
        key: object = getattr(function, "__func__", function)
        count = self._arguments.get(key)
        if count is None:
            count = self._arguments[key] = exports.count_positional(function, _EVENT_ARGUMENTS)
        return arguments[:count]

    def _take_response(self, result: object) -> messages.Response:
        if not isinstance(result, (FetchResponse, JSResponse)):
            raise TypeError(
                "Incorrect type for Promise: the Promise did not resolve to 'Response'. "
                f"fetch in {self._main.name} returned {_describe(result)}; return Response(...) from `workers`"
            )
        if not result.core.status:
            raise TypeError("Return value from serve handler must not be an error response (like Response.error())")
        body_init.raise_if_used(result.core)
        if isinstance(result, FetchResponse) and result.is_untouched:
            return result.core
        return body_init.encode_as_declared(result.core, result.encoding, automatic=result.automatic)


def _describe(result: object) -> str:
    if result is None:
        return "None (is a `return` missing?)"
    return type(result).__name__
