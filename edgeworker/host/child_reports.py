"""What a process of the edge tells its parent through a pipe: that it answers, what it has loaded, that it reloaded.

A report is its kind (one byte), the length of its content (eight bytes) and the content. One that a process began and
did not end before it was killed is dropped.
"""

import os
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

MOST_BYTES: Final = 64 * 1024 * 1024
_HEAD: Final = struct.Struct(">cQ")
_PIECE_BYTES: Final = 64 * 1024


class ReportKind(Enum):
    """LOADED without content: what is loaded could not be kept. RELOADED answers a SIGHUP of the parent; its content
    says why the version before keeps serving, and is empty if the new one does."""

    READY = b"R"
    LOADED = b"L"
    RELOADED = b"D"


@dataclass(frozen=True, slots=True)
class Report:
    kind: ReportKind
    content: bytes = field(default=b"", repr=False)  # of what is loaded, secrets are a part


class ReportSender:
    """The end of a child. It blocks while the parent is busy, so what is long is sent in a thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, report: Report) -> None:
        if len(report.content) > MOST_BYTES:
            raise ValueError(f"{len(report.content)} bytes are more than the {MOST_BYTES} of a report")
        view = memoryview(_HEAD.pack(report.kind.value, len(report.content)) + report.content)
        with suppress(OSError):  # the parent is gone, and this process soon is
            while view:
                view = view[os.write(self._descriptor, view) :]


@dataclass(slots=True)
class ReportReader:
    """The parent's end, which never blocks. `is_ended`: nothing more comes."""

    descriptor: int
    is_ended: bool = False
    _received: bytearray = field(default_factory=bytearray, repr=False)

    def read(self) -> list[Report]:
        """Whole reports that have come; raises ValueError for what no child of ours sent."""
        while not self.is_ended:
            try:
                piece = os.read(self.descriptor, _PIECE_BYTES)
            except BlockingIOError:
                break
            self.is_ended = not piece
            self._received += piece
        found = []
        while len(self._received) >= _HEAD.size:
            kind, length = _HEAD.unpack_from(self._received)
            if length > MOST_BYTES:
                raise ValueError(f"a report of {length} bytes")
            end = _HEAD.size + length
            if len(self._received) < end:
                break
            found.append(Report(ReportKind(kind), bytes(self._received[_HEAD.size : end])))
            del self._received[:end]
        return found
