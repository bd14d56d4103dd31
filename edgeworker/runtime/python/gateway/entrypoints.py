"""`asgi.entrypoint(app)` and `wsgi.entrypoint(app)`: the `Default` class of a worker that is an application."""

from edgeworker.runtime.python.gateway import Options, asgi, asgi_websocket, wsgi
from edgeworker.runtime.sdk.entrypoints import WorkerEntrypoint
from edgeworker.runtime.sdk.request import Request
from edgeworker.runtime.webapi.fetch import Response as JSResponse


def make_asgi_entrypoint(app: asgi.Application, *, options: Options | None = None) -> type[WorkerEntrypoint]:
    class Default(WorkerEntrypoint):
        async def fetch(self, request: Request) -> JSResponse:
            if (request.headers.get("upgrade") or "").lower() == "websocket":
                return await asgi_websocket.websocket(app, request, self.env)
            return await asgi.fetch(app, request, self.env, self.ctx, options=options)

    return Default


def make_wsgi_entrypoint(app: wsgi.Application, *, options: Options | None = None) -> type[WorkerEntrypoint]:
    class Default(WorkerEntrypoint):
        async def fetch(self, request: Request) -> JSResponse:
            return await wsgi.fetch(app, request, self.env, options=options)

    return Default
