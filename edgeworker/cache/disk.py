"""Cached answers on disk: they outlive the process, are shared by several, and are bounded in size.

A folder for each URL of a cache, named by a hash, has a file for each form of its answer. There is no index beside the
files, so nothing can be at odds with them: a file appears and vanishes in one step, whatever process does it. When the
files are larger than they may be, those that were used longest ago are deleted.
"""

import asyncio
import contextlib
import hashlib
import logging
import os
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

from edgeworker.cache.entry_file import Damaged, EntryHead, Reading, Writing
from edgeworker.cache.store import (
    MAX_ENTRY_BYTES,
    MAX_VARIANTS,
    CachedHead,
    CachedResponse,
    Selecting,
    selecting,
    suits,
)
from edgeworker.files import make_folder
from edgeworker.messages import Headers

_log = logging.getLogger(__name__)

MAX_BYTES: Final = 512 * 1024 * 1024
PIECE_BYTES: Final = 256 * 1024
_BLOCK_BYTES: Final = 4096  # what the smallest file takes
_LARGE_PIECE_BYTES: Final = 16 * 1024  # writing less costs less than a thread
_FILL: Final = 0.9  # after making room, so that not each new answer has to
_LOOKED_THROUGH_EVERY: Final = 64  # puts: other processes put, too
_DRAFT_SECONDS: Final = 3600  # a draft older than this was left behind by a process that ended
_USED_SECONDS: Final = 30  # how exactly it is known when an answer was used last


class DiskCache:
    """A CacheStore. The folder is its owner's alone (0700, files 0600)."""

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES, max_entry_bytes: int = MAX_ENTRY_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._max_entry_bytes = min(max_entry_bytes, max_bytes // 2)
        self._size: int | None = None  # unknown until the folder was looked through
        self._puts = 0

    async def find(self, cache: str, url: str, request: Headers, *, now: int) -> CachedResponse | None:
        for path in _files(self._entry_path(cache, url)):
            reading = self._open(path)
            if reading is None or (reading.entry.cache, reading.entry.url) != (cache, url):
                continue
            if reading.entry.head.expires_at <= now:
                _remove(path)
            elif suits(reading.entry.fields, request):
                content = reading.piece(0, reading.length) if reading.length <= PIECE_BYTES else None
                if content is not None and zlib.crc32(content) != reading.checksum:
                    self._remove_damaged(path, "the checksum of its content is wrong")
                    continue
                _mark_used(path, now)
                return CachedResponse(reading.entry.head, reading.length, _Content(reading, path).read, content)
        return None

    async def put(
        self, cache: str, url: str, request: Headers, head: CachedHead, content: AsyncIterator[bytes]
    ) -> None:
        fields = selecting(head, request)
        try:
            make_folder(self._folder)
            writing = Writing(self._folder, EntryHead(cache, url, fields, head))
        except OSError as error:
            _warn("the cache cannot keep an answer", error)
            return
        try:
            # What reading the content raises is the reader's; what the disk raises is ours.
            async for piece in content:
                if writing.length + len(piece) > self._max_entry_bytes or not await self._write_piece(writing, piece):
                    return
            self._finish(writing, cache, url, fields, head.kept_at)
        finally:
            writing.give_up()
        await self._make_room(head.kept_at)

    async def delete(self, cache: str, url: str, *, now: int) -> bool:
        there = False
        for path in list(_files(self._entry_path(cache, url))):
            reading = self._open(path)
            if reading is not None:
                was_removed = _remove(path)
                there = there or (was_removed and reading.entry.head.expires_at > now)
        return there

    async def close(self) -> None:
        """Nothing is open but what is being read."""

    def _entry_path(self, cache: str, url: str) -> Path:
        name = hashlib.sha256(f"{cache}\0{url}".encode("utf-8", "surrogatepass")).hexdigest()
        return self._folder / name[:2] / name

    async def _write_piece(self, writing: Writing, piece: bytes) -> bool:
        try:
            if len(piece) > _LARGE_PIECE_BYTES:
                await asyncio.to_thread(writing.write, piece)
            else:
                writing.write(piece)
        except OSError as error:
            _warn("the cache cannot keep an answer", error)
            return False
        return True

    def _finish(self, writing: Writing, cache: str, url: str, fields: Selecting, now: int) -> None:
        try:
            self._move_into_place(writing, self._entry_path(cache, url), fields, now)
        except OSError as error:
            _warn("the cache cannot keep an answer", error)

    def _move_into_place(self, writing: Writing, place: Path, fields: Selecting, now: int) -> None:
        make_folder(place)
        path = place / hashlib.sha256(repr(fields).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        variants = [file for file in _files(place) if file != path]
        if len(variants) >= MAX_VARIANTS:
            for oldest in sorted(variants, key=_used_at)[: len(variants) - MAX_VARIANTS + 1]:
                _remove(oldest)
        size = writing.finish(path, now)
        self._puts += 1
        if self._size is not None:
            self._size += max(size, _BLOCK_BYTES)

    def _open(self, path: Path) -> Reading | None:
        try:
            return Reading(path)
        except Damaged as error:
            self._remove_damaged(path, str(error))
        except FileNotFoundError:  # deleted meanwhile
            pass
        except OSError as error:
            _warn("a cached answer cannot be read", error)
        return None

    def _remove_damaged(self, path: Path, reason: str) -> None:
        _log.warning("%s is damaged and was deleted: %s", path, reason)
        _remove(path)

    async def _make_room(self, now: int) -> None:
        known = self._size is not None and self._puts % _LOOKED_THROUGH_EVERY
        if known and self._size is not None and self._size <= self._max_bytes:
            return
        self._size = await asyncio.to_thread(self._looked_through, now)

    def _looked_through(self, now: int) -> int:
        """Deletes what was used longest ago until the rest is small enough; the size of the rest."""
        found = []
        for path in self._all():
            try:
                stat = path.stat()
            except OSError:  # deleted meanwhile
                continue
            if path.name.startswith("new-"):
                if stat.st_mtime < now - _DRAFT_SECONDS:
                    _remove(path)
                continue
            found.append((stat.st_mtime, max(stat.st_size, _BLOCK_BYTES), path))
        size = sum(one for _, one, _ in found)
        if size <= self._max_bytes:
            return size
        for _, one, path in sorted(found):
            if size <= self._max_bytes * _FILL:
                break
            _remove(path)
            size -= one
        return size

    def _all(self) -> Iterator[Path]:
        for folder, _, names in os.walk(self._folder):
            for name in names:
                yield Path(folder, name)


class _Content:
    """Reads one file, in a thread where it is large."""

    def __init__(self, reading: Reading, path: Path) -> None:
        self._reading = reading
        self._path = path

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Raises OSError where the disk fails or, at the end of the whole content, where the checksum is wrong."""
        reading, checksum, at = self._reading, 0, start
        while at < end:
            size = min(PIECE_BYTES, end - at)
            small = reading.length <= PIECE_BYTES
            piece = reading.piece(at, size) if small else await asyncio.to_thread(reading.piece, at, size)
            if not piece:
                raise OSError(f"{self._path}: the cached answer ended too early")
            at += len(piece)
            checksum = zlib.crc32(piece, checksum)
            if start == 0 and at == reading.length and checksum != reading.checksum:
                _remove(self._path)
                raise OSError(f"{self._path}: the checksum of a cached answer is wrong; it was deleted")
            yield piece


def _warn(what: str, error: OSError) -> None:
    _log.warning("%s: %s", what, error, extra={"repeats": f"{what}: {error.strerror}"})


def _files(place: Path) -> Iterator[Path]:
    try:
        with os.scandir(place) as found:
            yield from [Path(entry.path) for entry in found]
    except FileNotFoundError:
        return
    except OSError as error:
        _warn("the cache cannot be read", error)


def _remove(path: Path) -> bool:
    """Whether it was there. Its folder goes with its last file, unless another process has just put one into it."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        _warn("a cached answer cannot be deleted", error)
        return False
    with contextlib.suppress(OSError):
        path.parent.rmdir()
    return True


def _used_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _mark_used(path: Path, now: int) -> None:
    if _used_at(path) < now - _USED_SECONDS:
        with contextlib.suppress(OSError):  # deleted meanwhile
            os.utime(path, (now, now))
