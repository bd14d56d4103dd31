"""File descriptors: how many this process may open, and one clear line when they are used up."""

import asyncio
import errno
import logging
import os
from dataclasses import replace
from typing import Final

from edgeworker.clock import Clock
from edgeworker.config import Config

_log = logging.getLogger(__name__)

_RESERVED: Final = 64  # files, databases, the sockets themselves
_MOST: Final = 1_048_576
_LOOK_EVERY_SECONDS: Final = 1.0
_USED_UP: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def raise_limit() -> int:
    """As many as the system allows to this process; how many that are."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return _MOST
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return min(soft, _MOST) if soft != resource.RLIM_INFINITY else _MOST


def allowed_descriptors() -> int:
    """How many `raise_limit` would give; changes nothing."""
    try:
        import resource
    except ImportError:
        return _MOST
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)


def wanted_descriptors(connections: int) -> int:
    """For so many connections of clients, each with one to an origin."""
    return 2 * connections + _RESERVED


def connection_limit(descriptors: int) -> int:
    """A connection of a client may need one to an origin too."""
    return max(16, (descriptors - _RESERVED) // 2)


def with_connection_limit(config: Config, descriptors: int) -> Config:
    """With a bound of all connections, if there is none."""
    limits = config.limits
    return replace(config, limits=replace(limits, connections=limits.connections or connection_limit(descriptors)))


class DescriptorWatch:
    """One line when file descriptors are used up, and one when that is over.

    asyncio by itself logs a traceback each second then, and uvloop, which closes each connection that it cannot keep,
    says nothing. Connections are accepted again when some are free.
    """

    def __init__(self, clock: Clock, descriptors: int) -> None:
        self._clock = clock
        self._descriptors = descriptors
        self._since: float | None = None

    def handle(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """For `loop.set_exception_handler`."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in _USED_UP and "accept" in str(context.get("message")):
            self._tell()
        else:
            loop.default_exception_handler(context)

    async def run(self) -> None:
        """Looks each second, until it is cancelled."""
        while True:
            self.look()
            await self._clock.sleep(_LOOK_EVERY_SECONDS)

    def look(self) -> None:
        try:
            os.close(os.open(os.devnull, os.O_RDONLY))
        except OSError as error:
            if error.errno in _USED_UP:
                self._tell()
            return
        if self._since is not None:
            _log.warning("file descriptors are free again, after %.0f s", self._clock.monotonic() - self._since)
            self._since = None

    def _tell(self) -> None:
        if self._since is not None:
            return
        self._since = self._clock.monotonic()
        _log.error(
            "no more file descriptors (%d may be open): new connections have to wait or are closed. Lower "
            "limits.connections in edge.toml, or raise LimitNOFILE of the service",
            self._descriptors,
        )
