"""What may cross from one worker to another by RPC, and in which form it arrives: as a copy.

Source: workers/rpc.py of workers-runtime-sdk 1.9.5, https://developers.cloudflare.com/workers/runtime-apis/rpc/
"""

import datetime
import inspect
from collections.abc import Mapping

from edgeworker.runtime.env import Env
from edgeworker.runtime.ffi import JsDict, jsnull
from edgeworker.runtime.js.buffers import ArrayBuffer


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
