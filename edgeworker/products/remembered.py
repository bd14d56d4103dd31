"""What was learnt of tokens, so that the next request with one costs a look-up. For every product that verifies some.

The name of an entry is a hash that begins with a secret of this process: no token is kept, and no one can search for
a second one with the same name. Entries are bounded by count and by bytes. What makes them wrong (a revocation, another
configuration) is the caller's to see: put into the value what it was checked against, and compare.
"""

import hashlib
import secrets
from typing import Generic, TypeVar

T = TypeVar("T")


class RememberedByToken(Generic[T]):
    """Two generations: the younger one becomes the older when it holds half of what may be kept."""

    def __init__(self, *, max_entries: int, max_bytes: int) -> None:
        self._half_entries = max(1, max_entries // 2)
        self._half_bytes = max(1, max_bytes // 2)
        self._keyed = hashlib.sha256(secrets.token_bytes(64))
        self._young: dict[bytes, tuple[T, int]] = {}
        self._old: dict[bytes, tuple[T, int]] = {}
        self._young_bytes = 0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def find(self, token: bytes) -> T | None:
        name = self._name_of(token)
        entry = self._young.get(name)
        if entry is None:
            entry = self._old.pop(name, None)
            if entry is None:
                return None
            self._keep(name, entry)
        return entry[0]

    def remember(self, token: bytes, value: T, *, size: int) -> None:
        """`size` is what the value takes in bytes, about. One that is too large for half of the memory is not kept."""
        if size > self._half_bytes:
            return
        name = self._name_of(token)
        self._old.pop(name, None)
        self._keep(name, (value, size))

    def forget(self, token: bytes) -> None:
        name = self._name_of(token)
        removed = self._young.pop(name, None)
        self._young_bytes -= removed[1] if removed is not None else 0
        self._old.pop(name, None)

    def clear(self) -> None:
        self._young, self._old, self._young_bytes = {}, {}, 0

    def _name_of(self, token: bytes) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(token)
        return keyed.digest()

    def _keep(self, name: bytes, entry: tuple[T, int]) -> None:
        replaced = self._young.get(name)
        self._young_bytes += entry[1] - (replaced[1] if replaced is not None else 0)
        self._young[name] = entry
        if len(self._young) >= self._half_entries or self._young_bytes >= self._half_bytes:
            self._old, self._young, self._young_bytes = self._young, {}, 0
