"""Lines for a program that reads a pipe or a socket, and may be slow or stuck: no request waits for it.

What it does not take at once waits in memory, up to a bound. Lines of several processes go through one pipe, and each
that is not longer than PIPE_BUF arrives whole.
"""

import os
import select
import socket
import stat
import sys
import time
import weakref
from collections.abc import Callable
from functools import partial
from typing import Final, Self, TextIO

MOST_WAITING_BYTES: Final = 1024 * 1024
_LINE_END: Final = 10


class PipedLines:
    def __init__(self, descriptor: int, send: Callable[[bytes], int]) -> None:
        """Use `over`."""
        self._descriptor = descriptor
        self._send = send
        self._waiting = bytearray()
        self._process = os.getpid()
        self._is_torn = False  # the last line that was sent lacks its end

    @classmethod
    def over(cls, stream: TextIO) -> Self | None:
        """None for a stream that is neither a pipe nor a socket."""
        try:
            descriptor = stream.fileno()
            mode = os.fstat(descriptor).st_mode
        except (OSError, ValueError):
            return None
        if stat.S_ISSOCK(mode):
            reader = socket.socket(fileno=os.dup(descriptor))
            lines = cls(descriptor, lambda piece: reader.send(piece, socket.MSG_DONTWAIT))
            _close_with(lines, reader.close)
            return lines
        if not stat.S_ISFIFO(mode) or sys.platform != "linux":
            return None
        try:
            # Another description of the same pipe: a flag on the one that is there would be one of other programs too.
            own = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:  # opened by another user, before this process became what it is
            return cls(descriptor, _write_if_there_is_room(descriptor))
        lines = cls(own, lambda piece: os.write(own, piece))
        _close_with(lines, partial(os.close, own))
        return lines

    @property
    def has_waiting(self) -> bool:
        return bool(self._waiting)

    def write(self, lines: bytes) -> int:
        """How many lines were lost because too many wait. Raises OSError if the reader has gone; see `discard`."""
        self._forget_what_is_of_a_parent()
        self._waiting += lines
        self._send_waiting()
        if len(self._waiting) <= MOST_WAITING_BYTES:
            return 0
        end = self._waiting.rfind(b"\n", 0, MOST_WAITING_BYTES) + 1
        return self._cut(end)

    def wait(self, seconds: float) -> None:
        """Let the reader take what waits, for so long at most. Raises OSError if it has gone."""
        self._forget_what_is_of_a_parent()
        until = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        while self._waiting and (left := until - time.monotonic()) > 0:
            poll.poll(1000 * left)
            self._send_waiting()

    def discard(self) -> int:
        """Throw away what waits; how many lines that are."""
        return self._cut(0)

    def _forget_what_is_of_a_parent(self) -> None:
        if self._process != os.getpid():
            self._process = os.getpid()
            self._waiting.clear()
            self._is_torn = False

    def _cut(self, end: int) -> int:
        lost = self._waiting.count(b"\n", end)
        del self._waiting[end:]
        if not end and self._is_torn:
            self._waiting += b"\n"
        return lost

    def _send_waiting(self) -> None:
        waiting = self._waiting
        while waiting:
            # As many lines as arrive whole, or one.
            end = waiting.rfind(b"\n", 0, select.PIPE_BUF) + 1 or waiting.find(b"\n") + 1 or len(waiting)
            piece = bytes(waiting[:end])
            try:
                sent = self._send(piece)
            except BlockingIOError:
                return
            del waiting[:sent]
            self._is_torn = piece[sent - 1] != _LINE_END


def _close_with(lines: PipedLines, close: Callable[[], None]) -> None:
    """Not before the process ends by itself: the log writes its last lines then."""
    weakref.finalize(lines, close).atexit = False


def _write_if_there_is_room(descriptor: int) -> Callable[[bytes], int]:
    """There is room for PIPE_BUF bytes, if another process does not take it in this moment."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)

    def write(piece: bytes) -> int:
        if not poll.poll(0):
            raise BlockingIOError
        return os.write(descriptor, piece[: select.PIPE_BUF])

    return write
