"""What is behind an edge in a test: the core's edge on its loop, its memory, its background work and its port."""

import asyncio
import socket as sockets
from collections.abc import Awaitable, Callable, Coroutine
from functools import cached_property
from typing import Final, TypeVar

from edgeworker.balancing.board import OriginBoard
from edgeworker.config import Config, Socket
from edgeworker.edge import Edge, PersistentServices, build
from edgeworker.errors import EdgeworkerError
from edgeworker.handler import Background, Handler, Services
from edgeworker.host.cloudflare_api import LocalCloudflareAPI
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.store import KVStore
from edgeworker.messages import Request, Response
from edgeworker.runtime import Scheduled
from edgeworker.server.listener import Listener, listen_on
from edgeworker.state import MemoryState, State
from edgeworker.testing.calls import RecordedCall
from edgeworker.testing.clock import MovableClock
from edgeworker.testing.faults import FaultInjection, OriginMisfortune, stores
from edgeworker.testing.home import Home
from edgeworker.testing.log_lines import LogLine, collect_lines
from edgeworker.testing.origin import Origin
from edgeworker.testing.settling import CronTriggers, settle
from edgeworker.trace import Trace

T = TypeVar("T")

_HOST: Final = "127.0.0.1"
API_TOKEN: Final = "the-api-token-of-this-test"
# How long a request may stand still for the clock before the test gets an error; real seconds.
_PATIENCE_SECONDS: Final = 5.0


class EdgeLoop:
    """Use LocalEdge. Every method that is a coroutine runs on the edge's loop: call it through `home`."""

    def __init__(self, config: Config, clock: MovableClock, origin: Origin, faults: FaultInjection) -> None:
        self.config = config
        self.home = Home()
        self._memory = MemoryStore()
        self._stores = stores(faults, self._memory, clock)
        self.state: State = MemoryState(clock)
        self.origins = OriginBoard()
        self.logs: list[LogLine] = []
        self.exchanges: list[RecordedCall] = []
        self._clock = clock
        self._origin = origin
        self._background = Background()
        self._triggers = CronTriggers(config.workers, self.scheduled, clock)
        self._edge: Edge | None = None
        self._starting: asyncio.Lock | None = None
        self._address: sockets.socket | None = None
        self._opening: asyncio.Future[None] | None = None
        self._listener: Listener | None = None
        self.closed = False
        if faults.origin_failures:
            origin.misfortune = OriginMisfortune(faults)

    @property
    def store(self) -> KVStore:
        """As the test's own hand reaches it."""
        return self._stores.own

    async def edge(self) -> Edge:
        """The edge; its scripts are loaded when it is first asked for. Raises ConfigError or ScriptError."""
        if self._edge is not None:
            return self._edge
        if self.closed:
            raise RuntimeError("this edge is closed")
        if self._starting is None:
            self._starting = asyncio.Lock()
        async with self._starting:
            if self._edge is None:
                services = Services(
                    clock=self._clock,
                    background=self._background,
                    internet=self._internet(),
                    origin_at=self._origin.at,
                )
                persistent = PersistentServices(self.state, origins=self.origins)
                if self.config.products:
                    from edgeworker.testing.access_keys import prepare_keys

                    await prepare_keys(self.config, self.state, self._clock)
                self._edge = await build(self.config, services, self._stores.scripts, persistent)
        return self._edge

    def _internet(self) -> Handler:
        internet = self._origin.internet
        return LocalCloudflareAPI(self.api, internet) if self.config.cloudflare_api_for_workers else internet

    def now_ms(self) -> int:
        return self._clock.now_ms()

    @cached_property
    def api(self) -> Handler:
        """The REST API of this edge, whose token is API_TOKEN."""
        from wrangler_compat.api import Authenticator, OneToken, V4Api

        authenticator = Authenticator([OneToken(API_TOKEN)], clock=self._clock)
        return V4Api(self.config, self._stores.own, authenticator, clock=self._clock, state=self.state)

    async def answer(self, request: Request) -> Response:
        """One request from outside; its trace is kept in `exchanges`, whatever becomes of it."""
        trace = request.trace or Trace(self._clock.monotonic())
        outcome = "failed"
        with collect_lines(self.logs):
            try:
                edge = await self.edge()
                response = await edge.fetch(request.replace(trace=trace))
                outcome = str(response.status)
            except EdgeworkerError as error:
                outcome = f"{type(error).__name__}: {error}"
                raise
            finally:
                place = f"{request.url.origin}{request.url.path}"
                self.exchanges.append(RecordedCall(request.method, place, outcome, trace))
        return response

    async def watched(self, work: Callable[[], Coroutine[object, object, T]]) -> T:
        """Raises RuntimeError where `work` stands still because it sleeps by a clock that is not moved."""
        began = self._clock.now_ms()
        left = 0.0
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as guard:

                def look() -> None:
                    nonlocal left
                    due = self._clock.next_due_ms
                    if due is not None and self._clock.now_ms() == began:
                        left = (due - began) / 1000
                        guard.reschedule(loop.time())

                timer = loop.call_later(_PATIENCE_SECONDS, look)
                try:
                    return await work()
                finally:
                    timer.cancel()
        except TimeoutError:
            if not guard.expired():
                raise
            raise RuntimeError(
                "the answer waits for the clock, which the test does not move: begin the request as a task, then "
                f"clock.advance({left:g}) and await edge.settle()"
            ) from None

    async def settle(self) -> None:
        with collect_lines(self.logs):
            await settle(self._clock, self._background, self._triggers)

    async def scheduled(self, worker: str, event: Scheduled) -> None:
        with collect_lines(self.logs):
            edge = await self.edge()
            await edge.scheduled(worker, event)

    def port(self) -> int:
        """Of a real socket, which is opened at the first call."""
        if self._address is None:
            address = self._address = sockets.create_server((_HOST, 0))
            if self.home.is_here:
                self._opening = asyncio.ensure_future(self._listen(address))
            else:
                self.home.turn()
                self.home.run(lambda: self._listen(address))
        port: int = self._address.getsockname()[1]
        return port

    def at_once(self, work: Callable[[], Awaitable[T]]) -> T:
        """Work of the store in memory, which never waits, without asking whether a loop runs here."""

        async def done() -> T:
            return await work()

        return self.home.run(done) if self.home.elsewhere else run_to_end(done())

    async def shut(self) -> None:
        """Lets go of port, background work and scripts."""
        self.closed = True
        if self._opening is not None:
            await self._opening
        if self._listener is not None:
            await self._listener.close(0)
        await self._background.drain(timeout_seconds=0)
        await self._forget()

    def abandon(self) -> None:
        """What can be let go of without the loop, which may have ended."""
        self.closed = True
        if self._address is not None:
            self._address.close()
        run_to_end(self._forget())

    async def _forget(self) -> None:
        edge, self._edge = self._edge, None
        if edge is not None:
            await edge.close()
        await self._memory.close()
        await self.state.close()

    async def _listen(self, address: sockets.socket) -> None:
        socket = Socket(_HOST, address.getsockname()[1])
        self._listener = await listen_on(address, _Port(self), socket, limits=self.config.limits, clock=self._clock)


class _Port:
    """The edge as the handler behind its port."""

    def __init__(self, engine: EdgeLoop) -> None:
        self._engine = engine

    async def fetch(self, request: Request, /) -> Response:
        return await self._engine.answer(request)


def run_to_end(work: Coroutine[object, object, T]) -> T:
    """The result of a coroutine that waits for nothing. Raises AssertionError where it does wait."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise AssertionError("work in memory waits for nothing")
