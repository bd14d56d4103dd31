"""What a Python script finds here of Cloudflare's runtime: emulated, approximated or refused. Pure.

COMPATIBILITY.md is written from this table, and a test holds it against the code: tests/runtime/test_features.py.
"""

from dataclasses import dataclass
from typing import Final, Literal

Support = Literal["emulated", "approximated", "refused"]
SUPPORT: Final[dict[Support, str]] = {
    "emulated": "as there",
    "approximated": "works, with the difference that the note tells",
    "refused": "can be imported or bound; using it raises NotImplementedError with its name",
}


@dataclass(frozen=True, slots=True)
class Feature:
    """`names` are importable from the module `where`, or are kinds of things if `where` is not a module."""

    where: str
    names: tuple[str, ...]
    support: Support
    note: str = ""


FEATURES: Final = (
    Feature("entry", ("class Default", "on_fetch", "on_scheduled", "named entrypoints", "RPC"), "emulated"),
    Feature("ctx", ("waitUntil", "passThroughOnException", "props", "exports"), "emulated"),
    Feature(
        "ctx",
        ("access",),
        "emulated",
        "`aud` and `getIdentity()`: what Access in front of the worker established, or `access.dev` of wrangler.toml; "
        "undefined with static assets and behind service bindings, as in production",
    ),
    Feature("entry", ("on_queue", "on_email", "on_tail"), "approximated", "recognised; nothing calls them here"),
    Feature(
        "workers",
        (
            "Blob",
            "File",
            "FormData",
            "Request",
            "Response",
            "FetchResponse",
            "WorkerEntrypoint",
            "env",
            "fetch",
            "handler",
            "patch_env",
            "python_from_rpc",
            "python_to_rpc",
            "waitUntil",
            "wait_until",
        ),
        "emulated",
    ),
    Feature(
        "workers",
        ("import_from_javascript",),
        "approximated",
        "`cloudflare:workers` only; other modules raise ImportError",
    ),
    Feature(
        "workers",
        ("DurableObject", "WorkflowEntrypoint"),
        "approximated",
        "importable, so that the rest of the script runs; their bindings are refused",
    ),
    Feature(
        "headers",
        ("values",),
        "emulated",
        "text in UTF-8, in both directions, as in workerd (the standard: one character per byte). Bytes that are not "
        "UTF-8 are read as U+FFFD and pass through unchanged; names are ASCII only, which workerd does not insist on",
    ),
    Feature(
        "bodies",
        ("Content-Encoding",),
        "emulated",
        "`gzip` and `br` are written and read by the runtime; under every other value (`zstd`, `deflate`, `GZIP`, "
        "`gzip, br`) the bytes are the script's own, as in workerd. `encodeBody` counts",
    ),
    Feature("workers.asgi", ("entrypoint", "fetch", "request_to_scope", "websocket"), "emulated"),
    Feature("workers.rpc", ("python_from_rpc", "python_to_rpc"), "emulated"),
    Feature(
        "workers.wsgi", ("entrypoint", "fetch"), "approximated", "the application runs in a bounded pool of threads"
    ),
    Feature(
        "js",
        (
            "Array",
            "ArrayBuffer",
            "Blob",
            "DataView",
            "File",
            "FormData",
            "Headers",
            "Int8Array",
            "JSON",
            "Map",
            "Math",
            "Object",
            "Promise",
            "ReadableStream",
            "RegExp",
            "Request",
            "Response",
            "Set",
            "TextDecoder",
            "TextEncoder",
            "TransformStream",
            "URL",
            "URLSearchParams",
            "Uint8Array",
            "WritableStream",
            "atob",
            "btoa",
            "console",
            "fetch",
            "setInterval",
            "setTimeout",
            "AbortController",
            "AbortSignal",
            "Boolean",
            "CompressionStream",
            "DecompressionStream",
            "Error",
            "Event",
            "EventTarget",
            "Float64Array",
            "Number",
            "String",
            "TextDecoderStream",
            "TextEncoderStream",
            "Uint32Array",
            "globalThis",
            "isNaN",
            "parseFloat",
            "parseInt",
            "scheduler",
            "structuredClone",
        ),
        "approximated",
        "Python objects with JavaScript's names: as far as scripts in Python meet them",
    ),
    Feature(
        "js",
        ("crypto", "CryptoKey"),
        "emulated",
        "`subtle` with every algorithm of workerd but MD5 in keys; RSA keys are made from 1024 to 8192 bits",
    ),
    Feature(
        "js",
        ("HTMLRewriter",),
        "emulated",
        "pages in UTF-8; what is inserted is text, no stream",
    ),
    Feature(
        "js",
        ("caches",),
        "emulated",
        "on disk, shared by all processes, at most 512 MiB: what was used longest ago goes first. Ranges, conditions, "
        "`Cache-Control` and `Vary` count; in a test's edge it is in memory",
    ),
    Feature("js", ("Date", "performance"), "approximated", "time goes on while a script runs; a test may move it"),
    Feature(
        "js",
        (
            "EventSource",
            "Function",
            "Intl",
            "MessageChannel",
            "Proxy",
            "Reflect",
            "Symbol",
            "WeakMap",
            "WeakRef",
            "WeakSet",
            "WebAssembly",
            "Worker",
            "XMLHttpRequest",
            "eval",
        ),
        "refused",
    ),
    Feature(
        "pyodide.ffi",
        (
            "JsException",
            "JsNull",
            "JsProxy",
            "create_once_callable",
            "create_proxy",
            "destroy_proxies",
            "jsnull",
            "run_sync",
            "to_js",
        ),
        "approximated",
        "both sides are Python: a proxy is the object itself, and nothing has to be destroyed",
    ),
    Feature("pyodide.http", ("pyfetch",), "emulated"),
    Feature("pyodide.code", ("run_js",), "refused"),
    Feature("pyodide.webloop", ("WebLoop",), "refused"),
    Feature(
        "libraries",
        ("requests", "urllib3", "httpx", "httpx2", "aiohttp", "http.client", "urllib.request"),
        "emulated",
        "their requests are the script's `fetch()`; what is imported within a function is found as well. Cloudflare "
        "has no http.client and no urllib.request. WebSockets of these libraries open sockets of their own",
    ),
    Feature(
        "libraries",
        ("socket", "asyncio and anyio streams", "any other library that opens sockets"),
        "approximated",
        "held to the outbound policy (`allow_private`), refused hosts that this edge serves, and named in a warning "
        "with file and line, as Cloudflare has no such sockets. Extension modules that open sockets in C (grpc, "
        "psycopg2, pycurl), processes, sockets that listen and functions of C that connect (ctypes) are refused, "
        "unless `allow_native_sockets` is set in edge.toml. Not held are libraries that are not ELF (macOS), cffi's "
        "own dlopen and what means to go around this: scripts share the edge's process, which is not a security "
        "boundary",
    ),
    Feature(
        "libraries",
        ("installed packages",),
        "approximated",
        "those of this Python, shared by all workers of the process: Django has one configuration for all of them. "
        "They may import `js`, `workers` and `pyodide`, and find those of the script that they work for",
    ),
    Feature(
        "libraries",
        ("logging.basicConfig",),
        "approximated",
        "its level counts, for all workers of the process; the format is the edge's",
    ),
    Feature(
        "libraries",
        ("sys.stdout",),
        "approximated",
        "one for the process: what a script sets is set for the edge and for all other scripts",
    ),
    Feature(
        "modules",
        ("__name__", "__module__", "sys.modules", "importlib", "pkgutil"),
        "emulated",
        "as the script's author calls them, for each worker its own. Not so for a module of a script that has the name "
        "of one of the standard library or of one that the process imported before: it calls itself `worker@1:name`",
    ),
    Feature(
        "limits",
        ("CPU time",),
        "approximated",
        "`limits.cpu_ms` is how long a script may keep the event loop at a time; `edgeworker dev` ends it with page "
        "1102. A call into C (`time.sleep`, a lock) is named in a warning and cannot be ended",
    ),
    Feature("limits", ("memory", "start time", "isolation"), "approximated", "not limited: scripts share one process"),
    Feature("bodies", ("gzip", "deflate"), "emulated", "decoded where a script reads them"),
    Feature("bodies", ("br", "zstd"), "approximated", "passed through; a script that reads one gets a TypeError"),
)
