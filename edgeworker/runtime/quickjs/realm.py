"""One context with a worker's modules in it, and the calls into it that are under way.

Code of the script runs on the event loop's thread until it waits for something. Each entry says which invocation it
belongs to, and everything that runs until the next entry belongs to it too.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Final

from edgeworker.errors import ScriptError
from edgeworker.handler import Context
from edgeworker.javascript.stack import map_stack
from edgeworker.runtime.contract.isolate import ExceededLimits
from edgeworker.runtime.contract.javascript import JavaScriptException
from edgeworker.runtime.quickjs import adapter, platform
from edgeworker.runtime.quickjs.adapter import Crossing
from edgeworker.runtime.quickjs.invocation import Answer, Invocation, OperationFailed, Result
from edgeworker.runtime.quickjs.modules import ModuleLoader
from edgeworker.runtime.quickjs.settings import EmbeddedSettings
from edgeworker.runtime.quickjs.stand_ins import INSTEAD

_log = logging.getLogger(__name__)
_console = logging.getLogger("edgeworker.console")
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_HUNG: Final = (
    "The script will never generate a response: its handler waits for something that nothing is going to settle."
)
# What QuickJS throws where memory does not suffice for the error itself: null, or an error without a text.
_WITHOUT_MEMORY: Final = ("InternalError", "object")
_WAYS_OUT: Final = (
    'run "npm install --save-dev esbuild" in the project, which lowers it, or "npm install --save-dev wrangler", which '
    "brings workerd"
)
_FUNCTIONS: Final = ("prepare", "load", "dispatch", "settle", "fire", "leave", "socket")


# Carries out what the script asked for: the name, the invocation, a JSON text and bytes.
Operations = Callable[[str, Invocation, str, bytes | None], Coroutine[object, object, Result]]


class Realm:
    """`operate` carries out what the script waits for, `host` and `answer` what is answered at once."""

    def __init__(
        self,
        settings: EmbeddedSettings,
        operate: Operations,
        host: platform.Platform,
        answer: Callable[[str, tuple[Crossing, ...], Invocation | None], Crossing],
        release_bodies: Callable[[int], Coroutine[object, object, None]],
    ) -> None:
        self.settings = settings
        self.broken = False
        self.retiring = False  # only what began in it goes on
        self._operate_one = operate
        self._host = host
        self._answer = answer
        self._release_bodies = release_bodies
        self._loader = ModuleLoader(settings.project, settings.compatibility_flags)
        self._engine = adapter.Engine(settings.heap_megabytes * 1024 * 1024, self._called, self._loader.load)
        self._outside = Invocation(0, None)
        self._invocations: dict[int, Invocation] = {}
        self._calls: dict[int, asyncio.Future[Answer]] = {}
        self._callers: dict[int, Invocation] = {}  # of calls
        self._waits: dict[int, asyncio.Future[None]] = {}
        self._timers: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_break: Callable[[], None] | None = None
        self._next = 1
        self._asked = 0  # operations under way

    async def open(self) -> Mapping[str, object]:
        """Loads the worker's modules; returns what they export. Raises ScriptError."""
        loader = self._loader
        seconds = self._limit_seconds()
        try:
            self._engine.evaluate(loader.prelude(), "edgeworker:start", module=True, seconds=seconds)
            taken = self._engine.take("__edgeworker", _FUNCTIONS)
            self._prepare, self._load, self._dispatch, self._settle, self._fire, self._leave, self._socket = taken
            project = self.settings.project
            told = {
                "isServiceWorker": project.is_service_worker,
                "lowersAsync": project.lowers_async,
                "flags": self.settings.compatibility_flags,
                "env": self.settings.describe_env(),
            }
            self._engine.call(self._prepare, json.dumps(told), seconds=seconds)
            source, is_module = loader.main()
            if not is_module:
                self._engine.evaluate(source, self.settings.project.main, module=False, seconds=seconds)
            else:
                self._engine.evaluate(source, "edgeworker:start", module=False, seconds=seconds)
                start = self._engine.take("__edgeworker_main", ("run",))[0]
                await self._enter_call(self._outside, lambda id: (self._load, (id, start)))
            answer = await self.call("describe", {}, None, self._outside)
        except adapter.ScriptThrew as error:
            raise ScriptError(self._explain(self.map_stack(f"{error}\n{error.stack.rstrip()}"))) from None
        except JavaScriptException as error:
            raise ScriptError(self._explain(error.stack or str(error))) from None
        except (adapter.ComputedTooLong, ExceededLimits) as error:
            raise ScriptError(
                f'worker "{self.settings.name}": its top level computes for more than {seconds:g} s or takes more than '
                f"{self.settings.heap_megabytes} MB; do such work in a handler, or raise limits.cpu_ms"
            ) from error
        if loader.lacking:
            names = ", ".join(sorted(set(loader.lacking)))
            _log.warning(
                'worker "%s": the embedded JavaScript engine has no %s; using it throws. If the worker needs it, %s',
                self.settings.name,
                names,
                INSTEAD,
            )
        found: Mapping[str, object] = json.loads(answer.text)
        return found

    def _explain(self, text: str) -> str:
        """Why the worker cannot be loaded."""
        if self._loader.missing is not None:
            text = self._loader.missing
        elif text.startswith("SyntaxError") and self.settings.project.bundler is None:
            text += f"\nIf the syntax is right, it is newer than QuickJS: {_WAYS_OUT}"
        return f'worker "{self.settings.name}": {text}'

    def begin(self, ctx: Context | None) -> Invocation:
        invocation = Invocation(self._number(), ctx)
        self._invocations[invocation.id] = invocation
        return invocation

    def release(self, invocation: Invocation) -> None:
        invocation.holds -= 1
        if invocation.holds > 0 or self._invocations.pop(invocation.id, None) is None:
            return
        if self.retiring and not self._invocations:
            self._break(ScriptError("the worker is closed"))
        if not self.broken:
            self._enter(invocation, self._leave, invocation.id)
        self.spawn(self._release_bodies(invocation.id))

    async def call(self, kind: str, told: Mapping[str, object], buffer: bytes | None, invocation: Invocation) -> Answer:
        """Raises JavaScriptException, ExceededLimits."""
        text = json.dumps(told)
        return await self._enter_call(invocation, lambda id: (self._dispatch, (id, invocation.id, kind, text, buffer)))

    async def stream(self, number: int, invocation: Invocation) -> AsyncIterator[bytes]:
        """A stream of the script, which is the body of its answer or of what it fetches."""
        invocation.holds += 1
        ended = False
        try:
            while True:
                piece = (await self.call("pull", {"id": number}, None, invocation)).buffer
                if piece is None:
                    ended = True
                    return
                if piece:
                    yield piece
        finally:
            if not ended and not self.broken:
                self.spawn(self._cancel_stream(number, invocation))
            self.release(invocation)

    async def _cancel_stream(self, number: int, invocation: Invocation) -> None:
        try:
            await self.call("cancel", {"id": number}, None, invocation)
        except (JavaScriptException, ExceededLimits) as error:
            _log.debug("a stream's cancel() failed: %s", error)

    def deliver(self, invocation: Invocation, number: int, kind: str, text: str, content: bytes | None) -> None:
        """A message of a WebSocket. Each has the CPU time of a request."""
        invocation.cpu_seconds = 0.0
        given = (invocation.id, number, kind, text) if content is None else (invocation.id, number, kind, text, content)
        self._enter(invocation, self._socket, *given)

    def map_stack(self, stack: str) -> str:
        return map_stack(stack, self.settings.project)

    async def close(self) -> None:
        self._break(ScriptError("the worker is closed"))
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._engine.close()

    async def _enter_call(
        self,
        invocation: Invocation,
        arrange: Callable[[int], tuple[adapter.Function, tuple[Crossing | adapter.Function, ...]]],
    ) -> Answer:
        number = self._number()
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._calls[number] = future
        self._callers[number] = invocation
        function, arguments = arrange(number)
        try:
            self._enter(invocation, function, *arguments)
            return await future
        finally:
            self._calls.pop(number, None)
            self._callers.pop(number, None)

    def _enter(
        self, invocation: Invocation, function: adapter.Function, *arguments: Crossing | adapter.Function
    ) -> None:
        if self.broken or invocation.is_over:
            return
        left = max(0.0, self._limit_seconds() - invocation.cpu_seconds)
        try:
            invocation.cpu_seconds += self._engine.call(function, *arguments, seconds=left)
        except adapter.ComputedTooLong:
            seconds = self._limit_seconds()
            self._end_guilty(
                invocation, ExceededLimits(f"the worker computed for more than {seconds:g} s (limits.cpu_ms)")
            )
        except adapter.OutOfMemory:
            self._run_out_of_memory()
        except adapter.ScriptThrew as error:
            _log.error('worker "%s": %s\n%s', self.settings.name, error, self.map_stack(error.stack))
        self._end_hung()

    def _end_guilty(self, invocation: Invocation, reason: ExceededLimits) -> None:
        """Ends this invocation; others of this world may finish. Where there are none, or it happens again (what the
        guilty one left behind runs in everyone's time), the world is given up."""
        guilty = [number for number, caller in self._callers.items() if caller is invocation]
        if self.retiring or len(guilty) == len(self._calls) or not guilty:
            self._break(reason)
            return
        _log.error('worker "%s": %s; it is loaded again', self.settings.name, str(reason))
        self.retiring = invocation.is_over = True
        self._engine.resume()
        for number in guilty:
            if not self._calls[number].done():
                self._calls[number].set_exception(reason)

    def _end_hung(self) -> None:
        if self._calls and not self.broken and not self._asked and not self._timers:
            if all(future.done() for future in self._calls.values()):
                return
            if self._engine.is_full():  # nothing was left even for the answer
                self._run_out_of_memory()
                return
            for future in self._calls.values():
                if not future.done():
                    future.set_exception(JavaScriptException("Error", _HUNG, f"Error: {_HUNG}"))

    def _run_out_of_memory(self) -> None:
        self._break(ExceededLimits("the worker used more memory than an isolate may have"))

    def _break(self, reason: BaseException) -> None:
        """This context is given up: what waits for it ends with the reason."""
        if self.broken:
            return
        self.broken = True
        if isinstance(reason, ExceededLimits):
            # As text: a record that is kept must not keep the exception, its frames and this world.
            _log.error('worker "%s": %s; it is loaded again', self.settings.name, str(reason))
        if self.on_break is not None:
            self.on_break()
        for future in self._calls.values():
            if not future.done():
                future.set_exception(reason)
        for wait in self._waits.values():
            if not wait.done():
                wait.cancel()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _limit_seconds(self) -> float:
        return self.settings.cpu_ms / 1000

    def _number(self) -> int:
        self._next += 1
        return self._next

    def spawn(self, work: Coroutine[object, object, None]) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _called(self, operation: str, given: tuple[Crossing, ...]) -> Crossing:
        """What the script calls. Never raises for what a script may send."""
        match operation, given:
            case "start", (int(id), int(invocation), str(name), str(text), buffer):
                self._asked += 1
                self.spawn(self._operate(id, self._of(invocation), name, text, _bytes(buffer)))
            case "done", (int(id), error, text, buffer):
                self._finish(id, error, str(text or ""), _bytes(buffer))
            case "timer", (int(id), int(invocation), int() | float() as milliseconds):
                self._timers[id] = self.spawn(self._wait_for_timer(id, self._of(invocation), milliseconds / 1000))
            case "cancel_timer", (int(id),):
                timer = self._timers.pop(id, None)
                if timer is not None:
                    timer.cancel()
            case "wait", (int(id), int(invocation)):
                self._begin_wait(id, self._of(invocation))
            case "waited", (int(id), error):
                self._end_wait(id, error)
            case "no_retry", (int(invocation),):
                self._of(invocation).no_retry = True
            case "pass_through", (int(invocation),):
                ctx = self._of(invocation).ctx
                if ctx is not None:
                    ctx.pass_through_on_exception()
            case "log", (str(level), str(text)):
                _console.log(_LEVELS.get(level, logging.INFO), "%s: %s", self.settings.name, text)
            case "failing", _:
                self._engine.give_reserve()
            case ("socket_accept", (int(), int(invocation))):
                return self._answer(operation, given, self._of(invocation))
            case ("socket_out", _):
                return self._answer(operation, given, self._outside)
            case ("html", (int(invocation), *_)):
                return self._answer(operation, given, self._of(invocation))
            case ("html_selector" | "html_part", _):
                return self._answer(operation, given, None)
            case _:
                return self._host.call(operation, given)
        return None

    def _of(self, invocation: int) -> Invocation:
        return self._invocations.get(invocation, self._outside)

    async def _operate(self, id: int, invocation: Invocation, name: str, text: str, buffer: bytes | None) -> None:
        invocation.holds += 1
        error: str | None = None
        result = Result()
        try:
            result = await self._operate_one(name, invocation, text, buffer)
        except OperationFailed as failure:
            error = json.dumps({"name": failure.name, "message": failure.text})
        finally:
            self._asked -= 1
        if self.broken:
            return
        if error is None and result.buffer is not None:
            self._enter(invocation, self._settle, id, None, result.text, result.buffer)
        else:
            self._enter(invocation, self._settle, id, error, result.text)
        self.release(invocation)

    async def _wait_for_timer(self, id: int, invocation: Invocation, seconds: float) -> None:
        await self.settings.clock.sleep(seconds)
        self._timers.pop(id, None)
        self._enter(invocation, self._fire, id)

    def _begin_wait(self, id: int, invocation: Invocation) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waits[id] = future
        invocation.holds += 1
        future.add_done_callback(lambda _: self.release(invocation))
        if invocation.ctx is not None:
            invocation.ctx.wait_until(future)

    def _end_wait(self, id: int, error: Crossing) -> None:
        future = self._waits.pop(id, None)
        if isinstance(error, str):
            told = json.loads(error)
            shown = self.map_stack(str(told.get("stack") or told.get("message")))
            _log.error('worker "%s": waitUntil failed: %s', self.settings.name, shown)
        if future is not None and not future.done():
            future.set_result(None)

    def _finish(self, id: int, error: Crossing, text: str, buffer: bytes | None) -> None:
        future = self._calls.get(id)
        if future is None or future.done():
            return
        if not isinstance(error, str):
            future.set_result(Answer(text, buffer))
            return
        told = json.loads(error)
        name, message = str(told["name"]), str(told["message"])
        is_text = (name, message) == ("InternalError", "out of memory")
        if is_text or (name in _WITHOUT_MEMORY and self._engine.is_full()):
            self._run_out_of_memory()
        else:
            future.set_exception(JavaScriptException(name, message, self.map_stack(str(told["stack"]))))


def _bytes(value: Crossing) -> bytes | None:
    return value if isinstance(value, bytes) else None
