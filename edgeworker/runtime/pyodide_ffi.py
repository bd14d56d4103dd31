"""What `pyodide.ffi` gives a script: conversions that change little, because both sides are Python here.

Source: https://pyodide.org/en/stable/usage/api/python-api/ffi.html
"""

from abc import ABC
from collections.abc import Callable

from edgeworker.runtime.ffi import JsDict, JsException, JsNull
from edgeworker.runtime.js.base import JsObject
from edgeworker.runtime.js.buffers import ArrayBuffer
from edgeworker.runtime.js.data import JsArray, JsMap, JsSet
from edgeworker.runtime.js.tasks import Promise


class JsProxy(ABC):  # noqa: B024  # only ever asked `isinstance(x, JsProxy)`
    """Any object of JavaScript."""


for _kind in (JsObject, JsDict, JsArray, JsMap, JsSet, ArrayBuffer, JsNull, JsException):
    JsProxy.register(_kind)


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

    def destroy(self) -> None:
        """Nothing has to be freed here."""

    def unwrap(self) -> object:
        return self._value


def create_proxy(value: object, /, **_options: object) -> PyProxy:
    return PyProxy(value)


def create_once_callable(function: Callable[..., object], /, **_options: object) -> PyProxy:
    """Can be called once; a second call raises."""
    return PyProxy(_Once(function))


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


NAMES: dict[str, object] = {
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
