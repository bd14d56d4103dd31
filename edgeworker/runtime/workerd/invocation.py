"""One event that a worker in the child handles, as the edge sees it from outside."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edgeworker.errors import ScriptError
from edgeworker.handler import Context
from edgeworker.runtime.contract.isolate import ExceededLimits, LostWithIsolate

_MAX_NAMED: Final = 10
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Invocation:
    """Known by its ray for as long as it may fetch, which is until its answer has been read and its waitUntil() work is
    done.

    `has_effects`: it sent something that may have changed something. `resumed_at` is when it last had something to go
    on with: the request itself, or the answer to what it asked. `cf_text` is what the child was told of its `cf`.
    """

    __slots__ = (
        *("_forget", "_holds", "_settled", "_waits"),
        *("cf", "cf_text", "ctx", "effects_before", "has_effects", "ray", "resumed_at", "worker"),
    )

    def __init__(
        self, ray: str, ctx: Context | None, worker: str, forget: Callable[[str], object], effects_before: int = 0
    ) -> None:
        self.ray = ray
        self.ctx = ctx
        self.worker = worker
        self.effects_before = effects_before
        self.has_effects = False
        self.cf: Mapping[str, object] = {}
        self.cf_text: bytes | None = None
        self.resumed_at = asyncio.get_running_loop().time()
        self._waits = 0
        self._forget = forget
        self._holds = 1
        self._settled: asyncio.Future[None] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether the edge has not yet answered something that it asked."""
        return self._waits > 0

    def begin_waiting(self) -> None:
        """It asked the edge something."""
        self._waits += 1

    def end_waiting(self) -> None:
        self._waits -= 1
        self.resumed_at = asyncio.get_running_loop().time()

    def wait(self) -> "asyncio.Future[None]":
        """Done when waitUntil() has no work left; until then it may fetch."""
        self._holds += 1
        self._settled = asyncio.get_running_loop().create_future()
        self._settled.add_done_callback(lambda _: self.release())
        return self._settled

    def settle(self) -> None:
        if self._settled is not None and not self._settled.done():
            self._settled.set_result(None)

    def release(self) -> None:
        self._holds -= 1
        if self._holds == 0:
            self._forget(self.ray)

    def describe(self) -> str:
        """For people: "GET https://shop.example.com/a (shop)"."""
        if self.ctx is None:
            return f"an event of {self.worker}"
        request = self.ctx.request
        return f"{request.method} {request.url.origin}{request.url.path} ({self.worker})"


def find_suspects(
    invocations: Iterable[Invocation], *, heard_at: float, stuck_since: float | None = None
) -> list[Invocation]:
    """Those of which one has ended the child, as far as can be seen from outside.

    `heard_at` is when the child last showed that its event loop turns; `stuck_since` is a moment from which on it did
    not, if that is known. Who waits for the edge does not compute, what came after the loop stopped has not begun, and
    what came before the last sign of life has let others go on at least once.
    """
    computing = [one for one in invocations if not one.is_waiting]
    begun = [one for one in computing if stuck_since is None or one.resumed_at <= stuck_since] or computing
    return [one for one in begun if one.resumed_at >= heard_at] or begun


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended. One of `suspects` did it; with more than one, each may be innocent."""

    reason: ExceededLimits | ScriptError
    suspects: Sequence[Invocation]

    def is_guilty(self, invocation: Invocation) -> bool:
        return len(self.suspects) == 1 and self.suspects[0] is invocation

    def reason_for(self, invocation: Invocation) -> ExceededLimits | ScriptError:
        """What this one ends with."""
        if invocation in self.suspects:
            return self.reason
        return LostWithIsolate(f"another request ended workerd: {self.reason}")


def describe_lost(invocations: Iterable[Invocation], suspects: Sequence[Invocation]) -> str:
    """For people: which requests ended the child or ended with it."""
    others = [one.describe() for one in invocations if one not in suspects]
    blamed = _join([one.describe() for one in suspects])
    text = f"It was {blamed}" if len(suspects) == 1 else f"It was one of {blamed}" if suspects else "No request ran"
    return f"{text}; {len(others)} other(s) ended with it: {_join(others)}" if others else text


def _join(texts: Sequence[str]) -> str:
    shown = ", ".join(texts[:_MAX_NAMED])
    return f"{shown} and {len(texts) - _MAX_NAMED} more" if len(texts) > _MAX_NAMED else shown
