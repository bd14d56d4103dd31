"""An entrypoint of a worker, called out of another invocation: routes are not asked."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from edgeworker.handler import Context, Handler
from edgeworker.messages import Request, Response
from edgeworker.runtime.contract.worker import Worker

# https://developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/#limits
MAX_DEPTH: Final = 32


class EntrypointService:
    """The worker is looked up at each call, so no worker has to be loaded before another."""

    def __init__(
        self, find_worker: Callable[[], Worker], *, entrypoint: str | None, props: Mapping[str, object]
    ) -> None:
        """`find_worker` raises ScriptError for a worker that this edge does not have."""
        self._find_worker = find_worker
        self._entrypoint = entrypoint
        self._props = props

    def handler(self, caller: Context) -> Handler:
        """What answers a `fetch()` that `caller` makes."""
        return _CalledEntrypoint(self._find_worker(), self._entrypoint, self._props, caller)

    async def call(self, method: str, args: Sequence[object], options: Mapping[str, object], caller: Context) -> object:
        """One RPC, with arguments that are copies already. What the method raises is raised."""
        _check_depth(caller.request)
        return await self._find_worker().call(
            method, args, options, caller=caller, entrypoint=self._entrypoint, props=self._props
        )


class _CalledEntrypoint:
    """A Handler: the entrypoint, called out of an invocation and with its subrequests."""

    def __init__(self, worker: Worker, entrypoint: str | None, props: Mapping[str, object], caller: Context) -> None:
        self._worker = worker
        self._entrypoint = entrypoint
        self._props = props
        self._caller = caller

    async def fetch(self, request: Request, /) -> Response:
        _check_depth(request)
        deeper = request.replace(hops=request.hops + 1)
        return await self._worker.run(
            deeper, self._caller.subrequest, entrypoint=self._entrypoint, props=self._props, by_binding=True
        )


def _check_depth(request: Request) -> None:
    if request.hops >= MAX_DEPTH:
        raise RuntimeError(
            "Subrequest depth limit exceeded. This request recursed through Workers too many times: "
            "do two workers call each other through service bindings?"
        )
