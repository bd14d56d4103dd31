"""The application on the API socket: what is mounted on it, and how a request of aiohttp becomes one of ours."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from edgeworker.admission import ALLOW
from edgeworker.config import Limits
from edgeworker.handler import Handler
from edgeworker.host.management import exchange
from edgeworker.host.management.request_body import RequestBody
from edgeworker.host.management.running import connection_of
from edgeworker.messages import Body, RefusalReason, Request, Response
from edgeworker.rays import new_ray
from edgeworker.server.access_log import LISTENER_RULE
from edgeworker.server.client_body import BodyRefused
from edgeworker.server.received_request import ServerOptions

Mount = Callable[[web.Application, Handler], None]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log: Final = logging.getLogger(__name__)

_LOGGED_PATH: Final = 200
_LIMITS: Final = web.AppKey("limits", Limits)
_RECEIVED: Final = web.RequestKey("received", Request)


def mount_health(application: web.Application, api: Handler) -> None:
    """For supervisors and containers: the process answers. It needs no token and tells nothing else."""
    application.router.add_get("/health", _health)


def mount_rest_api(application: web.Application, api: Handler) -> None:
    """Everything that nothing else takes, with the target as it was received."""

    async def answer(request: web.Request) -> web.StreamResponse:
        asked = build_request(request)
        response = await api.fetch(asked)
        ray = _note_refusal(request, response) if response.status >= 400 else ""
        if asked.method not in ("GET", "HEAD") or response.status in (401, 403, 429):
            path, client = asked.url.path[:_LOGGED_PATH], asked.client.ip
            fields = {
                "event": "api",
                "client": client,
                "method": asked.method,
                "path": path,
                "status": response.status,
            }
            if ray:
                fields["ray"] = ray  # the line's text then begins with client and ray
            place = (asked.method, path, response.status, "" if ray else f", from {client}")
            _log.info("REST API: %s %s %d%s", *place, extra={"fields": fields})
        return await exchange.send(response, request)

    application.router.add_route("*", r"/{rest:[\s\S]*}", answer)


# In the order in which they are asked. Pages, WebSockets and event streams go before the REST API; a stream that lives
# long waits for `STOPPING` of its application too.
MOUNTS: Final[tuple[Mount, ...]] = (mount_health, mount_rest_api)


def management_application(api: Handler, limits: Limits) -> web.Application:
    """`api` answers what no other mount takes; it bounds the bodies of its calls itself."""
    application = new_application(limits)
    for mount in MOUNTS:
        mount(application, api)
    return application


def new_application(limits: Limits, *middlewares: Middleware) -> web.Application:
    """One without routes, whose requests keep to `limits`."""
    every: list[Middleware] = [receive, *middlewares]
    application = web.Application(middlewares=every, client_max_size=limits.body_bytes)
    application[_LIMITS] = limits
    return application


def build_request(request: web.Request) -> Request:
    """The core's Request; read the body here, where it has its limits and is asked for when it is wanted."""
    return request[_RECEIVED]


def _note_refusal(request: web.Request, response: Response) -> str:
    """Gives the answer a ray id, which is returned; its connection records why it refuses the request."""
    ray = new_ray()
    response.headers.set("CF-Ray", ray)
    if (connection := connection_of(request)) is not None:
        connection.refusal_reason = response.refusal_reason
    return ray


async def _health(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"}, headers={"Cache-Control": "no-store"})


@web.middleware
async def receive(request: web.Request, handler: Answer) -> web.StreamResponse:
    """Gives the core's Request, as the connection has built it, its body; answers for a body that is refused."""
    connection = connection_of(request)
    if connection is None or connection.head is None or connection.request is None:
        raise ConnectionResetError("the client has gone")
    connection.begin_request(request.content)
    head, built = connection.head, connection.request
    if isinstance(built, ServerOptions):
        return web.Response(status=204, headers={"Allow": ALLOW})
    if head.coding is not None or head.length:
        built.body = Body(RequestBody(request.content, connection, request.app[_LIMITS]), length=head.length)
    request[_RECEIVED] = built
    try:
        return await handler(request)
    except BodyRefused as error:
        connection.refusal_reason = RefusalReason(LISTENER_RULE, (error.refusal.text,))
        return exchange.page(error.refusal)
