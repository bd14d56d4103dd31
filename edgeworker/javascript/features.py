"""What JavaScript and TypeScript workers have in each engine, and what is missing there. Pure.

COMPATIBILITY.md is written from this table.
"""

from typing import Final

from edgeworker.features import Feature

_BOTH: Final = "both engines"
_WORKERD: Final = "workerd"
_EMBEDDED: Final = "embedded"

FEATURES: Final = (
    Feature(
        _BOTH,
        ("module workers", "service workers", "TypeScript", "KV", "caches", "assets", "service bindings", "scheduled"),
        "emulated",
        "bundled by the project's own esbuild if it is there, else file by file; packages of node_modules need esbuild",
    ),
    Feature(
        _BOTH,
        ("fetch",),
        "emulated",
        "all of it goes through the edge: its zones, limits and outbound policy; never the engine's own network",
    ),
    Feature(
        _BOTH,
        ("RPC",),
        "approximated",
        "values cross as copies: those of JSON, bytes, dates, maps, sets; no functions, streams, requests, responses",
    ),
    Feature(
        _BOTH,
        ("ctx.exports",),
        "emulated",
        "in workerd by itself: what an entrypoint that is called so fetches belongs to no request, and is refused",
    ),
    Feature(
        _BOTH,
        ("ctx.access",),
        "emulated",
        "`aud` and `getIdentity()`; in workerd not yet in the constructor of a class; undefined with static assets and "
        "behind service bindings, as in production",
    ),
    Feature(
        _BOTH,
        ("limits.cpu_ms", "[javascript] heap_megabytes"),
        "approximated",
        "a script that exceeds one ends with page 1102, and with it other requests: of all JavaScript workers of the "
        "edge (workerd), or of that worker where memory ran out (embedded). Those get a 503, with Retry-After if "
        "they are idempotent; in workerd a GET, HEAD or OPTIONS without effects so far is asked again",
    ),
    Feature(
        _BOTH,
        ("new WebSocket()",),
        "emulated",
        "a subrequest like a fetch() with an upgrade: zones, limits and outbound policy hold",
    ),
    Feature(
        _WORKERD,
        ("Durable Objects",),
        "approximated",
        "workerd's own, with SQLite where `migrations` say so, until a reload. What an object fetches belongs to the "
        "invocation that calls it, so an alarm cannot fetch()",
    ),
    Feature(
        _WORKERD,
        ("time",),
        "approximated",
        "in UTC, in both engines; it is the machine's: a test that moves its clock needs the embedded engine",
    ),
    Feature(
        _EMBEDDED,
        ("WebAssembly", "Durable Objects"),
        "refused",
        "using one raises an error that names workerd; `typeof` is `undefined`, and of WebAssembly the log says so",
    ),
    Feature(
        _BOTH,
        ("unhandledrejection", "rejectionhandled"),
        "emulated",
        "a rejection that nothing handles is logged with its stack, unless a listener calls preventDefault(); in the "
        "embedded engine on Linux and macOS, elsewhere a worker with such a listener gets a warning",
    ),
    Feature(
        _EMBEDDED,
        ("Error.stack",),
        "approximated",
        "begins with name and message as in workerd; of an error that the engine itself throws (`null.x`) it has the "
        "frames alone, and some of its texts are other words than V8's",
    ),
    Feature(
        _EMBEDDED,
        ("RegExp.$1", "Atomics.waitAsync", "serializeAttachment()"),
        "approximated",
        "undefined; all other names of workerd's global scope are there",
    ),
    Feature(
        _BOTH,
        ("EventSource",),
        "emulated",
        "in workerd only `EventSource.from(response.body)`: what `new EventSource(url)` fetches there belongs to no "
        "request, and is refused",
    ),
    Feature(
        _EMBEDDED,
        ("WebSocketPair", "webSocket of a response"),
        "emulated",
        "of answers to a fetch() with an upgrade too: accept() it, or pass it on",
    ),
    Feature(
        _EMBEDDED,
        ("Intl", "toLocaleString", "localeCompare"),
        "approximated",
        "for en-US, which every other locale gets too; collation is right for English",
    ),
    Feature(
        _EMBEDDED,
        ("node:async_hooks",),
        "approximated",
        "AsyncLocalStorage is exact where esbuild bundles the worker (it lowers `await`); else what `run()` set may be "
        "seen by code beside it until the next answer of the edge",
    ),
    Feature(
        _EMBEDDED,
        (
            "node:assert",
            "node:buffer",
            "node:crypto",
            "node:diagnostics_channel",
            "node:events",
            "node:path",
            "node:process",
            "node:querystring",
            "node:stream",
            "node:string_decoder",
            "node:timers",
            "node:url",
            "node:util",
        ),
        "approximated",
        "as far as public workers needed them; what a module lacks, and every other module of Node.js, can be imported "
        "and throws by name where it is used",
    ),
)
