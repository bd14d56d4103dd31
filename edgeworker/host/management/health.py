"""Health and metrics of a serving edge, on a socket of their own: without a token, so it listens on loopback."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from edgeworker.clock import Clock
from edgeworker.config import Limits
from edgeworker.host.management.application import new_application
from edgeworker.host.management.running import connection_of
from edgeworker.messages import RefusalReason
from edgeworker.metrics.exposition import CONTENT_TYPE, prometheus_text, status_text
from edgeworker.metrics.snapshots import Snapshots

_NO_STORE: Final = {"Cache-Control": "no-store"}

# Why requests should not be sent here now, or None.
Readiness = Callable[[], Awaitable[str | None]]


def health_application(snapshots: Snapshots, readiness: Readiness, clock: Clock, limits: Limits) -> web.Application:
    """`/healthz`: the process answers. `/readyz`: it can serve (503 and the reason if not). `/metrics` is for
    Prometheus, `/status` for people, `/origins` tells the health of each origin as JSON."""

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n", headers=_NO_STORE)

    async def readyz(request: web.Request) -> web.Response:
        reason = await readiness()
        connection = connection_of(request)
        if reason is not None and connection is not None:
            connection.refusal_reason = RefusalReason("whether this process can serve", (reason,))
        text = "ready\n" if reason is None else f"not ready: {reason}\n"
        return web.Response(text=text, status=200 if reason is None else 503, headers=_NO_STORE)

    async def metrics(_: web.Request) -> web.Response:
        content = prometheus_text(snapshots.joined()).encode()
        return web.Response(body=content, headers={"Content-Type": CONTENT_TYPE, **_NO_STORE})

    async def status(_: web.Request) -> web.Response:
        return web.Response(text=status_text(snapshots.joined(), now=clock.now()), headers=_NO_STORE)

    async def origins(_: web.Request) -> web.Response:
        told = [report.as_json() for _, report in sorted(snapshots.joined().origins.items())]
        return web.json_response({"origins": told}, headers=_NO_STORE)

    application = new_application(limits)
    answers = {
        "/healthz": healthz,
        "/readyz": readyz,
        "/metrics": metrics,
        "/status": status,
        "/origins": origins,
    }
    for path, answer in answers.items():
        application.router.add_get(path, answer)
    return application
