"""`env` as JavaScript has it, which is what `on_fetch` and its kin get: what bindings answer is not converted.

The SDK converts for classes, and for functions that are decorated with `@handler`.
Source: workers/entrypoints.py and `_EnvWrapper` of workers/rpc.py in workers-runtime-sdk 1.9.5
"""

from collections.abc import Awaitable, Callable, Mapping

from edgeworker.runtime.contract.env import Env
from edgeworker.runtime.sdk.blob import Blob
from edgeworker.runtime.sdk.formdata import FormData
from edgeworker.runtime.sdk.response import FetchResponse
from edgeworker.runtime.webapi.arrays import make_array
from edgeworker.runtime.webapi.base import options
from edgeworker.runtime.webapi.buffers import ArrayBuffer
from edgeworker.runtime.webapi.data import JsMap
from edgeworker.runtime.webapi.plain_objects import make_object, null
from edgeworker.runtime.webapi.plain_proxy import fields_of

_OF_MANY_KEYS = ("get", "getWithMetadata")  # of a KV namespace: many keys give a Map


class RawEnv(Env):
    """`converted` is what `@handler` makes of it."""

    __slots__ = ("converted",)
    converted: Env

    def __init__(self, worker: str, converted: Env) -> None:
        object.__setattr__(self, "converted", converted)
        super().__init__(worker, {name: _as_raw_binding(getattr(converted, name)) for name in converted})


class RawBinding:
    """A binding without the conversions of the SDK."""

    def __init__(self, view: object) -> None:
        self._view = view

    def __getattr__(self, name: str) -> object:
        found: object = getattr(self._view, name)
        return _call_raw(name, found) if callable(found) else found

    async def fetch(self, resource: object, init: object = None, **keywords: object) -> object:
        """As `js.fetch`: it takes an object of options, and gives a Response of JavaScript."""
        method: object = getattr(self._view, "fetch", None)
        if not callable(method):
            raise AttributeError("fetch", name="fetch", obj=self)
        return as_raw(await method(resource, **options(init, keywords)))

    def __repr__(self) -> str:
        return repr(self._view)


def _as_raw_binding(value: object) -> object:
    return RawBinding(value) if type(value).__module__.startswith("edgeworker.bindings.") else value


def _call_raw(name: str, function: Callable[..., object]) -> Callable[..., object]:
    def call(*args: object, **keywords: object) -> object:
        is_many = name in _OF_MANY_KEYS and bool(args) and isinstance(fields_of(args[0]), list | tuple)
        result = function(*args, **keywords)
        return _wait(name, result, is_many) if isinstance(result, Awaitable) else as_raw(result)

    return call


async def _wait(name: str, work: Awaitable[object], is_many: bool) -> object:
    result = await work
    if is_many and isinstance(result, dict):
        return JsMap([(key, _item(item)) for key, item in result.items()])
    if result is None:  # nothing was found, or nothing is answered
        return null() if name.startswith("get") else None
    return as_raw(result)


def as_raw(value: object) -> object:
    """What a binding answered, as JavaScript's value."""
    match value:
        case FetchResponse() | FormData() | Blob():
            return value.js_object
        case memoryview():
            return ArrayBuffer(bytes(value))
        case JsMap():
            return value
        case Mapping():
            return make_object({str(key): _item(item) for key, item in value.items()})
        case list():
            return make_array(map(_item, value))
        case _:
            return value


def _item(value: object) -> object:
    return null(tell=False) if value is None else as_raw(value)
