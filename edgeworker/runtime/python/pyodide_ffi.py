"""What `pyodide.ffi` gives a script: conversions that change little, because both sides are Python here.

Source: https://pyodide.org/en/stable/usage/api/python-api/ffi.html
"""

import asyncio
from abc import ABC
from collections.abc import Awaitable, Callable, Generator

from edgeworker.runtime.contract import current_invocation
from edgeworker.runtime.webapi.array_methods import JsArray
from edgeworker.runtime.webapi.base import JsObject, ListIterator
from edgeworker.runtime.webapi.buffers import ArrayBuffer
from edgeworker.runtime.webapi.data import JsMap
from edgeworker.runtime.webapi.ffi import JsDict, JsException, JsNull
from edgeworker.runtime.webapi.headers import Headers
from edgeworker.runtime.webapi.pair_list import PairList
from edgeworker.runtime.webapi.plain_iterators import PlainIterator
from edgeworker.runtime.webapi.plain_objects import ObjectMap, PlainObject
from edgeworker.runtime.webapi.sets import JsSet
from edgeworker.runtime.webapi.tasks import Promise


class JsProxy(ABC):  # noqa: B024  # only ever asked `isinstance(x, JsProxy)`
    """Any object of JavaScript."""


for _kind in (JsObject, JsDict, JsArray, ArrayBuffer, JsNull, JsException, PlainObject, PlainIterator, ObjectMap):
    JsProxy.register(_kind)


class JsIterator(JsProxy):
    """An object of JavaScript with `next()`."""


class JsIterable(JsProxy):
    """What JavaScript can iterate."""


class JsGenerator(JsProxy):
    """What a generator function of JavaScript makes; no script meets one here."""


for _iterator in (ListIterator, PlainIterator):
    JsIterator.register(_iterator)
for _iterable in (ListIterator, PlainIterator, JsArray, JsMap, JsSet, Headers, PairList):
    JsIterable.register(_iterable)


class PyProxy:
    """What `create_proxy` answers: the object, callable where it is, with `destroy`."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __call__(self, *args: object, **options: object) -> object:
        if not callable(self._value):
            raise TypeError(f"{type(self._value).__name__} is not a function")
        return self._value(*args, **options)

    def __getattr__(self, name: str) -> object:
        found: object = getattr(self._value, name)
        return found

    def __await__(self) -> Generator[object, None, object]:
        """A proxy of a coroutine is a promise to JavaScript: scripts give it to waitUntil."""
        if not isinstance(self._value, Awaitable):
            raise TypeError(f"object {type(self._value).__name__} can't be used in 'await' expression")
        return self._value.__await__()

    def __str__(self) -> str:
        return str(self._value)

    def destroy(self) -> None:
        """Nothing has to be freed here."""

    def unwrap(self) -> object:
        return self._value


def create_proxy(value: object, /, **_options: object) -> PyProxy:
    return PyProxy(value)


def create_once_callable(function: Callable[..., object] | Awaitable[object], /, **_options: object) -> PyProxy:
    """Can be called once; a second call raises. A coroutine is what it is."""
    return PyProxy(function if isinstance(function, Awaitable) else _Once(function))


class _Once:
    def __init__(self, function: Callable[..., object]) -> None:
        self._function: Callable[..., object] | None = function

    def __call__(self, *args: object, **options: object) -> object:
        function, self._function = self._function, None
        if function is None:
            raise RuntimeError("OnceProxy can only be called once")
        return function(*args, **options)


def destroy_proxies(_proxies: object) -> None:
    """Nothing has to be freed here."""


def can_run_sync() -> bool:
    """Whether `run_sync` may be called here: while a handler runs."""
    return current_invocation.current_or_none() is not None


class ConversionError(Exception):
    """What pyodide raises where a value cannot be converted; nothing here does."""


class InternalError(Exception):
    """What pyodide raises where it is broken itself."""


def set_timeout(callback: Callable[[], object], timeout: float) -> asyncio.TimerHandle:
    """`pyodide.ffi.wrappers`: the time in milliseconds."""
    return asyncio.get_running_loop().call_later(max(0.0, timeout / 1000), callback)


def clear_timeout(handle: asyncio.TimerHandle) -> None:
    handle.cancel()


WRAPPERS: dict[str, object] = {"clear_timeout": clear_timeout, "set_timeout": set_timeout}
NAMES: dict[str, object] = {
    "ConversionError": ConversionError,
    "InternalError": InternalError,
    # pyodide has a class for each ability of an object; here they are for annotations and say what is an object at all.
    **dict.fromkeys(
        (
            "JsAsyncGenerator",
            "JsAsyncIterable",
            "JsAsyncIterator",
            "JsCallable",
            "JsDoubleProxy",
            "JsFetchResponse",
            "JsOnceCallable",
            "JsTypedArray",
            "JsWeakRef",
        ),
        JsProxy,
    ),
    "JsGenerator": JsGenerator,
    "JsIterable": JsIterable,
    "JsIterator": JsIterator,
    "JsMutableMap": JsMap,
    "JsBigInt": int,
    "can_run_sync": can_run_sync,
    "JsArray": JsArray,
    "JsBuffer": ArrayBuffer,
    "JsException": JsException,
    "JsMap": JsMap,
    "JsNull": JsNull,
    "JsPromise": Promise,
    "JsProxy": JsProxy,
    "create_once_callable": create_once_callable,
    "create_proxy": create_proxy,
    "destroy_proxies": destroy_proxies,
}
