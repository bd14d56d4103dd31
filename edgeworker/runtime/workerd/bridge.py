"""Our side of the child's socket: what its workers fetch, and what the objects in their `env` do.

The child has no network of its own, so each subrequest passes here and is sent by the invocation that it belongs to:
its zone, its limits and the outbound policy hold as for any other worker.
"""

import hmac
import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from edgeworker.admission import Field
from edgeworker.cache.store import CacheStore
from edgeworker.clock import Clock
from edgeworker.errors import EdgeworkerError, StoreError
from edgeworker.handler import Context, Handler
from edgeworker.kv.namespace import KVNamespace
from edgeworker.messages import URL, BodyTooLarge, Headers, NameTable, Request, Response
from edgeworker.runtime.contract.javascript import (
    EnvEntry,
    EnvFetcher,
    EnvMethods,
    EnvService,
    JavaScriptError,
    Method,
)
from edgeworker.runtime.contract.javascript_values import decode, encode
from edgeworker.runtime.contract.storage_failure import report_failed_wait, report_storage_failure
from edgeworker.runtime.workerd.capnp import AUDIENCE_PROPERTY, CF_FIELD, KEY_FIELD, SCHEME_FIELD, SERVICE_FIELD
from edgeworker.runtime.workerd.invocation import SAFE_METHODS, Invocation
from edgeworker.runtime.workerd.kept_reads import Expiries, KVState
from edgeworker.runtime.workerd.wire_cache import answer_cache
from edgeworker.runtime.workerd.wire_kv import answer_kv
from edgeworker.runtime.workerd.wire_kv_reads import answer_read

_log = logging.getLogger(__name__)

INVOCATION_FIELD: Final = "ew-invocation"
THROWS_FIELD: Final = "ew-throws"
_CALL_BYTES: Final = 32 * 1024 * 1024  # of one RPC: https://developers.cloudflare.com/workers/runtime-apis/rpc/#limits
_INVOCATION: Final = INVOCATION_FIELD.encode()
_SERVICE: Final = SERVICE_FIELD.encode()
_KEY: Final = KEY_FIELD.encode()
_SCHEME: Final = SCHEME_FIELD.encode()
_CF: Final = CF_FIELD.encode()
_LINK_FIELDS: Final = frozenset({_INVOCATION, _SERVICE, _KEY, _SCHEME, _CF, b"ew-event"})
# The lower-case name of a field that is ours in a request; empty for all others.
_LINK_FIELD_NAMES: Final[NameTable[bytes, bytes]] = NameTable(
    lambda name: name.lower() if name.lower() in _LINK_FIELDS else b""
)
_IS_LINK_FIELD: Final[NameTable[bytes, bool]] = NameTable(lambda name: name.lower().startswith(b"ew-"))
# KV's bulk reads, and what the entry module tells of waitUntil().
_WITHOUT_EFFECT: Final = ("/bulk/get", "/settled")
_NO_REQUEST: Final = "This fetch() belongs to no request: it was made outside of a handler, or with new WebSocket()."

ServiceAnswer = Callable[[Request, Context | None], Awaitable[Response]]


class Bridge:
    """A Handler for the child's socket. Anything that does not show the child's key is refused."""

    def __init__(self, key: str, cache: CacheStore, clock: Clock) -> None:
        self._key = key.encode()
        self._cache = cache
        self._clock = clock
        self._services: dict[str, ServiceAnswer] = {}
        self._namespaces: dict[bytes, KVNamespace] = {}
        self._expiries = Expiries()
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

    def add(self, answer: ServiceAnswer) -> str:
        """What stands in SERVICE_FIELD for it."""
        number = str(len(self._services))
        self._services[number] = answer
        return number

    def add_namespace(self, namespace: KVNamespace) -> str:
        """As `add`."""
        number = self.add(lambda request, _ctx: answer_kv(request, namespace, self._expiries))
        self._namespaces[number.encode()] = namespace
        return number

    def kv_state(self, namespaces: Sequence[KVNamespace]) -> KVState | None:
        """What differs once one of them may answer otherwise than before."""
        versions = []
        for namespace in namespaces:
            version = namespace.data_version()
            if version is None:
                return None
            versions.append(version)
        return tuple(versions), self._expiries.count(self._clock.now())

    def answer_read(self, data: bytes) -> bytes | None:
        """The answer to a read of KV that takes no waiting; None for all else, which is for `fetch`."""
        answer = answer_read(data, self._key, self._namespaces, self._expiries)
        if answer is not None:
            self.on_request()
        return answer

    async def fetch(self, request: Request, /) -> Response:
        link, fields = _split_fields(request.headers.raw)
        if not hmac.compare_digest(link.get(_KEY, b""), self._key):
            return Response(403)
        answer = self._services.get(link.get(_SERVICE, b"").decode("latin-1"))
        if answer is None:
            return Response(404)
        invocation = self._invocations.get(link.get(_INVOCATION, b"").decode("latin-1"))
        self.on_request()
        if request.method not in SAFE_METHODS and request.url.path not in _WITHOUT_EFFECT:
            if invocation is None:
                self._effects += 1
            else:
                invocation.has_effects = True
        try:
            sent = _restore(request, link, fields, invocation)
            if invocation is None:
                return await answer(sent, None)
            invocation.begin_waiting()
            try:
                return await answer(sent, invocation.ctx)
            finally:
                invocation.end_waiting()
        except StoreError as error:
            what = "KV or cache of a JavaScript worker"
            report_storage_failure(what, error, None if invocation is None else invocation.ctx)
            return Response(503, status_text="Service Unavailable")

    async def fetch_outside(self, request: Request, ctx: Context | None) -> Response:
        """The global fetch()."""
        if ctx is None:
            return _throw(_NO_REQUEST)
        return await _fetch(request, ctx.subrequest)

    async def use_cache(self, request: Request, _ctx: Context | None) -> Response:
        return _remove_link_fields(await answer_cache(request, self._cache, self._clock))

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
            report_failed_wait(invocation.worker, str(error.get("stack") or error.get("message")))
        if not told.get("isPending"):
            invocation.settle()
        return Response(204)


def answer_of(entry: EnvEntry) -> ServiceAnswer | None:
    """What answers the requests behind one name of `env`; None for what needs no service of ours."""
    match entry:
        case EnvFetcher(handler):
            return lambda request, _ctx: _fetch(request, handler)
        case EnvService(worker):

            async def ask(request: Request, ctx: Context | None) -> Response:
                if ctx is None:
                    return _throw(_NO_REQUEST)
                caller = ctx
                if not _is_call(request):
                    return await _fetch(request, worker.handler(caller))

                async def call(method: str, args: list[object]) -> object:
                    return await worker.call(method, args, {}, caller)

                return await _call(request, call)

            return ask
        case EnvMethods(methods):
            return lambda request, _ctx: _call(request, _call_one_of(methods))
        case _:
            return None


def _call_one_of(methods: Mapping[str, Method]) -> Callable[[str, list[object]], Awaitable[object]]:
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
        return _remove_link_fields(await handler.fetch(request))
    except EdgeworkerError as error:
        return _throw(str(error))


def _remove_link_fields(response: Response) -> Response:
    """An origin cannot say what only we say to the child, nor what only the child's entry module says to us."""
    if any(_IS_LINK_FIELD[name] for name, _ in response.headers.raw):
        response.headers = Headers.from_raw([field for field in response.headers.raw if not _IS_LINK_FIELD[field[0]]])
    return response


def _throw(text: str) -> Response:
    """fetch() of the script throws an Error with this text."""
    return Response(502, Headers({THROWS_FIELD: quote(text)}))


def _split_fields(fields: Sequence[Field]) -> tuple[dict[bytes, bytes], list[Field]]:
    """The fields of the link by lower-case name, and those that the script sent. Of one that came twice neither counts:
    a script may have added it."""
    link: dict[bytes, bytes] = {}
    sent = []
    for field in fields:
        name = _LINK_FIELD_NAMES[field[0]]
        if not name:
            sent.append(field)
        else:
            link[name] = b"" if name in link else field[1]
    return link, sent


def _restore(
    request: Request, link: Mapping[bytes, bytes], fields: list[Field], invocation: Invocation | None
) -> Request:
    """The request as the script made it: with its scheme and `cf`, without the fields of the link."""
    scheme, url = link.get(_SCHEME, b"").decode("latin-1"), request.url
    if scheme in ("http", "https") and scheme != url.scheme:
        url = URL.from_target(scheme, url.host, request.raw_target or url.target)
    text = link.get(_CF)
    # Most scripts pass it on as it came.
    is_known = invocation is not None and text is not None and text == invocation.cf_text
    cf = dict(invocation.cf) if invocation is not None and is_known else _json_object(text)
    return request.replace(url=url, headers=Headers.from_raw(fields), cf=cf, redirect="manual")


def _json_object(text: bytes | None) -> dict[str, object] | None:
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
