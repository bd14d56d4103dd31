"""`env.X` of a service binding: `fetch` and the public methods of another worker's entrypoint, routes not asked.

The worker is looked up at each call, so no worker has to be loaded before another.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from edgeworker import messages
from edgeworker.handler import Context
from edgeworker.messages import Request
from edgeworker.runtime.contract import current_invocation
from edgeworker.runtime.contract.worker import Worker
from edgeworker.runtime.sdk import rpc
from edgeworker.runtime.sdk.convert import from_python
from edgeworker.runtime.sdk.fetch import of_fetched
from edgeworker.runtime.sdk.response import Response
from edgeworker.runtime.webapi import body_init, perform_fetch
from edgeworker.runtime.webapi.fetch import resource_of
from edgeworker.runtime.webapi.ffi import JsException

# https://developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/#limits
MAX_DEPTH: Final = 32


class ServiceView:
    """What a script has of another worker."""

    def __init__(
        self, worker: Callable[[], Worker], *, name: str, entrypoint: str | None, props: Mapping[str, object]
    ) -> None:
        """`worker` raises ScriptError for a worker that this edge does not have; `name` is the binding's."""
        self._worker = worker
        self._name = name
        self._entrypoint = entrypoint
        self._props = props

    async def fetch(self, resource: object, **options: object) -> Response:
        """As `workers.fetch`, with that worker as the one who answers. What it raises is raised."""
        caller = current_invocation.current()
        try:
            request = body_init.make_request(resource_of(resource), from_python(options))
        except JsException as error:
            raise OSError(error.message) from error
        target = _Entrypoint(self._worker(), self._entrypoint, self._props, caller)
        return of_fetched(await perform_fetch.perform(request, caller, target))

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        if name.startswith("_"):
            raise AttributeError(name)

        async def call(*args: object, **options: object) -> object:
            caller = current_invocation.current()
            _check_depth(caller.request)
            sent = [rpc.sent(argument) for argument in args]
            result = await self._worker().call(
                name,
                sent,
                {key: rpc.sent(value) for key, value in options.items()},
                caller=caller,
                entrypoint=self._entrypoint,
                props=self._props,
            )
            return rpc.sent(result)

        return call

    def __repr__(self) -> str:
        return f"<service binding {self._name}>"


class OwnExports:
    """`ctx.exports`: the worker's own entrypoints, each as a service binding. The default export is `default`."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def __getattr__(self, name: str) -> "OwnEntrypoint":
        known = self._worker.isolate.entrypoints()
        exported = "default" if name == "Default" else name
        if exported not in known:
            raise AttributeError(f"ctx.exports has no {name!r}; it has: {', '.join(known) or 'nothing'}", name=name)
        return OwnEntrypoint(self._worker, exported, {})

    def object_keys(self) -> list[str]:
        return list(self._worker.isolate.entrypoints())

    def __repr__(self) -> str:
        return f"<ctx.exports: {', '.join(self._worker.isolate.entrypoints())}>"


class OwnEntrypoint(ServiceView):
    """`ctx.exports.Name`; called with `{"props": ...}` or `props=...` it is one that has them as `ctx.props`."""

    def __init__(self, worker: Worker, name: str, props: Mapping[str, object]) -> None:
        super().__init__(
            lambda: worker,
            name=f"ctx.exports.{name}",
            entrypoint=None if name == "default" else name,
            props=props,
        )
        self._own = (worker, name)

    def __call__(self, options: object = None, /, *, props: object = None) -> "OwnEntrypoint":
        given = options.get("props") if props is None and isinstance(options, Mapping) else props
        if not isinstance(given, Mapping):
            raise TypeError(f'{self._name} is called with {{"props": {{...}}}}')
        copied = rpc.sent(given)
        assert isinstance(copied, Mapping)
        return OwnEntrypoint(*self._own, copied)


class _Entrypoint:
    """A Handler: the bound entrypoint, called out of an invocation and with its subrequests."""

    def __init__(self, worker: Worker, entrypoint: str | None, props: Mapping[str, object], caller: Context) -> None:
        self._worker = worker
        self._entrypoint = entrypoint
        self._props = props
        self._caller = caller

    async def fetch(self, request: Request, /) -> messages.Response:
        _check_depth(request)
        deeper = request.replace(hops=request.hops + 1)
        return await self._worker.run(deeper, self._caller.subrequest, entrypoint=self._entrypoint, props=self._props)


def _check_depth(request: Request) -> None:
    if request.hops >= MAX_DEPTH:
        raise RuntimeError(
            "Subrequest depth limit exceeded. This request recursed through Workers too many times: "
            "do two workers call each other through service bindings?"
        )
