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
    """The transport that `connection_made` receives.

    uvloop's transports have the methods of asyncio.Transport but not its class.
    """
    if TYPE_CHECKING:
        assert isinstance(transport, asyncio.Transport)
    return transport


def reset_when_closed(transport: asyncio.Transport) -> None:
    """Make the other end see an error instead of an end: the connection is reset, and bytes on their way are lost."""
    # The two numbers of struct linger: on, for no time.
    linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
    raw_socket: object = transport.get_extra_info("socket")
    if isinstance(raw_socket, TransportSocket):
        raw_socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, linger)
    elif isinstance(raw_socket, HasFileno):
        # uvloop's cannot set options; a second descriptor of the same connection can.
        with contextlib.suppress(OSError), sockets.socket(fileno=os.dup(raw_socket.fileno())) as socket:
            socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, linger)
