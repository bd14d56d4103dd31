"""Counts that the processes of one edge share, in memory that they inherit: "5 a minute" is 5, however many serve.

Each process writes rows of its own and reads those of all, so no lock is needed. A process adds its request first and
then reads the sum: two at the same moment can both be refused, never both be let in beyond a limit. The memory is of
fixed size and costs nothing before something is counted; a process that is started again goes on with the rows of the
one before it.
"""

import hashlib
import mmap
import secrets
import struct
from dataclasses import dataclass
from typing import Final, Self

# The name's hash, its group, when the window ends, until when the name is blocked (epoch seconds), the count.
_ROW: Final = struct.Struct("<16sQqqq")
_HASH_BYTES: Final = 16
_ROWS_IN_BUCKET: Final = 16
_BUCKET_BYTES: Final = _ROWS_IN_BUCKET * _ROW.size
_UNUSED: Final = bytes(_HASH_BYTES)
_FOR_EVER: Final = 1 << 62
_COUNT_AT: Final = _ROW.size - 8
BUCKETS: Final = 8192  # 131,072 names, 6 MiB for each process where all are in use


@dataclass(frozen=True, slots=True)
class CountedName:
    """What is counted, as a hash: the memory holds no address and no token. See SharedCounts.name."""

    content: bytes
    group: int


@dataclass(frozen=True, slots=True)
class Counted:
    """`total` of all processes in the present window. `ends_at`: when that ends; 0 if none has begun. `blocked_until`
    is 0 where nothing is blocked. In epoch seconds.
    """

    total: int
    ends_at: int
    blocked_until: int


class SharedCounts:
    """The view of one process.

    Where a bucket is full, what has ended makes room, then a name of the group that has most of it: a flood of names of
    one group pushes out its own.
    """

    __slots__ = ("_buckets", "_hash", "_pages", "_processes", "_slot")

    def __init__(self, *, processes: int = 1, buckets: int = BUCKETS) -> None:
        """Create it before the processes are forked."""
        self._pages = mmap.mmap(-1, processes * buckets * _BUCKET_BYTES)
        # With a secret key no one can make names that meet in one bucket.
        self._hash = hashlib.blake2b(digest_size=_HASH_BYTES, key=secrets.token_bytes(32))
        self._processes = processes
        self._buckets = buckets
        self._slot = 0

    def of_process(self, slot: int) -> Self:
        """The same counts, as this process writes them."""
        view = type(self).__new__(type(self))
        view._pages, view._hash, view._slot = self._pages, self._hash, slot
        view._processes, view._buckets = self._processes, self._buckets
        return view

    def name(self, group: str, *parts: bytes | None) -> CountedName:
        """Names of one `group` share their room with each other, before they take that of other groups."""
        content = self._hash.copy()
        group_bytes = group.encode("utf-8", "surrogatepass")
        for part in (group_bytes, *parts):
            content.update(b"-" if part is None else b"%d:%b" % (len(part), part))
        of_group = self._hash.copy()
        of_group.update(group_bytes)
        return CountedName(content.digest(), int.from_bytes(of_group.digest()[:8]))

    def look(self, name: CountedName, *, seconds: int, now: int, longest_block: int = 0) -> Counted:
        """`seconds` is the length of a window and `longest_block` that of a block: what would end later was written
        before the clock was set back, and does not count."""
        total = ends_at = blocked_until = 0
        for slot in range(self._processes):
            at = self._find(name, slot)
            if at >= 0:
                _, _, ends, blocked, count = _ROW.unpack_from(self._pages, at)
                if 0 < ends - now <= seconds:
                    total += count
                    ends_at = max(ends_at, ends)
                if 0 < blocked - now <= longest_block:
                    blocked_until = max(blocked_until, blocked)
        return Counted(total, ends_at, blocked_until)

    def add(self, name: CountedName, *, seconds: int, now: int, ends_at: int) -> Counted:
        """Count once. The window that is under way goes on; where there is none, one begins that ends at `ends_at`."""
        ends_at = self.look(name, seconds=seconds, now=now).ends_at or ends_at
        at, blocked, count = self._find(name, self._slot), 0, 0
        if at < 0:
            at = self._make_room(name, now)
        else:
            _, _, ends, blocked, count = _ROW.unpack_from(self._pages, at)
            if not 0 < ends - now <= seconds:
                count = 0
        _ROW.pack_into(self._pages, at, name.content, name.group, ends_at, blocked, count + 1)
        return self.look(name, seconds=seconds, now=now)

    def block(self, name: CountedName, *, until: int, now: int) -> None:
        """In all processes."""
        at, ends_at, count = self._find(name, self._slot), 0, 0
        if at < 0:
            at = self._make_room(name, now)
        else:
            _, _, ends_at, _, count = _ROW.unpack_from(self._pages, at)
        _ROW.pack_into(self._pages, at, name.content, name.group, ends_at, until, count)

    # Of what is there now: connections, requests under way.

    def change(self, name: CountedName, amount: int) -> None:
        """What is there of `name` in this process becomes more or less."""
        at, count = self._find(name, self._slot), 0
        if at < 0:
            at = self._make_room(name, 0)
        else:
            (count,) = struct.unpack_from("<q", self._pages, at + _COUNT_AT)
        count += amount
        row = (name.content, name.group, _FOR_EVER, 0, count) if count > 0 else (_UNUSED, 0, 0, 0, 0)
        _ROW.pack_into(self._pages, at, *row)

    def present(self, name: CountedName) -> int:
        """What is there of `name` in all processes."""
        total = 0
        for slot in range(self._processes):
            at = self._find(name, slot)
            if at >= 0:
                total += struct.unpack_from("<q", self._pages, at + _COUNT_AT)[0]
        return total

    def forget_own(self) -> None:
        """What this process counted is gone, as the connections of one that was killed are."""
        size = self._buckets * _BUCKET_BYTES
        start = self._slot * size
        self._pages[start : start + size] = bytes(size)

    def _find(self, name: CountedName, slot: int) -> int:
        """Where its row is; -1 where there is none."""
        start = self._bucket(name, slot)
        return self._pages.find(name.content, start, start + _BUCKET_BYTES)

    def _bucket(self, name: CountedName, slot: int) -> int:
        number = int.from_bytes(name.content[:8]) % self._buckets
        return (slot * self._buckets + number) * _BUCKET_BYTES

    def _make_room(self, name: CountedName, now: int) -> int:
        start = self._bucket(name, self._slot)
        rows: list[tuple[int, int, bool, int]] = []
        held: dict[int, int] = {name.group: 1}
        for at in range(start, start + _BUCKET_BYTES, _ROW.size):
            content, group, ends_at, blocked_until, count = _ROW.unpack_from(self._pages, at)
            if content == _UNUSED or (ends_at <= now and blocked_until <= now):
                return at
            held[group] = held.get(group, 0) + 1
            rows.append((at, group, blocked_until > now, count))
        most = max(held.values())
        largest = [row for row in rows if held[row[1]] == most] or rows
        return min(largest, key=lambda row: (row[2], row[3]))[0]
