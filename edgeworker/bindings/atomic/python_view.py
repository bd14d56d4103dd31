"""`env.ATOMIC` of a Python script."""

from collections.abc import Awaitable, Callable
from typing import Never

from edgeworker.bindings.atomic.service import AtomicService
from edgeworker.bindings.python_calls import javascript_exceptions
from edgeworker.bindings.reserved import ATOMIC_SERVICE
from edgeworker.runtime.webapi.ffi import JsException


class AtomicView:
    """Raises JsException for invalid arguments, as a call of the worker on Cloudflare does."""

    def __init__(self, service: AtomicService, *, name: str) -> None:
        """`name` is the binding's."""
        self._service = service
        self._name = name

    async def get(self, key: object) -> str | None:
        with javascript_exceptions():
            return await self._service.get(key)

    async def put_if_absent(self, key: object, value: object, ttl_seconds: object) -> bool:
        with javascript_exceptions():
            return await self._service.put_if_absent(key, value, ttl_seconds)

    async def compare_and_put(self, key: object, expected: object, value: object, ttl_seconds: object) -> bool:
        with javascript_exceptions():
            return await self._service.compare_and_put(key, expected, value, ttl_seconds)

    async def take(self, key: object) -> str | None:
        with javascript_exceptions():
            return await self._service.take(key)

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Never]]:
        if name.startswith("_"):
            raise AttributeError(name)

        async def call(*_args: object, **_options: object) -> Never:
            raise JsException("TypeError", f'The RPC receiver does not implement the method "{name}".')

        return call

    def __repr__(self) -> str:
        return f"<service binding {self._name}: {ATOMIC_SERVICE}>"
