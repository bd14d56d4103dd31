"""The service `edgeworker-atomic`: the rules and texts of scripts/atomic/worker.js over the edge's own store."""

from typing import Final

from edgeworker.bindings.refusal import CallRefused
from edgeworker.clock import Clock
from edgeworker.state import AtomicKey, AtomicStore

MAX_KEY_BYTES: Final = 512
MAX_VALUE_BYTES: Final = 65_536
MAX_TTL_SECONDS: Final = 31_536_000


class AtomicService:
    """Takes what a script gave. Raises CallRefused for invalid arguments, as the worker on Cloudflare."""

    def __init__(self, store: AtomicStore, clock: Clock, *, space: str) -> None:
        """`space` keeps the keys of one application apart from those of others."""
        self._store = store
        self._clock = clock
        self._space = space

    async def get(self, key: object) -> str | None:
        return await self._store.get(self._key(key), now_ms=self._clock.now_ms())

    async def put_if_absent(self, key: object, value: object, ttl_seconds: object) -> bool:
        name, text, seconds = self._key(key), _text("value", value), _ttl(ttl_seconds)
        now = self._clock.now_ms()
        return await self._store.put_if_absent(name, text, now_ms=now, expires_at_ms=now + seconds * 1000)

    async def compare_and_put(self, key: object, expected: object, value: object, ttl_seconds: object) -> bool:
        name, known, text = self._key(key), _text("expected", expected), _text("value", value)
        seconds, now = _ttl(ttl_seconds), self._clock.now_ms()
        return await self._store.compare_and_put(name, known, text, now_ms=now, expires_at_ms=now + seconds * 1000)

    async def take(self, key: object) -> str | None:
        return await self._store.take(self._key(key), now_ms=self._clock.now_ms())

    def _key(self, key: object) -> AtomicKey:
        if not isinstance(key, str):
            raise CallRefused("TypeError", "key must be a text")
        size = _size(key)
        if not 0 < size <= MAX_KEY_BYTES:
            raise CallRefused("RangeError", f"key must have 1 to {MAX_KEY_BYTES} bytes of UTF-8, not {size}")
        return AtomicKey(self._space, key)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise CallRefused("TypeError", f"{name} must be a text")
    size = _size(value)
    if size > MAX_VALUE_BYTES:
        raise CallRefused("RangeError", f"{name} must have at most {MAX_VALUE_BYTES} bytes of UTF-8, not {size}")
    return value


def _ttl(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int | float) or given != given // 1:
        raise CallRefused("TypeError", "ttl_seconds must be a whole number")
    if not 1 <= given <= MAX_TTL_SECONDS:
        raise CallRefused("RangeError", f"ttl_seconds must be from 1 to {MAX_TTL_SECONDS}, not {int(given)}")
    return int(given)


def _size(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise CallRefused("TypeError", "half of a surrogate pair is not text") from None
