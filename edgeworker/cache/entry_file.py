"""One cached answer as a file: what it is, its fields, its content, each with a checksum.

    8 bytes   what this is and in which version
    20 bytes  length of the head, its CRC-32, length of the content, its CRC-32 (big-endian: 4, 4, 8, 4)
    head      JSON: status, headers, times, the fields that it varies by
    content

A file that a crash or a bad disk left in pieces is found by these and not used.
"""

import base64
import json
import os
import struct
import weakref
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from edgeworker.cache.store import CachedHead, Selecting
from edgeworker.files import Draft
from edgeworker.messages import Headers

MAGIC: Final = b"EWCACHE1"
_LENGTHS: Final = struct.Struct(">IIQI")
PREFIX_BYTES: Final = len(MAGIC) + _LENGTHS.size
MAX_HEAD_BYTES: Final = 1024 * 1024


class Damaged(Exception):
    """The file is not what was written."""


@dataclass(frozen=True, slots=True)
class EntryHead:
    """What an entry's file holds before the body."""

    cache: str
    url: str
    fields: Selecting
    head: CachedHead

    def written(self) -> bytes:
        raw = [
            [base64.b64encode(name).decode(), base64.b64encode(value).decode()] for name, value in self.head.headers.raw
        ]
        return json.dumps(
            {
                "cache": self.cache,
                "url": self.url,
                "fields": self.fields,
                "status": self.head.status,
                "headers": raw,
                "kept_at": self.head.kept_at,
                "expires_at": self.head.expires_at,
                "encoding": self.head.encoding,
            }
        ).encode()

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Raises Damaged."""
        try:
            stored = json.loads(content)
            raw = [(base64.b64decode(name), base64.b64decode(value)) for name, value in stored["headers"]]
            return cls(
                stored["cache"],
                stored["url"],
                tuple((name, value) for name, value in stored["fields"]),
                CachedHead(
                    stored["status"], Headers.from_raw(raw), stored["kept_at"], stored["expires_at"], stored["encoding"]
                ),
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Damaged(f"its head cannot be read: {error}") from None


class Writing:
    """A new file under a name of its own; `finish` gives it its place in one step, so no one reads a half."""

    def __init__(self, folder: Path, entry: EntryHead) -> None:
        """Raises OSError."""
        self._draft = Draft(folder / f"new-{os.getpid()}-{os.urandom(8).hex()}")
        self._head = entry.written()
        self.length = 0
        self._checksum = 0
        self._file = self._draft.file
        self._file.write(bytes(PREFIX_BYTES) + self._head)

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self.length += len(piece)
        self._checksum = zlib.crc32(piece, self._checksum)

    def finish(self, place: Path, now: int) -> int:
        """The size of the file. Its time of change is when it was used last. Raises OSError."""
        self._file.seek(0)
        lengths = _LENGTHS.pack(len(self._head), zlib.crc32(self._head), self.length, self._checksum)
        self._file.write(MAGIC + lengths)
        self._file.flush()
        os.utime(self._file.fileno(), (now, now))
        self._draft.replace(place, durable=False)
        return PREFIX_BYTES + len(self._head) + self.length

    def give_up(self) -> None:
        self._draft.discard()


class Reading:
    """An open file: it can be read to its end although it was deleted or replaced meanwhile."""

    def __init__(self, path: Path) -> None:
        """Raises Damaged, or OSError where it cannot be opened."""
        self.descriptor = os.open(path, os.O_RDONLY)
        self.close = weakref.finalize(self, os.close, self.descriptor)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        prefix = os.pread(self.descriptor, PREFIX_BYTES, 0)
        if len(prefix) != PREFIX_BYTES or not prefix.startswith(MAGIC):
            raise Damaged("it is not a cached response of this version")
        size, head_checksum, self.length, self.checksum = _LENGTHS.unpack(prefix[len(MAGIC) :])
        self.start = PREFIX_BYTES + size
        if size > MAX_HEAD_BYTES or os.fstat(self.descriptor).st_size != self.start + self.length:
            raise Damaged("its length is another one than it says")
        head = os.pread(self.descriptor, size, PREFIX_BYTES)
        if zlib.crc32(head) != head_checksum:
            raise Damaged("the checksum of its head is wrong")
        self.entry = EntryHead.read(head)

    def piece(self, at: int, size: int) -> bytes:
        """At most `size` bytes of the content from byte `at` on. Raises OSError."""
        return os.pread(self.descriptor, min(size, self.length - at), self.start + at)
