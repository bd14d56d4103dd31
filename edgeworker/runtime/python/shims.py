"""The modules that we supply to a script under Cloudflare's and Pyodide's names, with one namespace per worker.

A literal table: what stands here can be imported, and nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Final, Never

from edgeworker.cache.memory import MemoryCache
from edgeworker.cache.store import CacheStore
from edgeworker.clock import Clock, SystemClock
from edgeworker.handler import Context
from edgeworker.runtime import sdk
from edgeworker.runtime.contract import current_invocation
from edgeworker.runtime.contract.unsupported import NotEmulated
from edgeworker.runtime.python import gateway, pyodide_ffi, run_sync_stack, script_time
from edgeworker.runtime.python.gateway import asgi, asgi_websocket, wsgi
from edgeworker.runtime.python.gateway.entrypoints import make_asgi_entrypoint, make_wsgi_entrypoint
from edgeworker.runtime.python.module_env import ModuleEnv
from edgeworker.runtime.python.modules import Shims
from edgeworker.runtime.sdk import blob as sdk_blob
from edgeworker.runtime.sdk import entrypoints, failures, response, rpc, types
from edgeworker.runtime.sdk import fetch as sdk_fetch
from edgeworker.runtime.sdk import formdata as sdk_formdata
from edgeworker.runtime.sdk import request as sdk_request
from edgeworker.runtime.webapi import (
    abort,
    absent,
    arithmetic,
    arrays,
    blob,
    buffers,
    cache,
    console,
    crypto,
    data,
    date,
    fetch,
    formdata,
    headers,
    html,
    sets,
    streams,
    tasks,
    text,
    transforms,
    url,
    values,
    websocket,
)
from edgeworker.runtime.webapi import json as js_json
from edgeworker.runtime.webapi.ffi import JsDict, jsnull
from edgeworker.runtime.webapi.surplus import ignore_surplus_in

PYODIDE_VERSION: Final = "0.28.3"

Names = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ShimServices:
    """What the modules of one worker share."""

    worker: str
    env: ModuleEnv
    clock: Clock
    cache: CacheStore = field(default_factory=MemoryCache)


def make_shims(services: ShimServices) -> Shims:
    makers: dict[str, Callable[[], Names]] = {
        "asgi": _asgi,
        "js": partial(_js, services),
        "pyodide": lambda: {"__version__": PYODIDE_VERSION},
        "pyodide.code": lambda: {"run_js": _absent_function("pyodide.code.run_js")},
        "pyodide.ffi": _ffi,
        "pyodide.ffi.wrappers": lambda: pyodide_ffi.WRAPPERS,
        "pyodide.http": lambda: {
            "AbortError": failures.AbortError,
            "BodyUsedError": failures.BodyUsedError,
            "FetchResponse": response.FetchResponse,
            "HttpStatusError": failures.HttpStatusError,
            "pyfetch": sdk_fetch.fetch,
        },
        "pyodide.webloop": lambda: {"WebLoop": _absent_function("pyodide.webloop.WebLoop")},
        "workers": partial(_workers, services),
        "workers.asgi": _asgi,
        "workers.gateway": lambda: {"BaseOptions": gateway.Options},
        "workers.rpc": lambda: {
            "JsDict": JsDict,
            "python_from_rpc": rpc.python_from_rpc,
            "python_to_rpc": rpc.python_to_rpc,
        },
        "workers.types": lambda: {
            name: getattr(types, name)
            for name in ("Body", "FetchKwargs", "Headers", "JSBody", "RequestInitCfProperties")
        },
        "workers.workflows": lambda: {"NonRetryableError": types.NonRetryableError},
        "workers.wsgi": lambda: {"Options": gateway.Options, "entrypoint": make_wsgi_entrypoint, "fetch": wsgi.fetch},
    }
    if not isinstance(services.clock, SystemClock):
        # A clock that a test moves also moves `time.time()` of its scripts, and only of those.
        makers.update(script_time.make_time_modules(services.clock))
    return makers


def _workers(services: ShimServices) -> Names:
    return {
        "__doc__": sdk.__doc__,
        "Blob": sdk_blob.Blob,
        "BlobEnding": sdk_blob.BlobEnding,
        "BlobValue": types.BlobValue,
        "Body": types.Body,
        "Context": Context,
        "DurableObject": entrypoints.DurableObject,
        "FetchKwargs": types.FetchKwargs,
        "FetchResponse": response.FetchResponse,
        "File": sdk_blob.File,
        "FormData": sdk_formdata.FormData,
        "FormDataValue": types.FormDataValue,
        "Headers": types.Headers,
        "JSBody": types.JSBody,
        "Request": sdk_request.Request,
        "RequestInitCfProperties": types.RequestInitCfProperties,
        "Response": response.Response,
        "WorkerEntrypoint": entrypoints.WorkerEntrypoint,
        "WorkflowEntrypoint": entrypoints.WorkflowEntrypoint,
        "env": services.env,
        "fetch": sdk_fetch.fetch,
        "handler": entrypoints.handler,
        "import_from_javascript": partial(_import_from_javascript, services),
        "patch_env": services.env.patched,
        "python_from_rpc": rpc.python_from_rpc,
        "python_to_rpc": rpc.python_to_rpc,
        "waitUntil": current_invocation.wait_until,
        "wait_until": current_invocation.wait_until,
    }


def _js(services: ShimServices) -> Names:
    timers = tasks.Timers()
    names: dict[str, object] = {
        **{name: absent.NotEmulatedGlobal(name) for name in absent.NOT_EMULATED},
        **buffers.NUMBER_ARRAYS,
        **values.NAMES,
        "AbortController": abort.AbortController,
        "AbortSignal": abort.AbortSignal,
        "Array": arrays.Array,
        "ArrayBuffer": buffers.ArrayBuffer,
        "Blob": blob.Blob,
        "DataView": buffers.DataView,
        "CompressionStream": transforms.CompressionStream,
        "CryptoKey": crypto.CryptoKey,
        "Date": date.Date.on(services.clock),
        "DecompressionStream": transforms.DecompressionStream,
        "File": blob.File,
        "FixedLengthStream": streams.FixedLengthStream,
        "FormData": formdata.FormData,
        "HTMLRewriter": html.HTMLRewriter,
        "Headers": headers.Headers,
        "IdentityTransformStream": streams.IdentityTransformStream,
        "Int8Array": buffers.Int8Array,
        "JSON": js_json.JSON,
        "Map": data.JsMap,
        "Math": arithmetic.Math,
        "Object": data.Object,
        "Promise": tasks.Promise,
        "ReadableStream": streams.ReadableStream,
        "Request": fetch.Request,
        "Response": fetch.Response,
        "Set": sets.JsSet,
        "TextDecoder": text.TextDecoder,
        "TextDecoderStream": transforms.TextDecoderStream,
        "TextEncoder": text.TextEncoder,
        "TextEncoderStream": transforms.TextEncoderStream,
        "TransformStream": streams.TransformStream,
        "URL": url.URL,
        "URLSearchParams": url.URLSearchParams,
        "Uint8Array": buffers.Uint8Array,
        "Uint8ClampedArray": buffers.Uint8ClampedArray,
        "WebSocket": websocket.WebSocket,
        "WebSocketPair": websocket.WebSocketPair,
        "WritableStream": streams.WritableStream,
        "atob": text.atob,
        "btoa": text.btoa,
        "caches": cache.CacheStorage(services.cache, services.clock),
        "clearInterval": timers.clear,
        "clearTimeout": timers.clear,
        "console": console.Console(services.worker),
        "crypto": crypto.Crypto(),
        "decodeURI": text.decodeURI,
        "decodeURIComponent": text.decodeURIComponent,
        "encodeURI": text.encodeURI,
        "encodeURIComponent": text.encodeURIComponent,
        "fetch": fetch.fetch,
        "navigator": SimpleNamespace(userAgent="Cloudflare-Workers"),
        "performance": date.Performance(services.clock),
        "queueMicrotask": tasks.queueMicrotask,
        "scheduler": values.Scheduler(services.clock),
        "setInterval": timers.setInterval,
        "setTimeout": timers.setTimeout,
        "undefined": None,
    }
    names = ignore_surplus_in(names)
    whole = data.JsGlobal(names)
    return {**names, "globalThis": whole, "self": whole}


def _ffi() -> Names:
    return {
        **pyodide_ffi.NAMES,
        "jsnull": jsnull,
        "run_sync": run_sync_stack.run_sync,
        "to_js": data.to_js,
    }


def _asgi() -> Names:
    return {
        "Options": gateway.Options,
        "__getattr__": _asgi_attribute,
        "entrypoint": make_asgi_entrypoint,
        "fetch": asgi.fetch,
        "request_to_scope": asgi.request_to_scope,
        "websocket": asgi_websocket.websocket,
    }


def _asgi_attribute(name: str) -> object:
    """`asgi.env` is a dependency of FastAPI, which is imported only for those who ask."""
    if name != "env":
        raise AttributeError(f"module 'asgi' has no attribute {name!r}")
    return asgi.fastapi_env()


def _import_from_javascript(services: ShimServices, module: str) -> object:
    """`cloudflare:workers` as an object; other modules of JavaScript do not exist here. Raises ImportError."""
    match module:
        case "cloudflare:workers":
            return SimpleNamespace(
                env=services.env,
                waitUntil=current_invocation.wait_until,
                WorkerEntrypoint=entrypoints.WorkerEntrypoint,
                DurableObject=entrypoints.DurableObject,
            )
        case "cloudflare:sockets":
            return SimpleNamespace(connect=_absent_function("cloudflare:sockets.connect"))
        case _:
            raise ImportError(f"Failed to import '{module}': no JavaScript modules but cloudflare:workers exist here")


def _absent_function(name: str) -> Callable[..., Never]:
    def absent_function(*_args: object, **_options: object) -> Never:
        raise NotEmulated(f"{name} is not emulated by edgeworker")

    return absent_function
