"""Our side of the child's socket: what its workers fetch, and what the objects in their `env` do.

The child has no network of its own, so each subrequest passes here and is sent by the invocation that it belongs to:
its zone, its limits and the outbound policy hold as for any other worker.
"""

import hmac
import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final
from urllib.parse import quote

from edgeworker.cache.store import CacheStore
from edgeworker.clock import Clock
from edgeworker.errors import EdgeworkerError, StoreError
from edgeworker.handler import Context, Handler
from edgeworker.kv.namespace import KVNamespace
from edgeworker.messages import URL, BodyTooLarge, Headers, Request, Response
from edgeworker.runtime.contract.javascript import (
    EnvEntry,
    EnvFetcher,
    EnvMethods,
    EnvNamespace,
    EnvService,
    JavaScriptError,
    Method,
)
from edgeworker.runtime.contract.javascript_values import decode, encode
from edgeworker.runtime.workerd.capnp import AUDIENCE_PROPERTY, CF_FIELD, KEY_FIELD, SCHEME_FIELD, SERVICE_FIELD
from edgeworker.runtime.workerd.invocation import SAFE_METHODS, Invocation
from edgeworker.runtime.workerd.wire_cache import answer_cache
from edgeworker.runtime.workerd.wire_kv import answer_kv
from edgeworker.runtime.workerd.wire_kv_reads import answer_read

_log = logging.getLogger(__name__)

INVOCATION_FIELD: Final = "ew-invocation"
THROWS_FIELD: Final = "ew-throws"
_CALL_BYTES: Final = 32 * 1024 * 1024  # of one RPC: https://developers.cloudflare.com/workers/runtime-apis/rpc/#limits
_OWN: Final = frozenset(
    name.encode() for name in (INVOCATION_FIELD, SERVICE_FIELD, KEY_FIELD, SCHEME_FIELD, CF_FIELD, "ew-event")
)
# KV's bulk reads, and what the entry module tells of waitUntil().
_WITHOUT_EFFECT: Final = ("/bulk/get", "/settled")
_OUTSIDE: Final = "This fetch() belongs to no request: it was made outside of a handler, or with new WebSocket()."

Answer = Callable[[Request, Context | None], Awaitable[Response]]


class Bridge:
    """A Handler for the child's socket. Anything that does not show the child's key is refused."""

    def __init__(self, key: str, cache: CacheStore, clock: Clock) -> None:
        self._key = key.encode()
        self._cache = cache
        self._clock = clock
        self._services: dict[str, Answer] = {}
        self._namespaces: dict[bytes, KVNamespace] = {}
        self._invocations: dict[str, Invocation] = {}
        self._effects = 0  # of requests that do not say which invocation makes them: native KV, the Cache API
        self.on_request: Callable[[], None] = lambda: None

    def begin(self, worker: str, ray: str | None, ctx: Context | None) -> Invocation:
        """`ray` is the request's; a worker that calls another passes its own on, so the second one gets a new one."""
        if ray is None or ray in self._invocations:
            ray = f"{secrets.token_hex(8)}-LOC"
        invocation = Invocation(ray, ctx, worker, self._invocations.pop, self._effects)
        self._invocations[ray] = invocation
        return invocation

    @property
    def invocations(self) -> Collection[Invocation]:
        """Those under way."""
        return self._invocations.values()

    def has_effects(self, invocation: Invocation) -> bool:
        """Whether it may have changed anything outside of the child so far."""
        return invocation.has_effects or self._effects != invocation.effects_before

    def settle_all(self) -> None:
        """The child is gone, and with it the work that it waited for."""
        for invocation in list(self._invocations.values()):
            invocation.settle()

    def add(self, answer: Answer, entry: EnvEntry | None = None) -> str:
        """What stands in SERVICE_FIELD for it."""
        number = str(len(self._services))
        self._services[number] = answer
        if isinstance(entry, EnvNamespace):
            self._namespaces[number.encode()] = entry.namespace
        return number

    def answer_read(self, data: bytes) -> bytes | None:
        """The answer to a read of KV that takes no waiting; None for all else, which is for `fetch`."""
        answer = answer_read(data, self._key, self._namespaces)
        if answer is not None:
            self.on_request()
        return answer

    async def fetch(self, request: Request, /) -> Response:
        # Of two fields the values are joined, which is no key.
        if not hmac.compare_digest(request.headers.get_bytes(KEY_FIELD) or b"", self._key):
            return Response(403)
        answer = self._services.get(request.headers.get(SERVICE_FIELD) or "")
        if answer is None:
            return Response(404)
        invocation = self._invocations.get(request.headers.get(INVOCATION_FIELD) or "")
        self.on_request()
        if request.method not in SAFE_METHODS and request.url.path not in _WITHOUT_EFFECT:
            if invocation is None:
                self._effects += 1
            else:
                invocation.has_effects = True
        try:
            if invocation is None:
                return await answer(_restore(request), None)
            with invocation.waiting():
                return await answer(_restore(request, invocation), invocation.ctx)
        except StoreError as error:
            _log.error("KV or cache of a JavaScript worker: %s", error)
            return Response(503, status_text="EnvService Unavailable")

    async def fetch_outside(self, request: Request, ctx: Context | None) -> Response:
        """The global fetch()."""
        if ctx is None:
            return _throw(_OUTSIDE)
        return await _fetch(request, ctx.subrequest)

    async def use_cache(self, request: Request, _ctx: Context | None) -> Response:
        return await answer_cache(request, self._cache, self._clock)

    async def answer_control(self, request: Request, ctx: Context | None) -> Response:
        """What the entry module asks and tells beside the script."""
        if request.url.path == "/identity":
            access = None if ctx is None else ctx.access
            identity = None if access is None else await access.find_identity()
            return Response(200, Headers({"Content-Type": "application/json"}), json.dumps(identity).encode())
        return await self._settle(request)

    async def _settle(self, request: Request) -> Response:
        """What the entry module tells of waitUntil(): that all of an invocation's work is done, or that some failed."""
        told = json.loads(await request.body.read(limit=_CALL_BYTES)) if request.body is not None else {}
        invocation = self._invocations.get(told.get("ray", ""))
        if invocation is None:
            return Response(204)
        error = told.get("error")
        if error is not None:
            _log.error(
                'worker "%s": waitUntil failed: %s', invocation.worker, error.get("stack") or error.get("message")
            )
        if not told.get("isPending"):
            invocation.settle()
        return Response(204)


def answer_of(entry: EnvEntry) -> Answer | None:
    """What answers the requests behind one name of `env`; None for what needs no service of ours."""
    match entry:
        case EnvNamespace(namespace):
            return lambda request, _ctx: answer_kv(request, namespace)
        case EnvFetcher(handler):
            return lambda request, _ctx: _fetch(request, handler)
        case EnvService(worker):

            async def ask(request: Request, ctx: Context | None) -> Response:
                if ctx is None:
                    return _throw(_OUTSIDE)
                caller = ctx
                if not _is_call(request):
                    return await _fetch(request, worker.handler(caller))

                async def call(method: str, args: list[object]) -> object:
                    return await worker.call(method, args, {}, caller)

                return await _call(request, call)

            return ask
        case EnvMethods(methods):
            return lambda request, _ctx: _call(request, _one_of(methods))
        case _:
            return None


def _one_of(methods: Mapping[str, Method]) -> Callable[[str, list[object]], Awaitable[object]]:
    async def call(method: str, args: list[object]) -> object:
        found = methods.get(method)
        if found is None:
            raise JavaScriptError("TypeError", f'The RPC receiver does not implement the method "{method}".')
        return await found(args)

    return call


def _is_call(request: Request) -> bool:
    return request.method == "POST" and request.url.host == "edge" and request.url.path == "/call"


async def _call(request: Request, call: Callable[[str, list[object]], Awaitable[object]]) -> Response:
    try:
        told = json.loads(b"{}" if request.body is None else await request.body.read(limit=_CALL_BYTES))
        args = decode(told["args"])
        value = await call(told["method"], args if isinstance(args, list) else [])
        content: dict[str, object] = {"value": encode(value)}
    except JavaScriptError as error:
        content = {"error": {"name": error.error, "message": error.text}}
    except BodyTooLarge:
        content = {"error": {"name": "Error", "message": "The arguments of an RPC may have at most 32 MiB."}}
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  # the other worker's own exception, which its caller gets
        name = type(error).__name__
        content = {"error": {"name": name if name in ("TypeError", "RangeError") else "Error", "message": str(error)}}
    return Response(200, Headers({"Content-Type": "application/json"}), json.dumps(content).encode())


async def _fetch(request: Request, handler: Handler) -> Response:
    try:
        return await handler.fetch(request)
    except EdgeworkerError as error:
        return _throw(str(error))


def _throw(text: str) -> Response:
    """fetch() of the script throws an Error with this text."""
    return Response(502, Headers({THROWS_FIELD: quote(text)}))


def _restore(request: Request, invocation: Invocation | None = None) -> Request:
    """The request as the script made it: with its scheme and `cf`, without the fields of the link."""
    scheme = request.headers.get(SCHEME_FIELD)
    url = request.url
    if scheme in ("http", "https") and scheme != url.scheme:
        url = URL.from_target(scheme, url.host, request.raw_target or url.target)
    text = request.headers.get(CF_FIELD)
    # Most scripts pass it on as it came.
    is_known = invocation is not None and text is not None and text == invocation.cf_text
    cf = dict(invocation.cf) if invocation is not None and is_known else _json_object(text)
    return request.replace(url=url, headers=request.headers.without(_OWN), cf=cf, redirect="manual")


def _json_object(text: str | None) -> dict[str, object] | None:
    """Without the audience of `ctx.access`."""
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    value.pop(AUDIENCE_PROPERTY, None)
    return value
