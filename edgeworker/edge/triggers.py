"""The URLs that fire a cron trigger, as wrangler has them: for developing, where the configuration asks for them.

Three of them are under `/cdn-cgi/`. The fourth, `/__scheduled`, could be a path of the worker's own: it is taken on
localhost and on addresses only, which no zone has, so no path of a host that is in production is ever shadowed.

Answers were recorded from miniflare 4 (tests/conformance/cases/scheduled.json), the refusals are wrangler's.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qs

from edgeworker.clock import Clock
from edgeworker.config import Config
from edgeworker.edge.clients import is_public_client
from edgeworker.handler import Handler, PendingResponse
from edgeworker.messages import URL, Headers, InvalidURL, RefusalReason, Request, Response
from edgeworker.routing import ServedHosts, is_loopback, parse_pattern
from edgeworker.runtime import Scheduled, ScriptFailure, Worker

PATHS: Final = ("/cdn-cgi/local/scheduled", "/cdn-cgi/handler/scheduled", "/cdn-cgi/mf/scheduled")
OLD_PATH: Final = "/__scheduled"

# JavaScript's largest moment: https://tc39.es/ecma262/#sec-time-values-and-time-range
_MAX_TIME_MS: Final = 8_640_000_000_000_000

_PATHS: Final = frozenset(PATHS)

Fire = Callable[[str, Scheduled], Awaitable[None]]


class TriggerURLs:
    """The link of a chain that answers these URLs, to clients on this machine and on private networks."""

    def __init__(self, triggers: "ManualTriggers", then: Handler) -> None:
        self._triggers = triggers
        self._then = then

    def fetch(self, request: Request, /) -> PendingResponse:
        path = request.url.path
        is_trigger = path in _PATHS or (path == OLD_PATH and is_loopback(request.url.hostname))
        handler = self._triggers if is_trigger and not is_public_client(request.client) else self._then
        return handler.fetch(request)


class ManualTriggers:
    """A Handler. Parameters: `cron` (default ""), `time` in epoch milliseconds (default: now), `format` ("json"),
    `worker` (default: the only one that has this trigger, or that has a handler for it)."""

    def __init__(self, config: Config, clock: Clock, workers: Mapping[str, Worker], fire: Fire) -> None:
        """`fire` raises ScriptFailure for what the handler raised."""
        self._config = config
        self._clock = clock
        self._workers = workers
        self._fire = fire
        # An origin for every host makes no host ours: a page of any other site could then fire triggers by a name of
        # its own that points to this machine.
        routes = tuple(route for route in config.routes if parse_pattern(route.pattern).host)
        self._hosts = ServedHosts(replace(config, origin=None, default_on_every_host=False, routes=routes))

    async def fetch(self, request: Request, /) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        parameters = {name: values[-1] for name, values in parse_qs(request.url.query.removeprefix("?")).items()}
        as_json = parameters.get("format") == "json"
        moment = parameters.get("time")
        if moment is not None and not _is_moment(moment):
            return _text(400, f'time is in milliseconds since 1970, such as 1767225600000, not "{moment}".')
        event = Scheduled(parameters.get("cron", ""), self._clock.now_ms() if moment is None else int(moment))
        worker = self._worker(event.cron, parameters.get("worker"))
        if isinstance(worker, Response):
            return worker
        if not worker.isolate.handles("scheduled"):
            why = (
                f'worker "{worker.name}" has no handler for cron triggers: give its class Default a method '
                "`async def scheduled(self, controller)`"
            )
            return _outcome("exception", as_json=as_json, no_retry=True, why=why)
        try:
            await self._fire(worker.name, event)
        except ScriptFailure:
            return _outcome("exception", as_json=as_json, no_retry=event.no_retry)
        if request.url.path == OLD_PATH and not as_json:
            return _text(200, "Ran scheduled event")
        return _outcome("ok", as_json=as_json, no_retry=event.no_retry)

    def _refusal(self, request: Request) -> Response | None:
        """Other pages in a browser may not fire anything, also not by a name that they point to this machine."""
        if request.method not in ("GET", "POST"):
            return _text(405, "A trigger is fired with GET or POST.", ("allow", "GET, POST"))
        if request.url.hostname not in self._hosts:
            return _text(403, "Invalid Host header: call this URL on localhost, or on a host that a route names.")
        origin = request.headers.get("origin")
        if origin is None:
            # A request for a picture names no origin; browsers say here that it comes from another site.
            if request.headers.get("sec-fetch-site") == "cross-site":
                return _text(403, "Invalid Origin header: a page of another site may not call this URL.")
            return None
        try:
            allowed = URL.parse(origin).hostname in self._hosts
        except InvalidURL:
            allowed = False
        return None if allowed else _text(403, "Invalid Origin header: a page of another site may not call this URL.")

    def _worker(self, cron: str, name: str | None) -> Worker | Response:
        if name is not None:
            found = self._workers.get(name)
            known = ", ".join(self._workers) or "none"
            return found or _text(404, f'There is no worker "{name}" here; there are: {known}.')
        having = [worker.name for worker in self._config.workers if cron in worker.crons]
        able = [name for name, worker in self._workers.items() if worker.isolate.handles("scheduled")]
        for names in (having, able, list(self._workers)):
            if len(names) == 1:
                return self._workers[names[0]]
            if names:
                return _text(400, f"Several workers could be meant; add &worker= and one of: {', '.join(names)}.")
        return _text(404, "There is no worker here.")


def _is_moment(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 17 and int(text) <= _MAX_TIME_MS


def _outcome(outcome: str, *, as_json: bool, no_retry: bool, why: str | None = None) -> Response:
    status = 200 if outcome == "ok" else 500
    if not as_json:
        return _text(status, outcome if why is None else f"{outcome}: {why}")
    members = {"outcome": outcome, "noRetry": no_retry, **({} if why is None else {"error": why})}
    body = json.dumps(members, separators=(",", ":"), ensure_ascii=False)
    return Response(status, Headers([("content-type", "application/json"), _UNCACHED]), body.encode())


def _text(status: int, text: str, *fields: tuple[str, str]) -> Response:
    headers = Headers([("content-type", "text/plain;charset=UTF-8"), _UNCACHED, *fields])
    response = Response(status, headers, text.encode())
    if status >= 400:
        response.refusal_reason = RefusalReason("the URLs that fire cron triggers while developing")
    return response


_UNCACHED: Final = ("cache-control", "no-store")
