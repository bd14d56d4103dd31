"""Runs an edge from its first socket to its last: `dev`, the demos and `test-server` start and stop theirs here."""

import asyncio
import socket as sockets
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeworker.clock import Clock
from edgeworker.config import Config
from edgeworker.host.signals import stop_on_signals
from edgeworker.host.sockets import Behind, Sockets

# Opens what answers; what it gives to the stack is closed after the sockets.
Opener = Callable[[AsyncExitStack], Awaitable[Behind]]


@dataclass(frozen=True, slots=True)
class RunningEdge:
    """An edge that answers on its sockets. `stop` is set by SIGINT and SIGTERM."""

    sockets: Sockets
    behind: Behind
    stop: asyncio.Event
    _stack: AsyncExitStack

    @property
    def urls(self) -> dict[str, str]:
        return self.sockets.urls

    async def run_beside(self, work: Coroutine[object, object, None]) -> None:
        """Runs `work` until the edge stops; if it fails, the edge stops with its error."""
        await self._stack.enter_async_context(running_beside(work))


@asynccontextmanager
async def serve(
    config: Config,
    open_behind: Opener,
    *,
    clock: Clock,
    drain_seconds: float,
    data: Path | None = None,
    address: sockets.socket | None = None,
    tls_clock: Clock | None = None,
) -> AsyncIterator[RunningEdge]:
    """Serves what `open_behind` opens on the sockets of `config` until the block ends.

    Requests under way then have `drain_seconds`. `data` is where the local authority of https is kept; `address` is
    bound already and takes the place of `config.edge_socket`. `tls_clock` is the time that clients of https go by,
    where `clock` is another.

    Raises what can be wrong with a configuration, a script, a store or a socket (EdgeworkerError); nothing stays open.
    """
    with stop_on_signals() as stop:
        async with AsyncExitStack() as stack:
            behind = await open_behind(stack)
            opened = await Sockets.open(
                config,
                behind,
                clock,
                stack,
                data=data,
                drain_seconds=drain_seconds,
                address=address,
                tls_clock=tls_clock,
            )
            if behind.assembly is not None or opened.tls is not None:
                await stack.enter_async_context(running_beside(opened.watch(clock)))
            if behind.work is not None:
                await stack.enter_async_context(running_beside(behind.work()))
            yield RunningEdge(opened, behind, stop, stack)


@asynccontextmanager
async def running_beside(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """`work` runs beside the block and is cancelled after it; if it fails, so does the block."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        try:
            yield
        finally:
            task.cancel()
