"""`env.ATOMIC`: the service `edgeworker-atomic`, answered here by the rules and texts of scripts/atomic/worker.js."""

from collections.abc import Awaitable, Callable
from typing import Final, Never

from edgeworker.clock import Clock
from edgeworker.config import ATOMIC_SERVICE
from edgeworker.runtime.webapi.ffi import JsException
from edgeworker.state import AtomicKey, AtomicStore

MAX_KEY_BYTES: Final = 512
MAX_VALUE_BYTES: Final = 65_536
MAX_TTL_SECONDS: Final = 31_536_000


class AtomicView:
    """Raises JsException for arguments that cannot be meant, as a call of the worker on Cloudflare does."""

    def __init__(self, store: AtomicStore, clock: Clock, *, name: str, space: str) -> None:
        """`name` is the binding's; `space` keeps the keys of one application apart from those of others."""
        self._store = store
        self._clock = clock
        self._name = name
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

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Never]]:
        if name.startswith("_"):
            raise AttributeError(name)

        async def call(*_args: object, **_options: object) -> Never:
            raise JsException("TypeError", f'The RPC receiver does not implement the method "{name}".')

        return call

    def __repr__(self) -> str:
        return f"<service binding {self._name}: {ATOMIC_SERVICE}>"

    def _key(self, key: object) -> AtomicKey:
        if not isinstance(key, str):
            raise JsException("TypeError", "key must be a text")
        size = _size(key)
        if not 0 < size <= MAX_KEY_BYTES:
            raise JsException("RangeError", f"key must have 1 to {MAX_KEY_BYTES} bytes of UTF-8, not {size}")
        return AtomicKey(self._space, key)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise JsException("TypeError", f"{name} must be a text")
    size = _size(value)
    if size > MAX_VALUE_BYTES:
        raise JsException("RangeError", f"{name} must have at most {MAX_VALUE_BYTES} bytes of UTF-8, not {size}")
    return value


def _ttl(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int | float) or given != given // 1:
        raise JsException("TypeError", "ttl_seconds must be a whole number")
    if not 1 <= given <= MAX_TTL_SECONDS:
        raise JsException("RangeError", f"ttl_seconds must be from 1 to {MAX_TTL_SECONDS}, not {int(given)}")
    return int(given)


def _size(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise JsException("TypeError", "half of a surrogate pair is no text") from None
