"""What a script is given of an event besides the request: a trigger's controller, the end of a request's signal."""

import asyncio
from collections.abc import AsyncIterator

from edgeworker.handler import Context
from edgeworker.messages import Body
from edgeworker.runtime.contract import current_invocation
from edgeworker.runtime.contract.isolate import Scheduled
from edgeworker.runtime.webapi.abort import AbortSignal
from edgeworker.runtime.webapi.dom_exception import DOMException
from edgeworker.runtime.webapi.ffi import JsException


class ScheduledController:
    """The first argument of `scheduled`. `scheduledTime` is in epoch milliseconds."""

    def __init__(self, event: Scheduled) -> None:
        self.cron = event.cron
        self.scheduledTime = event.scheduled_time
        self.type = "scheduled"
        self._event = event

    def noRetry(self) -> None:
        self._event.no_retry = True


def client_left() -> JsException:
    return DOMException("The client disconnected.", "AbortError")


async def tell_of_the_end(body: Body, signal: AbortSignal, ctx: Context) -> AsyncIterator[bytes]:
    """The body; where it is not read to its end, the signal is aborted within the invocation."""
    pieces = body.stream()
    try:
        async for piece in pieces:
            yield piece
    except (asyncio.CancelledError, GeneratorExit):
        with current_invocation.enter_invocation(ctx):
            signal.abort_with(client_left())
        raise
    finally:
        await body.close()
