"""One loaded script, in any language.

Isolates of Python scripts share the process, its memory and its event loop: they are NOT a security boundary, and a
script that blocks blocks the edge.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from edgeworker.errors import ScriptError
from edgeworker.handler import Context
from edgeworker.messages import Request, Response


@dataclass(slots=True)
class Scheduled:
    """One firing of a cron trigger. `scheduled_time` is in epoch milliseconds. A script that calls noRetry() sets
    `no_retry`, whether it then fails or not."""

    cron: str
    scheduled_time: int
    no_retry: bool = False


class ExceededLimits(BaseException):
    """Ends a script that took longer than it may. No Exception: a script that catches those does not catch this."""


class LostWithIsolate(ExceededLimits):
    """Another event of the isolate exceeded its limits, and this one ended with it: it may be tried again."""


class ScriptFailure(Exception):
    """An uncaught exception of a script; it is logged already. `__cause__` and `original` are the exception.

    Not an EdgeworkerError: the edge answers it with Cloudflare's page 1101 or, where the script asked for it, passes
    the request to the origin. For one that exceeded limits it is page 1102.
    """

    def __init__(
        self, worker: str, original: BaseException, *, pass_through: bool = False, described: str = ""
    ) -> None:
        """`pass_through`: the script called passThroughOnException. `described` is what `Isolate.describe` says."""
        # Our own text names a handler that is missing; a script's may hold a secret.
        told = f": {original}" if isinstance(original, ScriptError) else f" raised {type(original).__name__}"
        super().__init__(f"worker {worker!r}{told}")
        self.worker = worker
        self.original = original
        self.pass_through = pass_through
        self.described = described

    @property
    def exceeded_limits(self) -> bool:
        return isinstance(self.original, ExceededLimits)

    @property
    def lost_with_isolate(self) -> bool:
        return isinstance(self.original, LostWithIsolate)


class Isolate(Protocol):
    """It was given the services of the worker's bindings, and has made the env of its language out of them.

    `entrypoint` None is the script's default export; another name is a `WorkerEntrypoint` subclass of that name.

    The script's exceptions leave as they are; `worker.Worker` turns them into a ScriptFailure.
    """

    async def open(self) -> None:
        """Waits for what loading needs to wait for (a child process, a bundler). Raises ScriptError as loading does."""
        ...

    async def fetch(self, request: Request, ctx: Context, entrypoint: str | None = None) -> Response: ...

    async def scheduled(self, event: Scheduled, ctx: Context) -> None:
        """Raises ScriptError where the script has no handler for it."""
        ...

    async def call(
        self,
        method: str,
        args: Sequence[object],
        options: Mapping[str, object],
        ctx: Context,
        entrypoint: str | None = None,
    ) -> object:
        """One RPC: the public method of the entrypoint, with positional and keyword arguments."""
        ...

    def entrypoints(self) -> Collection[str]:
        """The names of what the script exports; "default" is its default export."""
        ...

    def handles(self, event: str) -> bool:
        """Whether the default export has a handler for "fetch", "scheduled", ..."""
        ...

    def describe(self, error: BaseException) -> str:
        """The exception with its traceback, as the script's author should read it."""
        ...

    async def close(self) -> None:
        """Forgets the script's modules. Code of it that still runs can go on, but can import nothing more."""
        ...
