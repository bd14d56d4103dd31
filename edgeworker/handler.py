"""The one interface: whatever answers a request is a Handler. And what a handler is given to work with."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from edgeworker.clock import Clock
from edgeworker.errors import find_store_error
from edgeworker.messages import Access, Request, Response
from edgeworker.trace import Trace

_log = logging.getLogger(__name__)

NO_PROPS: Final[Mapping[str, object]] = MappingProxyType({})


# What `fetch` returns before it is awaited. A link that only decides who is asked returns that one's: each coroutine
# between a request and its response is entered twice.
PendingResponse = Coroutine[object, object, Response]


class Handler(Protocol):
    """A worker, the origin, the REST API, a product in front of something, the edge itself."""

    async def fetch(self, request: Request, /) -> Response: ...


def ends_from_outside(error: BaseException) -> bool:
    """Whether `error` comes from who cancels the running task or closes its coroutine.

    A CancelledError otherwise comes from inside: code that awaits a task which was cancelled gets one too.
    """
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is None or task.cancelling() > 0
    return isinstance(error, GeneratorExit)


class Background:
    """Work that outlives its response: what scripts give to `ctx.waitUntil`.

    A failure is logged with the name of the work, because no caller sees it. `drain` waits for what is under way, and
    is called when the edge stops and when a test settles.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Future[object]] = set()

    def spawn(self, work: Awaitable[object], *, name: str) -> None:
        """`name` says whose work it is: it stands in the log line of a failure."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._finish(done, name))

    def _finish(self, task: "asyncio.Future[object]", name: str) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            cause = find_store_error(error)
            if cause is None:
                _log.error("waitUntil of %s failed", name, exc_info=error)
            else:
                _log.error("waitUntil of %s failed: %s", name, cause, extra={"repeats": f"waitUntil {cause}"})

    @property
    def pending(self) -> int:
        return len(self._tasks)

    async def drain(self, *, timeout_seconds: float | None = None) -> int:
        """Waits for all work, also for work that this work begins; returns how much was cancelled at the timeout."""
        loop = asyncio.get_running_loop()
        deadline = None if timeout_seconds is None else loop.time() + timeout_seconds
        while self._tasks:
            left = None if deadline is None else deadline - loop.time()
            if left is not None and left <= 0:
                break
            await asyncio.wait(self._tasks, timeout=left)
        cancelled = list(self._tasks)
        for task in cancelled:
            task.cancel()
        await asyncio.gather(*cancelled, return_exceptions=True)
        return len(cancelled)


class Context:
    """One invocation of a worker: what a script sees as `ctx`, and what its `fetch()` needs to know.

    `subrequest` is where this invocation's `fetch()` goes (see edgeworker.subrequests).
    """

    __slots__ = (
        *("_background", "_pass_through", "access", "exports", "has_met_storage_failure", "name", "props", "request"),
        "subrequest",
    )

    def __init__(
        self,
        request: Request,
        *,
        name: str,
        background: Background,
        subrequest: Handler,
        props: Mapping[str, object] = NO_PROPS,
    ) -> None:
        """`name` is the worker's name, for log lines and for tests."""
        self.name = name
        self.request = request
        self.subrequest = subrequest
        self.props = props
        self.access: Access | None = request.access
        self.exports: object = None  # the worker's own entrypoints, as scripts of its language see them
        self._background = background
        self._pass_through = False
        self.has_met_storage_failure = False  # and the log has a line of it

    @property
    def trace(self) -> Trace | None:
        return self.request.trace

    def wait_until(self, work: Awaitable[object], /) -> None:
        """Keeps the edge from stopping before `work` is done. Raises TypeError for what cannot be awaited."""
        if not inspect.isawaitable(work):
            raise TypeError(f"waitUntil() takes something awaitable, not {type(work).__name__}")
        self._background.spawn(work, name=f"worker {self.name!r} ({self.request.method} {self.request.url.path})")

    def pass_through_on_exception(self) -> None:
        """An uncaught exception of the script sends the original request to the origin, if its body is unread."""
        self._pass_through = True

    @property
    def passes_through(self) -> bool:
        return self._pass_through


@dataclass(frozen=True, slots=True)
class Services:
    """What every part of an edge shares. Tests replace each of them; nothing else reaches the outside.

    `internet` fetches `request.url` from where its name points to, through the outbound policy. `origin_at(url)` is the
    server at that base URL as a handler: it is sent the request as it is, real Host included.
    """

    clock: Clock
    background: Background
    internet: Handler
    origin_at: Callable[[str], Handler]
