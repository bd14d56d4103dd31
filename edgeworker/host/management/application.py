"""The application on the API socket: what is mounted on it, and how a request of aiohttp becomes one of ours."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from edgeworker.admission import Refusal
from edgeworker.config import Limits
from edgeworker.handler import Handler
from edgeworker.host.management import exchange
from edgeworker.host.management.connection import ManagementConnection
from edgeworker.host.management.request_body import RequestBody
from edgeworker.host.management.running import connection_of
from edgeworker.messages import Body, Request
from edgeworker.server import received_request
from edgeworker.server.client_body import BodyRefused
from edgeworker.server.received_request import ServerOptions
from edgeworker.server.responder import ALLOW

Mount = Callable[[web.Application, Handler], None]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LIMITS: Final = web.AppKey("limits", Limits)
_SCHEME: Final = web.AppKey("scheme", str)
_RECEIVED: Final = web.RequestKey("received", Request)


def mount_health(application: web.Application, api: Handler) -> None:
    """For supervisors and containers: the process answers. It needs no token and tells nothing else."""
    application.router.add_get("/health", _health)


def mount_rest_api(application: web.Application, api: Handler) -> None:
    """Everything that nothing else takes, with the target as it was received."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return await exchange.send(await api.fetch(request[_RECEIVED]), request)

    application.router.add_route("*", r"/{rest:[\s\S]*}", answer)


# In the order in which they are asked. Pages, WebSockets and event streams go before the REST API; a stream that lives
# long waits for `STOPPING` of its application too.
MOUNTS: Final[tuple[Mount, ...]] = (mount_health, mount_rest_api)


def management_application(api: Handler, limits: Limits, *, scheme: str = "http") -> web.Application:
    """`api` answers what no other mount takes; it bounds the bodies of its calls itself."""
    application = new_application(limits, scheme=scheme)
    for mount in MOUNTS:
        mount(application, api)
    return application


def new_application(limits: Limits, *middlewares: Middleware, scheme: str = "http") -> web.Application:
    """One without routes, whose requests keep to `limits`."""
    every: list[Middleware] = [receive, *middlewares]
    application = web.Application(middlewares=every, client_max_size=limits.body_bytes)
    application[_LIMITS] = limits
    application[_SCHEME] = scheme
    return application


async def _health(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"}, headers={"Cache-Control": "no-store"})


@web.middleware
async def receive(request: web.Request, handler: Answer) -> web.StreamResponse:
    """Makes the core's Request, as the edge's own sockets do it, and answers what they refuse."""
    connection = connection_of(request)
    if connection is None or connection.head is None:
        raise ConnectionResetError("the client has gone")
    connection.begin_request(request.content)
    received = _received(request, connection)
    if isinstance(received, Refusal):
        return exchange.page(received)
    if isinstance(received, ServerOptions):
        return web.Response(status=204, headers={"Allow": ALLOW})
    request[_RECEIVED] = received
    try:
        return await handler(request)
    except BodyRefused as error:
        return exchange.page(error.refusal)


def _received(request: web.Request, connection: ManagementConnection) -> Request | ServerOptions | Refusal:
    head, application = connection.head, request.app
    assert head is not None
    limits, client, scheme = application[_LIMITS], connection.client, application[_SCHEME]
    if connection.trusted:
        client, scheme = received_request.resolve_forwarded_client(head.fields, client, scheme, connection.trusted_proxies)
    received = received_request.build_request(head, None, scheme=scheme, client=client, limits=limits)
    if isinstance(received, Request) and (head.coding is not None or head.length):
        received.body = Body(RequestBody(request.content, connection, limits), length=head.length)
    return received
