"""One context with a worker's modules in it, and the calls into it that are under way.

Code of the script runs on the event loop's thread until it waits for something. Each entry says which invocation it
belongs to, and everything that runs until the next entry belongs to it too.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Final

from edgeworker.errors import ScriptError
from edgeworker.handler import Context
from edgeworker.javascript.stack import map_stack
from edgeworker.messages.log_fields import key_of_traceback
from edgeworker.runtime.contract.isolate import ExceededLimits, LostWithIsolate
from edgeworker.runtime.contract.javascript import JavaScriptException
from edgeworker.runtime.contract.storage_failure import report_failed_wait
from edgeworker.runtime.quickjs import adapter
from edgeworker.runtime.quickjs.adapter import Crossing, HostFunction
from edgeworker.runtime.quickjs.calls import Calls
from edgeworker.runtime.quickjs.failures import describe_failure
from edgeworker.runtime.quickjs.invocation import (
    Answer,
    EdgeOperations,
    Invocation,
    OperationFailed,
    Parts,
    ScriptRequest,
    ScriptResponse,
)
from edgeworker.runtime.quickjs.modules import ModuleLoader
from edgeworker.runtime.quickjs.platform import Platform
from edgeworker.runtime.quickjs.settings import EmbeddedSettings
from edgeworker.runtime.quickjs.start import explain_refusal, start_script, warn_of_lacking
from edgeworker.runtime.quickjs.waits import ScriptTimers, Waits

_log = logging.getLogger(__name__)
_console = logging.getLogger("edgeworker.console")
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_HUNG: Final = (
    "The script will never generate a response: its handler waits for something that nothing is going to settle."
)
# What QuickJS throws where memory does not suffice for the error itself: null, or an error without a text.
_OUT_OF_MEMORY_NAMES: Final = ("InternalError", "object")
_RELEASE_BATCH: Final = 64
_MAX_PEEKS: Final = 100  # then other requests get their turn


class Realm:
    def __init__(self, settings: EmbeddedSettings, operations: EdgeOperations, platform: Platform) -> None:
        self.settings = settings
        self.broken = False
        self.retiring = False  # only what began in it goes on
        self._operations = operations
        self._platform = platform
        self._name = settings.name
        self._loader = ModuleLoader(settings.project, settings.compatibility_flags)
        self._outside = Invocation(0, None)
        self._invocations: dict[int, Invocation] = {}
        self._calls = Calls()
        self._waits = Waits()
        self._timers = ScriptTimers(settings.clock)
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_break: Callable[[], None] | None = None
        self._next = 1
        self.pending_operations = 0  # operations under way, and WebSockets that may bring something
        self._released: list[int] = []  # invocations that are over, which the realm has not been told yet
        self._peeks = 0  # since it was entered
        memory_bytes = settings.heap_megabytes * 1024 * 1024
        self._engine = adapter.Engine(memory_bytes, self._host_functions(), self._loader.load)

    async def open(self) -> Mapping[str, object]:
        """Loads the worker's modules; returns what they export. Raises ScriptError."""
        seconds = self._limit_seconds()
        try:
            self._script, is_module = start_script(self._engine, self._loader, self.settings, seconds)
            if is_module:
                await self._wait_for_call(self._outside, lambda id: self._enter(self._outside, self._script.load, id))
            answer = await self.call("describe", {}, None, self._outside)
        except adapter.ScriptThrew as error:
            text = self.map_stack(f"{error}\n{error.stack.rstrip()}")
            raise ScriptError(explain_refusal(text, self._loader, self.settings)) from None
        except JavaScriptException as error:
            raise ScriptError(explain_refusal(error.stack or str(error), self._loader, self.settings)) from None
        except (adapter.ComputedTooLong, ExceededLimits) as error:
            raise ScriptError(
                f'worker "{self._name}": its top level computes for more than {seconds:g} s or takes more than '
                f"{self.settings.heap_megabytes} MB; do such work in a handler, or raise limits.cpu_ms"
            ) from error
        warn_of_lacking(self._loader, self._name)
        found: Mapping[str, object] = json.loads(answer.text)
        return found

    def begin(self, ctx: Context | None, cf: Mapping[str, object] | None = None) -> Invocation:
        invocation = Invocation(self._take_number(), ctx, cf)
        self._invocations[invocation.id] = invocation
        return invocation

    def release(self, invocation: Invocation) -> None:
        invocation.holds -= 1
        if invocation.holds > 0 or self._invocations.pop(invocation.id, None) is None:
            return
        if self.retiring and not self._invocations:
            self._break(ScriptError("the worker is closed"))
        self._released.append(invocation.id)
        if len(self._released) >= _RELEASE_BATCH and not self.broken:
            self._enter(Invocation(0, None), self._script.leave, self._take_released())
        if self._operations.holds_bodies_of(invocation.id):
            self.spawn(self._operations.release_bodies(invocation.id))

    def _take_released(self) -> Crossing:
        """An invocation that is over, several as JSON, or None."""
        left, self._released = self._released, []
        return None if not left else left[0] if len(left) == 1 else json.dumps(left)

    async def call(self, kind: str, told: Mapping[str, object], buffer: bytes | None, invocation: Invocation) -> Answer:
        """Raises JavaScriptException, ExceededLimits."""
        text = json.dumps(told)
        return await self._wait_for_call(
            invocation, lambda id: self._enter(invocation, self._script.dispatch, id, invocation.id, kind, text, buffer)
        )

    async def request(self, invocation: Invocation, *parts: Crossing) -> ScriptResponse:
        """`parts` are those of `dispatchRequest` in rt/entry.js. Raises as `call` does."""
        left = self._take_released()
        answer = await self._wait_for_call(
            invocation, lambda id: self._enter(invocation, self._script.request, id, invocation.id, left, *parts)
        )
        assert answer.response is not None
        return answer.response

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
        self._enter(invocation, self._script.socket, *given)

    def map_stack(self, stack: str) -> str:
        return map_stack(stack, self.settings.project)

    async def close(self) -> None:
        self._break(ScriptError("the worker is closed"))
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._engine.close()

    async def _wait_for_call(self, invocation: Invocation, enter: Callable[[int], object]) -> Answer:
        number = self._take_number()
        future = self._calls.begin(number, invocation)
        try:
            enter(number)
            return await future
        finally:
            self._calls.end(number)

    def _enter(self, invocation: Invocation, function: adapter.Function, *arguments: Crossing) -> None:
        if self.broken or invocation.is_over:
            return
        self._peeks = 0
        left = max(0.0, self._limit_seconds() - invocation.cpu_seconds)
        try:
            invocation.cpu_seconds += self._engine.call(function, *arguments, seconds=left)
            if self._engine.take_rejections():
                invocation.cpu_seconds += self._engine.call(self._script.report, seconds=left)
        except adapter.ComputedTooLong:
            seconds = self._limit_seconds()
            self._end_invocation(
                invocation, ExceededLimits(f"the worker computed for more than {seconds:g} s (limits.cpu_ms)")
            )
        except adapter.OutOfMemory:
            self._run_out_of_memory(invocation)
        except adapter.ScriptThrew as error:
            stack = self.map_stack(error.stack)
            extra = {"repeats": f"{self._name} {key_of_traceback(stack)}"}
            _log.error('worker "%s": %s\n%s', self._name, error, stack, extra=extra)
        self._end_hung()

    def _end_invocation(self, invocation: Invocation, reason: ExceededLimits) -> None:
        """Ends this invocation; others of this realm may finish. Where there are none, or it happens again (what the
        guilty one left behind runs in everyone's time), the realm is given up."""
        if self.retiring or not self._calls.has_others_than(invocation):
            self._break(reason)
            return
        _log.error('worker "%s": %s; it is loaded again', self._name, str(reason))
        self.retiring = invocation.is_over = True
        self._engine.resume()
        self._calls.fail_those_of(invocation, reason)

    def _end_hung(self) -> None:
        if self._calls and not self.broken and not self.pending_operations and not self._timers:
            if self._calls.are_done:
                return
            if self._engine.is_full():  # nothing was left even for the answer
                self._run_out_of_memory()
                return
            self._calls.fail_all(JavaScriptException("Error", _HUNG, f"Error: {_HUNG}"))

    def _run_out_of_memory(self, guilty: Invocation | None = None) -> None:
        reason = ExceededLimits("the worker used more memory than an isolate may have")
        if guilty is not None:
            self._calls.fail_others_than(guilty, LostWithIsolate(f"another request ended the isolate: {reason}"))
        self._break(reason)

    def _break(self, reason: BaseException) -> None:
        """This context is given up: what waits for it ends with the reason."""
        if self.broken:
            return
        self.broken = True
        if isinstance(reason, ExceededLimits):
            # As text: a record that is kept must not keep the exception, its frames and this realm.
            _log.error('worker "%s": %s; it is loaded again', self._name, str(reason))
        if self.on_break is not None:
            self.on_break()
        self._calls.fail_all(reason)
        self._waits.cancel()
        self._timers.cancel_all()

    def _limit_seconds(self) -> float:
        return self.settings.cpu_ms / 1000

    def _take_number(self) -> int:
        self._next += 1
        return self._next

    def spawn(self, work: Coroutine[object, object, None]) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _host_functions(self) -> dict[str, HostFunction]:
        """What the script calls, by name. None of them raises for what a script may send."""
        return {
            **self._platform.functions(),
            **self._operations.functions(self._find_invocation),
            "respond": self._calls.respond,
            "done": self._finish,
            "fetch": self._fetch,
            "start": self._start_operation,
            "kv_peek": self._peek,
            "cf": self._describe_cf,
            "timer": self._begin_timer,
            "cancel_timer": self._timers.cancel,
            "wait": lambda id, of: self._waits.begin(id, self._find_invocation(of), self.release),
            "waited": self._end_wait,
            "no_retry": self._forbid_retry,
            "pass_through": self._pass_through,
            "log": lambda level, text: _console.log(_LEVELS.get(level, logging.INFO), "%s: %s", self._name, text),
            "rejected": self._log_rejection,
            "failing": lambda: self._engine.give_reserve(),
        }

    def _fetch(
        self,
        id: int,
        of: int,
        method: str,
        url: str,
        headers: str,
        redirect: str,
        cf: str | bool | None,  # as rt/fetch.js sends it
        target: str | None,
        body: str | None,
        buffer: bytes | None,
    ) -> None:
        wanted = ScriptRequest(method, url, headers, redirect, cf, target, body, buffer)
        self._start(id, of, self._script.fetched, partial(self._operations.fetch, wanted))

    def _start_operation(self, id: int, of: int, name: str, text: str, buffer: bytes | None) -> None:
        self._start(id, of, self._script.settle, partial(self._operations.run, name, text, buffer))

    def _peek(self, name: str, key: str, cache_ttl: int | None) -> str | bool | None:
        self._peeks += 1
        return True if self._peeks > _MAX_PEEKS else self._operations.peek(name, key, cache_ttl)

    def _describe_cf(self, of: int) -> str | None:
        properties = self._find_invocation(of).cf
        return None if properties is None else json.dumps(properties)

    def _begin_timer(self, id: int, of: int, milliseconds: float) -> None:
        fire = partial(self._enter, self._find_invocation(of), self._script.fire, id)
        self._timers.add(id, self.spawn(self._timers.wait(id, milliseconds / 1000, fire)))

    def _end_wait(self, id: int, error: str | None) -> None:
        failure = self._waits.end(id, error)
        if failure is not None:
            report_failed_wait(self._name, self.map_stack(failure))

    def _log_rejection(self, described: str) -> None:
        stack = self.map_stack(described)
        extra = {"repeats": f"{self._name} rejected {key_of_traceback(stack)}"}
        _console.error("%s: Uncaught (in promise) %s", self._name, stack, extra=extra)

    def _forbid_retry(self, of: int) -> None:
        self._find_invocation(of).no_retry = True

    def _pass_through(self, of: int) -> None:
        ctx = self._find_invocation(of).ctx
        if ctx is not None:
            ctx.pass_through_on_exception()

    def _find_invocation(self, invocation: int) -> Invocation:
        return self._invocations.get(invocation, self._outside)

    def _start(
        self, id: int, of: int, function: adapter.Function, work: Callable[[Invocation], Awaitable[Parts]]
    ) -> None:
        """Begins what the script waits for; `function` is given its parts."""
        self.pending_operations += 1
        self.spawn(self._carry_out(id, self._find_invocation(of), function, work))

    async def _carry_out(
        self,
        id: int,
        invocation: Invocation,
        function: adapter.Function,
        work: Callable[[Invocation], Awaitable[Parts]],
    ) -> None:
        invocation.holds += 1
        parts: Parts
        try:
            parts = await work(invocation)
        except Exception as error:  # noqa: BLE001  # the script must not wait for ever for a fault of ours either
            failure = describe_failure(error)
            if failure is None:
                _log.exception('worker "%s": what the script asked for failed', self._name)
                failure = OperationFailed("Error", "internal error")
            function, parts = self._script.settle, (json.dumps({"name": failure.name, "message": failure.text}), "")
        finally:
            self.pending_operations -= 1
        if self.broken:
            return
        self._enter(invocation, function, id, *parts)
        self.release(invocation)

    def _finish(self, id: int, error: str | None, text: str, buffer: bytes | None) -> None:
        if error is None:
            self._calls.answer(id, Answer(text, buffer))
            return
        if not self._calls.is_waiting(id):
            return
        told = json.loads(error)
        name, message = str(told["name"]), str(told["message"])
        is_text = (name, message) == ("InternalError", "out of memory")
        is_null = (name, message) == ("object", "null")
        if (
            is_text
            or (name in _OUT_OF_MEMORY_NAMES and self._engine.is_full())
            or (is_null and self._engine.may_have_run_out())
        ):
            self._run_out_of_memory(self._calls.caller_of(id))
        else:
            self._calls.fail(id, JavaScriptException(name, message, self.map_stack(str(told["stack"]))))
