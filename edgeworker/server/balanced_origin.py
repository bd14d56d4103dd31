"""The origins of a load balancer as one handler: chooses one, asks another one where that is safe, and counts."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from edgeworker.balancing.board import OriginBoard, OriginRecord
from edgeworker.balancing.health import after_request
from edgeworker.balancing.policy import AllBusy, NoneLeft, UseOrigin, choose_origin, may_retry
from edgeworker.balancing.settings import LoadBalancer, OriginServer
from edgeworker.clock import Clock
from edgeworker.errors import OriginError
from edgeworker.handler import Handler
from edgeworker.messages import Body, Request, Response, Upgrade
from edgeworker.messages.body import Closable
from edgeworker.messages.log_fields import log_fields

EDGE_HAS_NO_ROOM: Final = 503

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BalancedServer:
    """One origin of a load balancer: its settings, the handler that sends it requests, and its record."""

    balancer: LoadBalancer
    server: OriginServer
    handler: Handler
    record: OriginRecord


class BalancedOrigin:
    """A Handler. Raises OriginError: that of the last origin tried, or 503 if each one has too many requests."""

    def __init__(
        self,
        balancer: LoadBalancer,
        origin_at: Callable[[str], Handler],
        board: OriginBoard,
        clock: Clock,
        random_value: Callable[[], float],
    ) -> None:
        """`random_value` gives a number that is at least 0 and less than 1."""
        self.balancer = balancer
        self.servers: Sequence[BalancedServer] = [
            BalancedServer(balancer, server, origin_at(server.url), board.record(balancer.name, server.url))
            for server in balancer.origins
        ]
        self._clock = clock
        self._random_value = random_value

    async def fetch(self, request: Request, /) -> Response:
        total = self.balancer.total_timeout_seconds
        if total is None:
            return await self._fetch_with_retries(request, None)
        deadline = asyncio.get_running_loop().time() + total
        try:
            async with asyncio.timeout_at(deadline) as timer:
                return await self._fetch_with_retries(request, deadline)
        except TimeoutError as error:
            if not timer.expired():
                raise
            raise OriginError(self._too_late(), status=524) from error

    async def _fetch_with_retries(self, request: Request, deadline: float | None) -> Response:
        body = request.body
        content = None if body is None else body.complete
        tried: list[int] = []
        failure: OriginError | None = None
        try:
            while True:
                index, use = self._take_place(request, tried, failure)
                one = self.servers[index]
                if tried and content is not None:
                    request = request.replace(body=Body(content))
                try:
                    return await self._fetch_from(one, use, request, deadline, is_first=not tried)
                except OriginError as error:
                    tried.append(index)
                    can_be_sent = body is None or content is not None or not body.used
                    again = may_retry(request.method, nothing_sent=error.nothing_sent, body_is_there=can_be_sent)
                    left = sum(server.enabled for server in self.balancer.origins) - len(tried)
                    if not again or not left or len(tried) > self.balancer.retries:
                        raise
                    failure = error
                    one.record.retries += 1
                    told = {**log_fields(request), "repeats": f"retry {one.server.url}: {error.status}"}
                    _log.warning("origin %s: %s; another one is asked", one.server.url, error, extra=told)
                    if request.trace is not None:
                        request.trace.add("error", f"origin {one.server.url}: {error}", now=self._clock.monotonic())
        finally:
            failure = None  # else it holds itself by its traceback, until garbage is looked for

    def _take_place(
        self, request: Request, tried: Sequence[int], failure: OriginError | None
    ) -> "tuple[int, _InFlightRequest]":
        """Choose an origin and count the request there. Another process may have counted its own in the same moment:
        what is one too many is taken back, so that `max_connections` is never exceeded."""
        for _ in self.servers:
            index = self._choose(request, tried, failure)
            use = _InFlightRequest(self.servers[index], self._clock)
            if not use.is_one_too_many:
                return index, use
            use.end()
        raise self._all_busy()

    def _too_late(self) -> str:
        return (
            f"load balancer {self.balancer.name} did not answer within {self.balancer.total_timeout_seconds:g} seconds"
        )

    def _all_busy(self) -> OriginError:
        text = f"each origin of load balancer {self.balancer.name} has as many requests as max_connections says"
        return OriginError(text, status=EDGE_HAS_NO_ROOM, nothing_sent=True)

    def _choose(self, request: Request, tried: Sequence[int], failure: OriginError | None) -> int:
        records = [one.record for one in self.servers]
        now = self._clock.monotonic()
        decision = choose_origin(
            self.balancer.origins,
            [record.health for record in records],
            [
                record.in_use if server.max_connections is None else record.in_use_by_all
                for record, server in zip(records, self.balancer.origins, strict=True)
            ],
            now=now,
            random_value=self._random_value(),
            tried=tried,
        )
        match decision:
            case UseOrigin(index, why):
                if request.trace is not None:
                    request.trace.add("origin", f"{self.balancer.origins[index].url} ({why})", now=now)
                return index
            case AllBusy():
                none = self._all_busy()
            case NoneLeft():
                none = OriginError(f"load balancer {self.balancer.name} has no enabled origin", status=521)
        try:
            raise failure or none
        finally:
            del failure, none  # else it holds itself by its traceback, until garbage is looked for

    async def _fetch_from(
        self,
        one: BalancedServer,
        use: "_InFlightRequest",
        request: Request,
        deadline: float | None,
        *,
        is_first: bool,
    ) -> Response:
        record, begun = one.record, self._clock.monotonic()
        record.requests += 1
        try:
            response = await one.handler.fetch(request)
        except OriginError as error:
            use.fail(error)
            raise
        except BaseException:
            was_sent = request.body is None or request.body.complete is not None
            if is_first and was_sent and _is_past(deadline):  # it alone has used up the total timeout
                use.fail(OriginError(self._too_late(), status=524))
            # The client left, or its body failed or did not come: that says nothing about the origin.
            use.end()
            raise
        record.durations.add(self._clock.monotonic() - begun)
        body = response.body
        if response.upgrade is not None:
            use.succeed(is_over=False)
            response.upgrade = _CountedUpgrade(response.upgrade, use)
        elif body is None or body.complete is not None:
            use.succeed()
        else:
            response.body = Body(_CountedBody(body, use, deadline), length=body.length)
        return response


class _InFlightRequest:
    """Counts a request as in flight to an origin, until it ends for the first time."""

    __slots__ = ("_clock", "_ended", "_is_bounded", "_one")

    def __init__(self, one: BalancedServer, clock: Clock) -> None:
        self._one = one
        self._clock = clock
        self._ended = False
        self._is_bounded = one.server.max_connections is not None
        one.record.change_in_use(1, is_bounded=self._is_bounded)

    @property
    def is_one_too_many(self) -> bool:
        most = self._one.server.max_connections
        return most is not None and self._one.record.in_use_by_all > most

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            self._one.record.change_in_use(-1, is_bounded=self._is_bounded)

    def succeed(self, *, is_over: bool = True) -> None:
        """The whole answer came, or what follows it is not HTTP: the origin's failures in a row end."""
        record = self._one.record
        record.health = after_request(record.health, self._one.balancer, failed=False, now=self._clock.monotonic())
        if is_over:
            self.end()

    def fail(self, error: OriginError) -> None:
        if self._ended:
            return
        self.end()
        if error.status == EDGE_HAS_NO_ROOM or error.sender_stalled:
            return  # which says nothing about the origin
        record, now = self._one.record, self._clock.monotonic()
        was_healthy = record.health.is_healthy(now)
        record.add_failure(str(error), now=self._clock.now())
        record.health = after_request(record.health, self._one.balancer, failed=True, now=now)
        if was_healthy and not record.health.is_healthy(now):
            seconds = self._one.balancer.fail_seconds
            _log.warning("origin %s failed too often and is left alone for %g s: %s", record.url, seconds, error)


class _CountedBody:
    """A response's body, whose request is in flight until its end. `deadline` is in seconds of the event loop."""

    __slots__ = ("_body", "_deadline", "_pieces", "_use")

    def __init__(self, body: Body, use: _InFlightRequest, deadline: float | None) -> None:
        self._body = body
        self._pieces = body.stream()
        self._use = use
        self._deadline = deadline

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            if self._deadline is None:
                return await anext(self._pieces)
            return await self._next_until(self._deadline)
        except StopAsyncIteration:
            self._use.succeed()
            raise
        except OriginError as error:
            self._use.fail(error)
            raise
        except BaseException:
            self._use.end()
            raise

    async def aclose(self) -> None:
        self._use.end()
        if isinstance(self._pieces, Closable):
            await self._pieces.aclose()

    def __del__(self) -> None:
        self._use.end()

    async def _next_until(self, deadline: float) -> bytes:
        if _is_past(deadline):
            self._use.end()  # its client took the answer too slowly, which says nothing about the origin
        try:
            async with asyncio.timeout_at(deadline):
                return await anext(self._pieces)
        except TimeoutError as error:
            raise OriginError("the answer did not end within the total timeout", status=524) from error


def _is_past(deadline: float | None) -> bool:
    return deadline is not None and asyncio.get_running_loop().time() >= deadline


class _CountedUpgrade:
    __slots__ = ("_upgrade", "_use")

    def __init__(self, upgrade: Upgrade, use: _InFlightRequest) -> None:
        self._upgrade = upgrade
        self._use = use

    async def receive(self) -> bytes:
        return await self._upgrade.receive()

    async def send(self, data: bytes) -> None:
        await self._upgrade.send(data)

    def close(self) -> None:
        self._use.end()
        self._upgrade.close()

    def __del__(self) -> None:
        self._use.end()
