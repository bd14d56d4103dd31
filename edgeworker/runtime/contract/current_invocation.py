"""The invocation that the running code belongs to, for `workers.fetch`, `workers.wait_until` and the like.

A context variable: it follows awaits, tasks and `asyncio.to_thread`, and two requests at once never see each other's.
"""

from collections.abc import Awaitable
from contextvars import ContextVar
from typing import Final

from edgeworker.handler import Context
from edgeworker.trace import Trace

_context: Final[ContextVar[Context]] = ContextVar("edgeworker_invocation")


def current() -> Context:
    """The current Context. Raises RuntimeError where no request or event is being handled."""
    try:
        return _context.get()
    except LookupError:
        raise RuntimeError(
            "this works only while a handler runs (fetch, scheduled, ...), not at the top level of the script"
        ) from None


def current_or_none() -> Context | None:
    return _context.get(None)


def trace() -> Trace | None:
    """Of the request that is answered, if it has one."""
    context = _context.get(None)
    return None if context is None else context.request.trace


# What `enter_invocation` does, for where each request passes: two calls into C.
set_invocation: Final = _context.set
reset_invocation: Final = _context.reset


class enter_invocation:  # read as a statement: `with enter_invocation(context):`
    """Code inside, and tasks that it starts, belong to `context`."""

    __slots__ = ("_context", "_token")

    def __init__(self, context: Context) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._token = _context.set(self._context)

    def __exit__(self, *_error: object) -> None:
        _context.reset(self._token)


def wait_until(work: Awaitable[object], /) -> None:
    """`workers.wait_until`: the current invocation's `ctx.waitUntil`."""
    current().wait_until(work)
