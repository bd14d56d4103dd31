"""What may cross from one worker to another by RPC, and in which form it arrives: as a copy.

Source: workers/rpc.py of workers-runtime-sdk 1.9.5, https://developers.cloudflare.com/workers/runtime-apis/rpc/
"""

import datetime
import inspect
from collections.abc import Mapping

from edgeworker.runtime.contract.env import Env
from edgeworker.runtime.sdk.blob import from_js
from edgeworker.runtime.sdk.formdata import FormData
from edgeworker.runtime.sdk.request import Request
from edgeworker.runtime.sdk.response import Response
from edgeworker.runtime.webapi.blob import Blob as JSBlob
from edgeworker.runtime.webapi.buffers import ArrayBuffer
from edgeworker.runtime.webapi.data import JsMap, JsSet, Object, to_js
from edgeworker.runtime.webapi.date import Date
from edgeworker.runtime.webapi.fetch import Request as JSRequest
from edgeworker.runtime.webapi.fetch import Response as JSResponse
from edgeworker.runtime.webapi.ffi import JsDict, jsnull
from edgeworker.runtime.webapi.formdata import FormData as JSFormData


def sent(value: object) -> object:
    """The receiver's copy: dicts as JsDict, null as None. Raises TypeError for what cannot be sent."""
    match value:
        case None | bool() | int() | float() | str() | bytes() | datetime.datetime():
            return value
        case Mapping():
            return JsDict((str(key), sent(item)) for key, item in value.items())
        case list():
            return [sent(item) for item in value]
        case set() | frozenset():
            return {sent(item) for item in value}
        case tuple() | bytearray() if not isinstance(value, ArrayBuffer):
            raise TypeError(f"{type(value)} cannot be sent over RPC.")
        case Exception():
            return Exception(str(value))
        case _ if value is jsnull:
            return None
        case _ if inspect.isawaitable(value):
            raise TypeError(f"Awaitable {type(value)} cannot be sent over RPC.")
        case Env():
            raise TypeError(f"{type(value)} cannot be sent over RPC.")
        case _:
            return value


def python_to_rpc(value: object) -> object:
    """`workers.python_to_rpc`: JavaScript's form of a value that can be sent. Raises TypeError for others."""
    return jsnull if value is None else to_js(sent(value), dict_converter=Object.fromEntries)


def python_from_rpc(value: object) -> object:
    """`workers.python_from_rpc`: Python's form of JavaScript's data."""
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
