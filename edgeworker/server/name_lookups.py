"""Looks names of servers up: requests that need one name at the same time share one look-up.

The system's look-ups take threads, of which there are few: a name server that is silent would keep all of them with one
name, and other names, or a reload, would wait behind it.
"""

import asyncio
import socket
from collections.abc import Sequence
from contextvars import Context
from ipaddress import ip_address


class NameLookups:
    def __init__(self) -> None:
        self._under_way: dict[tuple[str, int], asyncio.Task[list[str] | str]] = {}

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Those of the name, each once, in the order of the system's preference. Raises OSError."""
        if _is_address(host):
            return [host]
        key = host, port
        task = self._under_way.get(key)
        if task is None:
            # In a context of its own: this is the edge's work, also where a script waits for it.
            task = asyncio.get_running_loop().create_task(_look_up(host, port), context=Context())
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        # Several may wait for it; cancelling one must not cancel it for the others.
        found = await asyncio.shield(task)
        if isinstance(found, str):
            raise OSError(found)
        return found


async def _look_up(host: str, port: int) -> list[str] | str:
    """The addresses, or what is wrong: an error that several raise would collect the frames of all."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label that is too long for the resolver
        return str(error)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
