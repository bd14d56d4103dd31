"""Holds connections that scripts make by the event loop to the outbound policy, where the loop opens them in C.

asyncio's own loop opens them with the `socket` module (edgeworker.runtime.python.socket_guard); uvloop does not.
Its `run_until_complete()` is written in C too, so scripts get theirs here (edgeworker.runtime.python.blocking_loop).
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import TypeVar

from edgeworker.runtime.contract.script_frames import calling_script
from edgeworker.runtime.python import blocking_loop, process_guard, socket_guard

_T = TypeVar("_T", bound=asyncio.AbstractEventLoop)


def guarded(loop_class: type[_T]) -> Callable[[], asyncio.AbstractEventLoop]:
    """Makes loops of the class that ask, for scripts, where a connection may go. TLS keeps the name that was given."""

    async def look_up(loop: asyncio.AbstractEventLoop, kind: int, host: str, port: int) -> list[object]:
        return [*await loop.getaddrinfo(host, port, type=kind)]

    class Guarded(loop_class):  # type: ignore[misc, valid-type]  # a class that is known at run time only
        def run_until_complete(self, future: Awaitable[object]) -> object:
            return blocking_loop.run_until_complete(super().run_until_complete, future)

        async def create_connection(
            self, protocol_factory: object, host: object = None, port: object = None, **options: object
        ) -> object:
            if host is not None and (script := calling_script()) is not None:
                if options.get("ssl") and options.get("server_hostname") is None:
                    options["server_hostname"] = host
                kind = socket.SOCK_STREAM
                host = await socket_guard.check_target(
                    script, host, port, lambda *ask: self.getaddrinfo(*ask, type=kind)
                )
            return await super().create_connection(protocol_factory, host, port, **options)

        async def create_datagram_endpoint(
            self, protocol_factory: object, local_addr: object = None, remote_addr: object = None, **options: object
        ) -> object:
            if (script := calling_script()) is not None and options.get("sock") is None:
                if not isinstance(remote_addr, tuple) or len(remote_addr) < 2:
                    raise socket_guard.refused("a script's datagrams go to one address, which remote_addr names")
                host, port, *more = remote_addr
                kind = socket.SOCK_DGRAM
                host = await socket_guard.check_target(
                    script, host, port, lambda *ask: self.getaddrinfo(*ask, type=kind)
                )
                remote_addr = (host, port, *more)
            return await super().create_datagram_endpoint(protocol_factory, local_addr, remote_addr, **options)

        async def create_server(self, *arguments: object, **options: object) -> object:
            process_guard.check(socket_guard.LISTENING)
            return await super().create_server(*arguments, **options)

        async def create_unix_server(self, *arguments: object, **options: object) -> object:
            process_guard.check(socket_guard.LISTENING)
            return await super().create_unix_server(*arguments, **options)

        async def subprocess_exec(self, *arguments: object, **options: object) -> object:
            process_guard.check("a process by asyncio")
            return await super().subprocess_exec(*arguments, **options)

        async def subprocess_shell(self, *arguments: object, **options: object) -> object:
            process_guard.check("a process by asyncio")
            return await super().subprocess_shell(*arguments, **options)

        async def create_unix_connection(
            self, protocol_factory: object, path: object = None, **options: object
        ) -> object:
            if path is not None and calling_script() is not None:
                raise socket_guard.refused(f"{path!r}: scripts open sockets to internet addresses only")
            return await super().create_unix_connection(protocol_factory, path, **options)

    Guarded.__module__, Guarded.__name__, Guarded.__qualname__ = loop_class.__module__, "Loop", "Loop"
    return Guarded
