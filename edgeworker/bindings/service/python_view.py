"""`env.X` of a service binding: `fetch` and the public methods of another worker's entrypoint. And `ctx.exports`."""

from collections.abc import Awaitable, Callable, Mapping

from edgeworker.bindings.service.service import EntrypointService
from edgeworker.runtime.contract import current_invocation
from edgeworker.runtime.contract.worker import Worker
from edgeworker.runtime.sdk import rpc
from edgeworker.runtime.sdk.convert import convert_options
from edgeworker.runtime.sdk.fetch import make_response
from edgeworker.runtime.sdk.response import Response
from edgeworker.runtime.webapi import body_init, perform_fetch
from edgeworker.runtime.webapi.fetch import read_request_info
from edgeworker.runtime.webapi.ffi import JsException
from edgeworker.runtime.webapi.plain_proxy import fields_of


class ServiceView:
    """What a script has of another worker."""

    def __init__(self, service: EntrypointService, *, name: str) -> None:
        """`name` is the binding's."""
        self._service = service
        self._name = name

    async def fetch(self, resource: object, **options: object) -> Response:
        """As `workers.fetch`, with that worker as the one who answers. What it raises is raised."""
        caller = current_invocation.current()
        try:
            request = body_init.make_request(read_request_info(resource), convert_options(options))
        except JsException as error:
            raise OSError(error.message) from error
        return make_response(await perform_fetch.perform(request, caller, self._service.handler(caller)))

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        if name.startswith("_"):
            raise AttributeError(name)

        async def call(*args: object, **options: object) -> object:
            caller = current_invocation.current()
            sent = [rpc.sent(argument) for argument in args]
            sent_options = {key: rpc.sent(value) for key, value in options.items()}
            return rpc.sent(await self._service.call(name, sent, sent_options, caller))

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

    def service_of(self, name: str, props: Mapping[str, object]) -> EntrypointService:
        """For JavaScript, which makes its own objects of it."""
        return EntrypointService(lambda: self._worker, entrypoint=None if name == "default" else name, props=props)

    def __repr__(self) -> str:
        return f"<ctx.exports: {', '.join(self._worker.isolate.entrypoints())}>"


class OwnEntrypoint(ServiceView):
    """`ctx.exports.Name`; called with `{"props": ...}` or `props=...` it is one that has them as `ctx.props`."""

    def __init__(self, worker: Worker, name: str, props: Mapping[str, object]) -> None:
        service = EntrypointService(lambda: worker, entrypoint=None if name == "default" else name, props=props)
        super().__init__(service, name=f"ctx.exports.{name}")
        self._own = (worker, name)

    def __call__(self, options: object = None, /, *, props: object = None) -> "OwnEntrypoint":
        fields = fields_of(options)
        given = fields_of(fields.get("props") if props is None and isinstance(fields, Mapping) else props)
        if not isinstance(given, Mapping):
            raise TypeError(f'{self._name} is called with {{"props": {{...}}}}')
        copied = rpc.sent(given)
        assert isinstance(copied, Mapping)
        return OwnEntrypoint(*self._own, copied)
