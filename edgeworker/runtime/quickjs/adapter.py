"""QuickJS through `quickjs-bindings`: the dozen calls that we use, and what they need to be safe.

The package is one author's alpha, so nothing else imports it. Its traps: a text that was joined of pieces arrives as a
Value and not as str; an ArrayBuffer inside of another object becomes {}, so buffers are arguments of their own; a
script can catch the interruption in the shape of a rejected promise, so it is remembered here.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import quickjs

from edgeworker.runtime.quickjs.rejection_tracker import RejectionTracker

if sys.platform != "win32":
    import resource

Crossing = str | int | float | bytes | None  # what passes between a script and Python
HostFunction = Callable[..., Crossing]  # its arguments cross too
Loader = Callable[[str], str | None]

# Besides the script's own limit: what we need to say how it ended.
_RESERVE_BYTES: Final = 16 * 1024 * 1024
_FULL_RATIO: Final = 0.9
_JOBS_BETWEEN_HEAP_CHECKS: Final = 20_000
_JOBS_BETWEEN_CLOCK_READS: Final = 32  # reading the thread's CPU time costs as much as a small job
_SMALL_STACK_BYTES: Final = 1024 * 1024
_STACK_BYTES: Final = 4 * 1024 * 1024
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})  # what crosses as it is
# Filling the memory with small objects takes longer than this; see `may_have_run_out`.
_FILLING_SECONDS: Final = 0.1


class ComputedTooLong(Exception):
    """The script used its CPU time up. The engine was stopped in the middle of something: `resume` lets others finish,
    and nothing new should begin in it."""


class OutOfMemory(Exception):
    """The script used its memory up. The engine must not be used again."""


class ScriptThrew(Exception):
    """An exception that code outside of any handler threw. `stack` has QuickJS's frames."""

    def __init__(self, text: str, stack: str) -> None:
        super().__init__(text)
        self.stack = stack


class Function:
    """A function of the realm."""

    def __init__(self, value: quickjs.Value) -> None:
        self.value = value


class Engine:
    """One runtime with one context. It is made and used on one thread: QuickJS measures its stack there.

    `functions` are what the script finds by name in `__edgeworker_host`. The modules of rt/ give them arguments of the
    right types; one that raises throws an InternalError in the script."""

    def __init__(self, memory_bytes: int, functions: Mapping[str, HostFunction], load: Loader) -> None:
        self._memory_bytes = memory_bytes
        self._runtime = quickjs.Runtime()
        self._runtime.set_memory_limit(memory_bytes)
        self._runtime.set_max_stack_size(_choose_stack_bytes())
        self._runtime.set_interrupt_handler(self._check_deadline)
        self._context = quickjs.Context(self._runtime)
        self._context.set_module_loader(load)
        self._functions = dict(functions)
        self._callable = dict(functions)  # none of them after an interruption, and after the end
        self._deadline: float | None = None
        self._started_at = 0.0
        self._interrupted = False
        self._has_reserve = False
        self._tracker: RejectionTracker | None = None
        self._context.set("__edgeworker_host", {name: _guard(name, self._callable) for name in functions})

    def close(self) -> None:
        """Lets go of what the context holds of ours. Python's collector does not look into it, so that a context that
        holds what holds it stays in memory for ever. The engine must not be used any more."""
        if self._tracker is not None:
            self._tracker.close()
            self._tracker = None
        self._functions.clear()
        self._callable.clear()
        self._context.set_module_loader(None)
        self._runtime.set_interrupt_handler(None)

    def evaluate(self, source: str, name: str, *, module: bool, seconds: float) -> float:
        """Runs it and all that it leaves to do; returns the CPU time. Raises as `call` does, or ScriptThrew."""
        return self._run(partial(self._context.eval, source, filename=name, module=module), (), seconds)

    def take(self, holder: str, names: tuple[str, ...]) -> tuple[Function, ...]:
        """The functions of a global object, which is removed."""
        found = self._context.get(holder)
        functions = tuple(Function(found.get(name)) for name in names)
        self._context.get_global().delete(holder)
        return functions

    def track_rejections(self, function: Function) -> bool:
        """From now on it is called as RejectionTracker says; False where this build of QuickJS does not let us."""
        with contextlib.suppress(AttributeError, OSError):
            self._tracker = RejectionTracker(
                quickjs._quickjs.__file__, self._runtime, function.value, lambda: self._interrupted
            )
        return self._tracker is not None

    def take_rejections(self) -> bool:
        """Whether that function was called since this was asked last."""
        tracker = self._tracker
        if tracker is None or not tracker.has_news:
            return False
        tracker.has_news = False
        return True

    def call(self, function: Function, *arguments: Crossing, seconds: float) -> float:
        """Calls it and runs all that is left to do; returns the CPU time. Raises ComputedTooLong, OutOfMemory."""
        return self._run(function.value.call, arguments, seconds)

    def resume(self) -> None:
        """After ComputedTooLong: what else waits in the realm may go on."""
        self._interrupted = False
        self._callable.update(self._functions)

    def is_full(self) -> bool:
        """Whether nearly all of the memory is used. Walks the heap."""
        return self._runtime.compute_memory_usage()["malloc_size"] > self._memory_bytes * _FULL_RATIO

    def may_have_run_out(self) -> bool:
        """Whether a script that threw null may have done so for want of memory: QuickJS does where there is none for
        the error, and what the script held is free again when we see it."""
        return self.is_full() or time.thread_time() - self._started_at > _FILLING_SECONDS

    def give_reserve(self) -> None:
        """More memory, for saying how the script ended."""
        self._has_reserve = True
        self._runtime.set_memory_limit(self._memory_bytes + _RESERVE_BYTES)

    def _run(self, work: Callable[..., object], arguments: tuple[object, ...], seconds: float) -> float:
        # Wall time would end a script because others use the machine.
        begun = self._started_at = time.thread_time()
        if self._has_reserve:
            self._has_reserve = False
            self._runtime.set_memory_limit(self._memory_bytes)
        self._deadline = begun + seconds
        try:
            work(*arguments)
            done = 0
            run_job = self._context.execute_pending_job
            while run_job() and not self._interrupted:
                done += 1
                if done % _JOBS_BETWEEN_CLOCK_READS == 0 and self._check_deadline():
                    break
                # A loop of promises fills the memory, and what a job throws for want of it no one sees.
                if done % _JOBS_BETWEEN_HEAP_CHECKS == 0 and self.is_full():
                    raise OutOfMemory
        except quickjs.JSError as error:
            text = str(error)
            if not self._interrupted:
                if text == "InternalError: out of memory" or self.is_full():
                    raise OutOfMemory from error
                raise ScriptThrew(text, getattr(error, "js_stack", "")) from error
        finally:
            self._deadline = None
        if self._interrupted:
            raise ComputedTooLong
        return time.thread_time() - begun

    def _check_deadline(self) -> bool:
        if self._deadline is not None and time.thread_time() > self._deadline:
            self._interrupted = True
            self._callable.clear()  # a script that caught the interruption goes on until it is ended
        return self._interrupted


def _choose_stack_bytes() -> int:
    """For the script's frames: as much as half of the thread's own, which Python's frames use too."""
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        return _SMALL_STACK_BYTES
    own, _ = resource.getrlimit(resource.RLIMIT_STACK)
    return _STACK_BYTES if own == resource.RLIM_INFINITY else max(_SMALL_STACK_BYTES, min(_STACK_BYTES, own // 2))


def _guard(name: str, functions: Mapping[str, HostFunction]) -> Callable[..., Crossing]:
    """Calls the function of that name for as long as it is in `functions`; the realm holds nothing else of ours."""

    def call(*arguments: object) -> Crossing:
        function = functions.get(name)
        if function is None:
            return None
        for argument in arguments:
            if type(argument) not in _PLAIN:
                return function(*[_to_crossing(each) for each in arguments])
        return function(*arguments)

    return call


def _to_crossing(value: object) -> Crossing:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, quickjs.Value):
        return str(value) if value.is_string else value.to_bytes()
    return None  # undefined
