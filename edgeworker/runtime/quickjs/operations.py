"""What a script asks the edge for and waits for: fetch(), bodies, KV, other workers, the Cache API, WebCrypto."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from edgeworker import messages
from edgeworker.errors import EdgeworkerError, KVError, KVTypeError, StoreError
from edgeworker.handler import Context, Handler
from edgeworker.kv import rules
from edgeworker.kv.namespace import KVNamespace, ListResultKey
from edgeworker.messages import URL, Body, BodyLost, BodyTooLarge, BodyUsed, Headers, InvalidURL
from edgeworker.runtime.contract.javascript import (
    EnvEntry,
    EnvFetcher,
    EnvMethods,
    EnvNamespace,
    EnvService,
    JavaScriptError,
    JavaScriptException,
    OwnEntrypoints,
)
from edgeworker.runtime.contract.javascript_values import decode, encode
from edgeworker.runtime.quickjs import node_ciphers
from edgeworker.runtime.quickjs.adapter import Crossing
from edgeworker.runtime.quickjs.bodies import Bodies
from edgeworker.runtime.quickjs.documents import Documents, check_selector
from edgeworker.runtime.quickjs.invocation import Invocation, OperationFailed, Result
from edgeworker.runtime.quickjs.realm import Realm
from edgeworker.runtime.quickjs.settings import EmbeddedSettings
from edgeworker.runtime.quickjs.sockets import ScriptWebSockets
from edgeworker.runtime.quickjs.subtle import Keys
from edgeworker.runtime.webapi import body_init, encodings, perform_fetch
from edgeworker.runtime.webapi.cache import Cache
from edgeworker.runtime.webapi.fetch import Request as JSRequest
from edgeworker.runtime.webapi.fetch import Response as JSResponse
from edgeworker.runtime.webapi.fetch_failure import FetchFailed
from edgeworker.runtime.webapi.ffi import JsException

_log = logging.getLogger(__name__)

_OUTSIDE: Final = "This fetch() belongs to no request: it was made outside of a handler."
_USED: Final = body_init.BODY_USED

Told = Mapping[str, object]


class Operations:
    """Of one realm, which is given later: it needs these first."""

    def __init__(self, settings: EmbeddedSettings) -> None:
        self._settings = settings
        self.bodies = Bodies()
        self.sockets = ScriptWebSockets()
        self._keys = Keys()
        self._documents = Documents()
        self.realm: Realm | None = None

    def answer(self, operation: str, given: tuple[Crossing, ...], invocation: Invocation | None) -> Crossing:
        """What is answered at once and concerns bodies or documents."""
        match operation, given:
            case "html", (int(), str(text), buffer) if invocation is not None and self.realm is not None:
                told = json.loads(text)
                body, coding = self._body(told["body"], buffer if isinstance(buffer, bytes) else None, invocation)
                source = encodings.decode((body or Body(b"")).stream(), coding)
                made = self._documents.rewrite(told, source, self.realm, invocation)
                return self.bodies.hold(Body(made), None, invocation.id)
            case "socket_accept" | "socket_out", _ if invocation is not None:
                return self.sockets.call(operation, given, invocation)
            case "html_selector", (str(selector),):
                return check_selector(selector)
            case "html_part", (int(id), str(name), str(text)):
                return self._documents.use(id, name, text)
            case _:
                raise ValueError(f"{operation} is not an operation of the engine")

    def forget_body(self, id: int) -> None:
        """The script does not want the rest of it."""
        if self.realm is not None:
            self.realm.spawn(self.bodies.close(id))

    async def run(self, name: str, invocation: Invocation, text: str, buffer: bytes | None) -> Result:
        """Raises OperationFailed with what the script's promise is rejected with."""
        try:
            told = json.loads(text)
            match name:
                case "read":
                    piece = await self.bodies.read(told["id"])
                    return Result() if piece is None else Result(buffer=piece)
                case "read_all":
                    return Result(buffer=await self.bodies.read_all(told["id"]))
                case "fetch":
                    return await self._fetch(told, buffer, invocation)
                case "kv":
                    return await self._use_kv(told, buffer)
                case "call" | "method":
                    return await self._call(told, invocation)
                case "cache":
                    return await self._use_cache(told, buffer, invocation)
                case "identity":
                    access = None if invocation.ctx is None else invocation.ctx.access
                    identity = None if access is None else await access.find_identity()
                    return Result(json.dumps(identity))
                case "derive":
                    made, seconds = await asyncio.to_thread(node_ciphers.derive_and_measure, text)
                    invocation.cpu_seconds += seconds
                    return Result(buffer=made)
                case "subtle":
                    return Result(await self._keys.run(told["method"], told["values"]))
                case _:
                    raise OperationFailed("Error", f"{name} is not an operation of the engine")
        except node_ciphers.CipherError as error:
            raise OperationFailed("Error", str(error)) from error
        except JavaScriptError as error:
            raise OperationFailed(error.error, error.text) from error
        except JsException as error:
            raise OperationFailed(error.name, error.message) from error
        except JavaScriptException as error:  # of a handler of HTMLRewriter
            raise OperationFailed(error.name, error.text) from error
        except BodyUsed as error:
            raise OperationFailed("TypeError", _USED) from error
        except (BodyTooLarge, BodyLost) as error:
            raise OperationFailed("Error", str(error)) from error
        except FetchFailed as error:
            cause = error.__cause__
            raise OperationFailed("Error", str(cause if isinstance(cause, EdgeworkerError) else error)) from error
        except EdgeworkerError as error:
            raise OperationFailed("Error", str(error)) from error

    async def _fetch(self, told: Told, buffer: bytes | None, invocation: Invocation) -> Result:
        ctx = invocation.ctx
        if ctx is None:
            raise OperationFailed("Error", _OUTSIDE)
        target = self._target(told.get("target"), ctx)
        request = self._request(told, buffer, invocation)
        fetched = await perform_fetch.perform(request, ctx, target)
        return self._received(fetched.response, fetched.url, invocation, redirected=fetched.redirected)

    def _target(self, name: object, ctx: Context) -> Handler | None:
        if name is None:
            return None
        match self._entry(name, ctx):
            case EnvService(worker):
                return worker.handler(ctx)
            case EnvFetcher(handler):
                return handler
            case _:
                raise OperationFailed("TypeError", f"env.{name} has no fetch()")

    def _entry(self, name: object, ctx: Context | None) -> EnvEntry | None:
        """What stands behind a name of `env`, or behind one of `ctx.exports` ({"own": name, "props": ...})."""
        match name:
            case str():
                return self._settings.env.get(name)
            case {"own": str(own), "props": props} if ctx is not None and isinstance(ctx.exports, OwnEntrypoints):
                values = decode(props)
                return EnvService(ctx.exports.service_of(own, values if isinstance(values, dict) else {}))
            case _:
                return None

    def _request(self, told: Told, buffer: bytes | None, invocation: Invocation) -> messages.Request:
        try:
            url = URL.parse(str(told["url"]))
        except InvalidURL as error:
            raise OperationFailed("TypeError", f"Invalid URL: {error}") from error
        held = self._body(told.get("body"), buffer, invocation)
        body = held[0]
        if body is not None and held[1] is not None:
            body = Body(encodings.decode(body.stream(), held[1]))
        cf = told.get("cf")
        return messages.Request(
            str(told["method"]),
            url,
            _headers(told["headers"]),
            body,
            redirect="manual" if told["redirect"] == "manual" else "follow",
            cf=cf if isinstance(cf, dict) else None,
        )

    def _body(self, told: object, buffer: bytes | None, invocation: Invocation) -> tuple[Body | None, str | None]:
        """A body as the script sent it, and the coding that it is in already."""
        match told:
            case None:
                return None, None
            case {"native": int(id)}:
                held = self.bodies.take(id)
                return held.body, held.coding
            case {"stream": int(id), **rest}:
                assert self.realm is not None
                length = rest.get("length")
                return Body(self.realm.stream(id, invocation), length=length if isinstance(length, int) else None), None
            case _:
                return Body(buffer or b""), None

    def response(self, told: Told, buffer: bytes | None, invocation: Invocation) -> messages.Response:
        """A response that the script made."""
        body, coding = self._body(told["body"], buffer, invocation)
        status = told["status"]
        assert isinstance(status, int)
        made = messages.Response(status, _headers(told["headers"]), body, status_text=str(told["statusText"]))
        if isinstance(socket := told.get("webSocket"), dict):
            self.sockets.attach(made, socket, invocation)
        return body_init.encode_as_declared(made, coding, automatic=bool(told["automatic"]))

    def _received(
        self, response: messages.Response, url: str, invocation: Invocation, *, redirected: bool = False
    ) -> Result:
        """A response for the script. A short body that is there already goes with it."""
        coding = encodings.find_coding(response.headers)
        body: object = None
        content = None
        if response.body is not None:
            content = response.body.complete if coding is None else None
            if content is None:
                id = self.bodies.hold(response.body, coding, invocation.id)
                body = {"id": id, "encoding": coding, "length": response.body.length}
            else:
                body = "bytes"
        told = {
            "status": response.status,
            "statusText": response.status_text,
            "headers": pairs(response.headers),
            "url": url,
            "redirected": redirected,
            "body": body,
        }
        held = self.sockets.hold(response)
        if held is not None:
            told["webSocket"] = held
        return Result(json.dumps(told), content)

    async def _use_kv(self, told: Told, buffer: bytes | None) -> Result:
        entry = self._settings.env.get(str(told["name"]))
        if not isinstance(entry, EnvNamespace):
            raise OperationFailed("TypeError", f"env.{told['name']} is not a KV namespace")
        verb = {"get_many": "GET_BULK", "put": "PUT", "check": "PUT", "delete": "DELETE"}.get(
            str(told["method"]), "GET"
        )
        try:
            return await _run_kv(entry.namespace, told, buffer)
        except KVTypeError as error:
            raise OperationFailed("TypeError", str(error)) from error
        except KVError as error:
            raise OperationFailed("Error", f"KV {verb} failed: {error.status} {error}") from error
        except StoreError as error:
            _log.error("KV %s failed: %s", verb, error)
            raise OperationFailed("Error", f"KV {verb} failed: 503 Service Unavailable") from error

    async def _call(self, told: Told, invocation: Invocation) -> Result:
        decoded = decode(told["values"])
        values = decoded if isinstance(decoded, list) else []
        method = str(told["method"])
        call: Callable[[], Awaitable[object]]
        match self._entry(told["name"], invocation.ctx):
            case EnvService(worker):
                ctx = invocation.ctx
                if ctx is None:
                    raise OperationFailed("Error", _OUTSIDE)
                caller = ctx

                async def call() -> object:
                    return await worker.call(method, values, {}, caller)

            case EnvMethods(methods) if method in methods:
                found = methods[method]

                async def call() -> object:
                    return await found(values)

            case _:
                raise OperationFailed("TypeError", f'The RPC receiver does not implement the method "{method}".')
        try:
            return Result(json.dumps(encode(await call())))
        except (JavaScriptError, EdgeworkerError):
            raise
        except JavaScriptException as error:
            raise OperationFailed(error.name, error.text) from error
        except Exception as error:  # the other worker's own exception, which its caller gets
            name = type(error).__name__
            raise OperationFailed(name if name in ("TypeError", "RangeError") else "Error", str(error)) from error

    async def _use_cache(self, told: Told, buffer: bytes | None, invocation: Invocation) -> Result:
        cache = Cache(self._settings.cache, self._settings.clock, str(told["name"]))
        asked = told["request"]
        assert isinstance(asked, dict)
        request = JSRequest.over(
            messages.Request(str(asked["method"]), URL.parse(str(asked["url"])), _headers(asked["headers"]))
        )
        options = {"ignoreMethod": bool(told["ignoreMethod"])}
        match told["method"]:
            case "match":
                found = await cache.match(request, options)
                return Result() if found is None else self._received(found.core, found.core.url, invocation)
            case "put":
                response = told["response"]
                assert isinstance(response, dict)
                await cache.put(request, JSResponse.over(self.response(response, buffer, invocation)))
                return Result()
            case _:
                return Result(json.dumps(await cache.delete(request, options)))


_KV_VERBS: Final = {"get_many": "GET_BULK", "put": "PUT", "check": "PUT", "delete": "DELETE"}


async def _run_kv(namespace: KVNamespace, told: Told, buffer: bytes | None) -> Result:
    key = str(told.get("key", ""))
    match told["method"]:
        case "get":
            found = await namespace.get_with_metadata(key, cache_ttl=_whole(told, "cacheTtl"))
            return Result() if found is None else Result(json.dumps(found.metadata), found.value)
        case "get_many":
            wanted = told["keys"]
            assert isinstance(wanted, list)
            many = await namespace.get_many([str(one) for one in wanted], cache_ttl=_whole(told, "cacheTtl"))
            entries = [
                (
                    name,
                    None
                    if entry is None
                    else {
                        "value": entry.value.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace"),
                        "metadata": entry.metadata,
                    },
                )
                for name, entry in many.items()
            ]
            return Result(json.dumps(entries))
        case "put" | "check" as verb:
            expiration, ttl = _whole(told, "expiration"), _whole(told, "expirationTtl")
            metadata = json.loads(json.dumps(told["metadata"]))
            if verb == "check":
                namespace.check_put(key, expiration, ttl, metadata)
            else:
                await namespace.put(key, buffer or b"", expiration=expiration, expiration_ttl=ttl, metadata=metadata)
            return Result()
        case "delete":
            await namespace.delete(key)
            return Result()
        case _:
            cursor = told["cursor"]
            page = await namespace.list(
                prefix=str(told["prefix"]),
                limit=_whole(told, "limit"),
                cursor=rules.cursor_of_script(cursor) if isinstance(cursor, str) else None,
            )
            listed: dict[str, object] = {
                "keys": [_listed(one) for one in page.keys],
                "list_complete": page.cursor is None,
            }
            if page.cursor is not None:
                listed["cursor"] = page.cursor
            return Result(json.dumps({**listed, "cacheStatus": None}))


def _listed(key: ListResultKey) -> dict[str, object]:
    told: dict[str, object] = {"name": key.name}
    if key.expires_at is not None:
        told["expiration"] = key.expires_at
    if key.metadata is not None:
        told["metadata"] = key.metadata
    return told


def _whole(told: Told, name: str) -> int | None:
    value = told.get(name)
    return int(value) if isinstance(value, int | float) else None


def pairs(headers: Headers) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in headers.raw]


def _headers(told: object) -> Headers:
    assert isinstance(told, Sequence)
    return Headers([(str(name), str(value)) for name, value in told])
