"""`AbortController` and `AbortSignal`, and work that ends with one. Source: https://dom.spec.whatwg.org/#aborting-ongoing-activities"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from typing import Self, TypeVar

from edgeworker.messages import Body
from edgeworker.runtime.contract import portability_warnings
from edgeworker.runtime.webapi.base import JsObject, type_error
from edgeworker.runtime.webapi.dom_exception import DOMException
from edgeworker.runtime.webapi.event_target import Event, EventTarget
from edgeworker.runtime.webapi.ffi import jsnull
from edgeworker.runtime.webapi.global_scope import refuse_in_global_scope
from edgeworker.runtime.webapi.plain_objects import null
from edgeworker.runtime.webapi.thrown import as_exception

_T = TypeVar("_T")
_ABORTED = "The operation was aborted"


class AbortSignal(EventTarget):
    """`signal` of a fetch: `aborted`, `reason`, and the listeners."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False
        self.onabort: Callable[..., object] | None = None
        self._reason: object = None

    @classmethod
    def new(cls, *_args: object, **_options: object) -> Self:
        raise type_error("Illegal constructor")

    @property
    def reason(self) -> object:
        """The value that it was aborted with, of any kind."""
        return null() if self._reason is jsnull else self._reason

    @staticmethod
    def timeout(ms: float) -> "AbortSignal":
        refuse_in_global_scope("AbortSignal.timeout()")
        signal = AbortSignal()
        late = DOMException("The operation was aborted due to timeout", "TimeoutError")
        asyncio.get_running_loop().call_later(max(0.0, ms / 1000), signal.abort_with, late)
        return signal

    @staticmethod
    def abort(reason: object = None) -> "AbortSignal":
        signal = AbortSignal()
        signal.abort_with(reason)
        return signal

    @staticmethod
    def any(signals: Iterable[object]) -> "AbortSignal":
        """Aborted as soon as one of them is, for the same reason."""
        made = AbortSignal()
        if isinstance(signals, str | bytes) or not isinstance(signals, Iterable):
            raise type_error("Failed to execute 'any' on 'AbortSignal': parameter 1 is not of type 'Array'.")
        sources = list(signals)
        for index, signal in enumerate(sources):
            if not isinstance(signal, AbortSignal):
                raise type_error(
                    f"Incorrect type for array element {index}: the provided value is not of type 'AbortSignal'."
                )
            if signal.aborted:
                made.abort_with(signal._reason)
        for signal in () if made.aborted else sources:
            assert isinstance(signal, AbortSignal)
            signal.addEventListener("abort", made._follow)
        return made

    def _follow(self, event: Event) -> None:
        assert isinstance(event.target, AbortSignal)
        self.abort_with(event.target._reason)

    def throwIfAborted(self) -> None:
        if self.aborted:
            raise as_exception(self._reason)

    def abort_with(self, reason: object) -> None:
        """None, which is undefined, stands for an AbortError; null is a reason."""
        if self.aborted:
            return
        self.aborted = True
        self._reason = DOMException(_ABORTED, "AbortError") if reason is None else reason
        event = Event("abort")
        if self.onabort is not None:
            event.target = event.currentTarget = self
            self.onabort(event)
        self.dispatchEvent(event)


class AbortController(JsObject):
    def __init__(self) -> None:
        self.signal = AbortSignal()

    def abort(self, reason: object = None) -> None:
        self.signal.abort_with(reason)


def _raised_by(signal: AbortSignal) -> BaseException:
    """What work ends with whose signal was aborted."""
    error = as_exception(signal.reason)
    if error is not signal.reason:
        portability_warnings.is_refused(
            "on Cloudflare the await never ends where the reason of a signal is not an error (Pyodide 0.28)",
            "abort with js.Error.new(text)",
        )
    return error


async def run_unless_aborted(work: Coroutine[object, object, _T], signal: AbortSignal | None) -> _T:
    """The work's result; raises for the signal's reason as soon as it is aborted, and gives the work up."""
    if signal is None:
        return await work
    if signal.aborted:
        work.close()
        raise _raised_by(signal)
    task = asyncio.ensure_future(work)

    def cancel(_event: object) -> None:
        task.cancel()

    signal.addEventListener("abort", cancel)
    try:
        return await task
    except asyncio.CancelledError:
        if signal.aborted and task.cancelled():
            raise _raised_by(signal) from None
        task.cancel()
        raise
    finally:
        signal.removeEventListener("abort", cancel)


async def stream_unless_aborted(body: Body, signal: AbortSignal) -> AsyncIterator[bytes]:
    """The pieces of the body; raises for the signal's reason as soon as it is aborted, and gives the body up."""
    pieces = body.stream()

    async def read() -> bytes | None:
        return await anext(pieces, None)

    try:
        while (piece := await run_unless_aborted(read(), signal)) is not None:
            yield piece
    finally:
        await body.close()
