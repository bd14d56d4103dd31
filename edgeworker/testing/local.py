"""An edge in a test's own process: no socket, time and the world outside in the test's hand."""

import contextlib
import inspect
import itertools
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar, Unpack

from edgeworker.config import Config
from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.store import KVStore
from edgeworker.messages import URL, Request, Response
from edgeworker.routing import Explanation, Resolver, ServedHosts
from edgeworker.runtime import Scheduled
from edgeworker.testing.calls import CallOptions, RecordedCall, Reply, reply_of, request_of
from edgeworker.testing.clock import MovableClock
from edgeworker.testing.engine import EdgeLoop
from edgeworker.testing.faults import FaultInjection
from edgeworker.testing.issuer import TokenIssuer
from edgeworker.testing.javascript_time import with_movable_time
from edgeworker.testing.kv_access import KVAccess, namespace_id
from edgeworker.testing.log_lines import LogLine
from edgeworker.testing.origin import Origin
from edgeworker.trace import Trace

if TYPE_CHECKING:
    from edgeworker.testing.access import AccessHelper
    from edgeworker.testing.aiohttp_connector import AiohttpConnector
    from edgeworker.testing.httpx_transport import HttpxTransport
    from edgeworker.testing.load_balancing import LoadBalancing
    from edgeworker.testing.server_issuer import Server
    from edgeworker.testing.shield_access import ShieldAccess

T = TypeVar("T")

# What a configuration without an origin gets, so that `fetch(request)` of a worker has somewhere to go.
ORIGIN: Final = "http://origin.test"
_numbers: Final = itertools.count(1)


class Routes:
    """Which route takes a URL, and why."""

    def __init__(self, config: Config) -> None:
        self._resolver = Resolver(config)

    def explain(self, url: str) -> Explanation:
        return self._resolver.explain(URL.parse(url))


class LocalEdge:
    """One edge with its own clock, origin and KV, all in memory. `number` counts the edges of this process.

    Async code: `await edge.fetch(url, ...)`. Code without async: `edge.get(url)`, `edge.post(url)`, ..., and
    `edge.run(...)` for what is a coroutine. Scripts are loaded at the first request. `with`, `async with`, `close()` or
    `aclose()` end it.
    """

    def __init__(
        self,
        config: Config,
        *,
        clock: MovableClock | None = None,
        origin: Origin | None = None,
        faults: FaultInjection | None = None,
    ) -> None:
        """Raises ConfigError for invalid routes and zones."""
        self.clock = clock or MovableClock()
        if any(worker.is_javascript for worker in config.workers):
            config = with_movable_time(config, self.clock)
        self.config = replace(config, origin=config.origin or ORIGIN, trigger_urls=True)
        self.origin = origin or Origin(self.clock)
        self.faults = (faults or FaultInjection()).seeded(0)
        self.number = next(_numbers)
        self.routes = Routes(self.config)
        if config.origin is None:
            # A zone alone names no host. What stands behind its products nothing else names, though.
            zones = tuple(zone for zone in config.zones if zone.products)
            self.origin.answer_only_for(ORIGIN, ServedHosts(replace(config, zones=zones)))
        self._engine = EdgeLoop(self.config, self.clock, self.origin, self.faults)

    # Requests

    async def fetch(self, url: str, *, method: str = "GET", **options: Unpack[CallOptions]) -> Reply:
        """The whole answer of the edge to one request, as from outside: the client's word about itself is not taken.

        `url` may be a path: then the worker answers that takes what no route takes.

        Raises:
            ConfigError, ScriptError: the edge cannot start; this is the first request.
            InvalidURL: it is not a URL.
            RuntimeError: the answer waits for the clock, which the test does not move.
        """
        request = request_of(method, url, options).replace(trace=Trace(self.clock.monotonic()))
        engine = self._engine

        async def whole() -> Reply:
            return await reply_of(await engine.answer(request), request)

        return await engine.home.wait(lambda: engine.watched(whole))

    @contextlib.asynccontextmanager
    async def stream(self, url: str, *, method: str = "GET", **options: Unpack[CallOptions]) -> AsyncIterator[Response]:
        """The answer before its body was read: `async for piece in response.body.stream()`. For async tests only."""
        request = request_of(method, url, options)
        if not self._engine.home.is_here:
            raise RuntimeError("stream() works on the event loop that the edge lives on: that of an async test")
        response = await self._engine.watched(lambda: self._engine.answer(request))
        try:
            yield response
        finally:
            await response.close()

    def request(self, method: str, url: str, **options: Unpack[CallOptions]) -> Reply:
        """`fetch` for tests without async."""
        return self._engine.home.run(lambda: self.fetch(url, method=method, **options))

    def get(self, url: str, **options: Unpack[CallOptions]) -> Reply:
        return self.request("GET", url, **options)

    def head(self, url: str, **options: Unpack[CallOptions]) -> Reply:
        return self.request("HEAD", url, **options)

    def options(self, url: str, **options: Unpack[CallOptions]) -> Reply:
        return self.request("OPTIONS", url, **options)

    def post(self, url: str, **options: Unpack[CallOptions]) -> Reply:
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Unpack[CallOptions]) -> Reply:
        return self.request("PUT", url, **options)

    def patch(self, url: str, **options: Unpack[CallOptions]) -> Reply:
        return self.request("PATCH", url, **options)

    def delete(self, url: str, **options: Unpack[CallOptions]) -> Reply:
        return self.request("DELETE", url, **options)

    def run(self, work: Coroutine[object, object, T]) -> T:
        """Any coroutine on the edge's loop, from a test without async: `edge.run(edge.settle())`."""
        written: object = work
        if not inspect.iscoroutine(written):
            raise TypeError(f'edge.run() takes a coroutine, not {work!r}; write edge.run(edge.fetch("/"))')
        try:
            return self._engine.home.run(lambda: work)
        except RuntimeError:
            work.close()
            raise

    @property
    def url(self) -> str:
        """The base URL of a real port, for browsers, other processes and other languages. Opened at the first use.

        In an async test the port is served whenever the test waits for something.
        """
        return f"http://127.0.0.1:{self._engine.port()}"

    async def answer(self, request: Request, /) -> Response:
        """One request of the core, as a transport makes it."""
        return await self._engine.home.wait(lambda: self._engine.answer(request))

    def httpx_transport(self) -> "HttpxTransport":
        """For `httpx.Client(transport=...)` and `httpx.AsyncClient(transport=...)`; every host is this edge."""
        from edgeworker.testing.httpx_transport import HttpxTransport

        return HttpxTransport(self)

    def aiohttp_connector(self) -> "AiohttpConnector":
        """For `aiohttp.ClientSession(connector=...)` in an async test; every host is this edge."""
        from edgeworker.testing.aiohttp_connector import AiohttpConnector

        return AiohttpConnector(self)

    # Time, KV, events

    async def settle(self) -> None:
        """Runs what is due by the clock, in order, and waits for what scripts gave to waitUntil."""
        await self._engine.home.wait(self._engine.settle)

    def kv(self, name: str | None = None) -> KVAccess:
        """A namespace by its binding, title or id; without a name the only one there is. Raises LookupError."""
        namespace = KVNamespace(self._engine.store, namespace_id(self.config, name), self.clock)
        return KVAccess(namespace, self._engine.at_once)

    @property
    def store(self) -> KVStore:
        """All namespaces, for a REST API in front of them."""
        return self._engine.store

    async def cron(self, expression: str | None = None, *, worker: str | None = None) -> None:
        """Fires the `scheduled` handler of the worker that has this trigger, at the clock's time.

        Without an expression it is the only trigger that there is. `worker` chooses among several that have it.

        Raises:
            LookupError: no worker has the trigger, or more than one: what is not configured does not fire.
            ScriptFailure: what the handler raised.
        """
        name, trigger = self._trigger(expression, worker)
        event = Scheduled(trigger, self.clock.now_ms())
        await self._engine.home.wait(lambda: self._engine.scheduled(name, event))

    # Helpers of products, one property each, made when they are first asked for.

    @cached_property
    def load_balancing(self) -> "LoadBalancing":
        """Which origins of load balancers are healthy, to be seen and set."""
        from edgeworker.testing.load_balancing import LoadBalancing

        return LoadBalancing(self.config, self._engine.origins, self.clock, self._engine.edge)

    @cached_property
    def shield(self) -> "ShieldAccess":
        """API Shield of this edge: what it recorded, its objects over the API, and why it decides as it does."""
        from edgeworker.testing.shield_access import ShieldAccess

        return ShieldAccess(self.config, self._engine)

    @cached_property
    def issuer(self) -> TokenIssuer:
        """Access tokens: `edge.issuer.token(split=True)` is published in the namespace `edge.issuer.namespace`.

        Where the OAuth server of scripts/oauth runs, they are that server's own: see OAuthServerIssuer.
        """
        if (server := self._oauth_server()) is not None:
            from edgeworker.testing.server_issuer import OAuthServerIssuer

            return OAuthServerIssuer(server, self.clock, self.kv, self.origin)

        def publish(namespace: str, key: str, value: str, expiration: int) -> None:
            self.kv(namespace).put(key, value, expiration=expiration)

        return TokenIssuer(self.clock, publish, self.origin)

    @cached_property
    def access(self) -> "AccessHelper":
        """Cloudflare Access: `edge.access.login("ada@example.com").headers` open an application.

        Raises LookupError where the configuration has no [access].
        """
        from edgeworker.testing.access import AccessHelper

        return AccessHelper(self.config, self._engine.state, self.clock, self._engine.at_once)

    def _oauth_server(self) -> "Server | None":
        if all(worker.main is None or worker.main.name != "token_worker.py" for worker in self.config.workers):
            return None
        from edgeworker.testing.server_issuer import server_of

        return server_of(self.config)

    # What happened

    @property
    def logs(self) -> list[LogLine]:
        """What the edge and its scripts logged while they answered, oldest first."""
        return self._engine.logs

    @property
    def exchanges(self) -> list[RecordedCall]:
        """All requests with their outcomes, oldest first."""
        return self._engine.exchanges

    @property
    def trace(self) -> Trace:
        """The way of the last request. Raises LookupError where there was none."""
        if not self.exchanges:
            raise LookupError("no request was made yet")
        return self.exchanges[-1].trace

    def report(self) -> list[str]:
        """Each request's way through the edge, as lines for a person."""
        return [line for exchange in self.exchanges for line in exchange.lines()]

    # Its life

    async def start(self) -> None:
        """Loads the scripts now. Raises ConfigError or ScriptError."""
        await self._engine.home.wait(self._engine.edge)

    async def aclose(self) -> None:
        """Ends the edge, from async code. Work of waitUntil that still goes on is cancelled."""
        engine = self._engine
        if engine.home.reachable and not engine.closed:
            await engine.home.wait(engine.shut)
        engine.abandon()
        engine.home.close()

    def close(self) -> None:
        """Ends the edge, from code without async."""
        engine = self._engine
        if engine.home.reachable and not engine.closed:
            engine.home.run(engine.shut)
        engine.abandon()
        engine.home.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _trigger(self, expression: str | None, worker: str | None) -> tuple[str, str]:
        """(worker, expression) of the trigger."""
        triggers = [
            (each.name, cron)
            for each in self.config.workers
            for cron in each.crons
            if worker in (None, each.name) and expression in (None, cron)
        ]
        if len(triggers) == 1:
            return triggers[0]
        there = {each.name: list(each.crons) for each in self.config.workers}
        wanted = "what cron() would fire" if expression is None else f'"{expression}"'
        of = "one worker" if worker is None else f'worker "{worker}"'
        raise LookupError(f"{wanted} is not the trigger of {of}; there are, as [triggers] crons has them: {there}")
