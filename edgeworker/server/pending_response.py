"""One request's answer from an origin, as it arrives."""

import asyncio

from edgeworker.admission import Field
from edgeworker.server.upgraded import OriginStream


class PendingResponse:
    """Outlives its connection's interest in it: what is buffered can be read.

    With `may_upgrade` the answer may be 101, and what follows it is in `upgrade`.
    """

    __slots__ = (
        "chunks",
        "complete",
        "error",
        "fields",
        "headed",
        "length",
        "may_upgrade",
        "no_body",
        "reason",
        "size",
        "status",
        "upgrade",
        "waiter",
    )

    def __init__(self, *, no_body: bool, may_upgrade: bool = False) -> None:
        self.no_body = no_body  # the answer to HEAD has no body, whatever its Content-Length says
        self.may_upgrade = may_upgrade
        self.upgrade: OriginStream | None = None
        self.status = 0
        self.reason = ""
        self.fields: list[Field] = []
        self.length: int | None = None  # of the body, where a Content-Length says it
        self.headed = False
        self.complete = False
        self.chunks: list[bytes] = []
        self.size = 0  # of `chunks`
        self.error: Exception | None = None
        self.waiter: asyncio.Future[None] | None = None

    def wake(self) -> None:
        waiter = self.waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
