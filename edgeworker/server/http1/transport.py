"""The transports of asyncio and of uvloop, as one type."""

import asyncio
import contextlib
import os
import socket as sockets
import struct
from asyncio.trsock import TransportSocket
from typing import TYPE_CHECKING, Protocol, runtime_checkable


@runtime_checkable
class HasFileno(Protocol):
    def fileno(self) -> int: ...


def as_transport(transport: asyncio.BaseTransport) -> asyncio.Transport:
    """What `connection_made` is given. uvloop's transports have the methods of asyncio.Transport but not its class."""
    if TYPE_CHECKING:
        assert isinstance(transport, asyncio.Transport)
    return transport


def reset_when_closed(transport: asyncio.Transport) -> None:
    """Make the other end see an error instead of an end: the connection is reset, and bytes on their way are lost."""
    # The two numbers of struct linger: on, for no time.
    linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
    given: object = transport.get_extra_info("socket")
    if isinstance(given, TransportSocket):
        given.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, linger)
    elif isinstance(given, HasFileno):
        # uvloop's cannot set options; a second descriptor of the same connection can.
        with contextlib.suppress(OSError), sockets.socket(fileno=os.dup(given.fileno())) as socket:
            socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, linger)
