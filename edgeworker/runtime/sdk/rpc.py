"""What may cross from one worker to another by RPC, and in which form it arrives: as a copy.

Source: workers/rpc.py of workers-runtime-sdk 1.9.5, https://developers.cloudflare.com/workers/runtime-apis/rpc/
"""

import datetime
import inspect
from collections.abc import Callable, Mapping, Sequence

from edgeworker.runtime.contract import current_invocation
from edgeworker.runtime.contract.env import Env
from edgeworker.runtime.sdk.blob import from_js
from edgeworker.runtime.sdk.formdata import FormData
from edgeworker.runtime.sdk.request import Request
from edgeworker.runtime.sdk.response import Response
from edgeworker.runtime.webapi.base import JsObject
from edgeworker.runtime.webapi.blob import Blob as JSBlob
from edgeworker.runtime.webapi.buffers import ArrayBuffer
from edgeworker.runtime.webapi.data import JsMap, LiteralMap, Object, to_js
from edgeworker.runtime.webapi.date import Date
from edgeworker.runtime.webapi.fetch import Request as JSRequest
from edgeworker.runtime.webapi.fetch import Response as JSResponse
from edgeworker.runtime.webapi.ffi import JsDict, JsException, jsnull
from edgeworker.runtime.webapi.formdata import FormData as JSFormData
from edgeworker.runtime.webapi.json_text import number
from edgeworker.runtime.webapi.plain_proxy import fields_of
from edgeworker.runtime.webapi.regexp import RegExp
from edgeworker.runtime.webapi.sets import JsSet


def sent(value: object) -> object:
    """The receiver's copy, as the SDK makes it of JavaScript's: dicts as JsDict, bytes as memoryview, whole floats as
    int, functions as something to await. Raises TypeError, or JsException for what cannot be cloned."""
    value = fields_of(value)
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return number(value)
        case bytes():
            return memoryview(value)
        case memoryview():
            return memoryview(bytes(value))
        case datetime.datetime():
            # It travels as a Date: milliseconds, in UTC, which is the local time of a worker.
            moment = value if value.tzinfo is not None else value.replace(tzinfo=datetime.UTC)
            rounded = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
            return rounded.astimezone(datetime.UTC).replace(tzinfo=None)
        case Mapping() if not isinstance(value, JsMap) or isinstance(value, LiteralMap):
            return JsDict((str(key), sent(item)) for key, item in value.items())
        case list():
            return [sent(item) for item in value]
        case set() | frozenset() | JsSet():
            return {sent(item) for item in value}
        case tuple() | bytearray() if not isinstance(value, ArrayBuffer):
            raise TypeError(f"{type(value)} cannot be sent over RPC.")
        case Exception():
            return Exception(str(value) if isinstance(value, JsException) else f"Error: {value}")
        case _ if value is jsnull:
            return None
        case _ if inspect.isawaitable(value):
            raise TypeError(f"Awaitable {type(value)} cannot be sent over RPC.")
        case Env() | RegExp():
            raise TypeError(f"{type(value)} cannot be sent over RPC.")
        case RemoteFunction():
            return value
        case _ if _is_standard(value):
            return value
        case _ if callable(value) and not isinstance(value, type):
            return RemoteFunction(value)
        case _:
            name = type(value).__name__
            text = f'Could not serialize object of type "{name}". This type does not support serialization.'
            raise JsException("DataCloneError", text)


class RemoteFunction:
    """A function that came over RPC: each call goes back to where it was made, and its result is a copy."""

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function
        self._context = current_invocation.current_or_none()

    async def __call__(self, *args: object, **options: object) -> object:
        given = [sent(argument) for argument in args]
        given_options = {name: sent(option) for name, option in options.items()}
        if self._context is None:
            return await self._call(given, given_options)
        with current_invocation.enter_invocation(self._context):
            return await self._call(given, given_options)

    async def _call(self, args: Sequence[object], options: Mapping[str, object]) -> object:
        result = self._function(*args, **options)
        return sent(await result if inspect.isawaitable(result) else result)


def _is_standard(value: object) -> bool:
    """What is of JavaScript or of the SDK, bindings among it; an object of a script's own class is not."""
    return isinstance(value, JsObject | ArrayBuffer) or type(value).__module__.startswith("edgeworker.")


def python_to_rpc(value: object) -> object:
    """`workers.python_to_rpc`: JavaScript's form of a value that can be sent. Raises TypeError for others."""
    return jsnull if value is None else to_js(sent(value), dict_converter=Object.fromEntries)


def python_from_rpc(value: object) -> object:
    """`workers.python_from_rpc`: Python's form of JavaScript's data."""
    value = fields_of(value)
    match value:
        case datetime.datetime():
            return value
        case JsMap() | JsSet() | Date():
            return value.to_py()
        case JSResponse():
            return Response(value)
        case JSRequest():
            return Request(value)
        case JSFormData():
            return FormData(value)
        case JSBlob():
            return from_js(value)
        case Mapping() | list() | None:
            return sent(value)
        case _:
            return None if value is jsnull else value
