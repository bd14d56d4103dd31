"""What a script asks the edge for and waits for: fetch(), bodies, KV, other workers, the Cache API, WebCrypto."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from edgeworker import messages
from edgeworker.errors import EdgeworkerError
from edgeworker.handler import Context, Handler
from edgeworker.messages import URL, Body, InvalidURL
from edgeworker.runtime.contract.javascript import (
    EnvEntry,
    EnvFetcher,
    EnvMethods,
    EnvService,
    JavaScriptError,
    JavaScriptException,
    OwnEntrypoints,
)
from edgeworker.runtime.contract.javascript_values import decode, encode
from edgeworker.runtime.quickjs import kv_calls, node_ciphers
from edgeworker.runtime.quickjs.adapter import HostFunction
from edgeworker.runtime.quickjs.bodies import Bodies
from edgeworker.runtime.quickjs.documents import Documents, check_selector
from edgeworker.runtime.quickjs.invocation import (
    Invocation,
    OperationFailed,
    Parts,
    Result,
    ScriptRequest,
    ScriptResponse,
    read_fields,
    write_fields,
)
from edgeworker.runtime.quickjs.realm import Realm
from edgeworker.runtime.quickjs.settings import EmbeddedSettings
from edgeworker.runtime.quickjs.sockets import ScriptWebSockets
from edgeworker.runtime.quickjs.subtle import Keys
from edgeworker.runtime.webapi import body_init, encodings, perform_fetch
from edgeworker.runtime.webapi.cache import Cache
from edgeworker.runtime.webapi.fetch import Request as JSRequest
from edgeworker.runtime.webapi.fetch import Response as JSResponse

_log = logging.getLogger(__name__)

_NO_REQUEST: Final = "This fetch() belongs to no request: it was made outside of a handler."

Arguments = Mapping[str, object]


class Operations:
    """Of one realm, which is given later: it needs these first."""

    def __init__(self, settings: EmbeddedSettings) -> None:
        self._settings = settings
        self.bodies = Bodies()
        self.sockets = ScriptWebSockets()
        self._keys = Keys()
        self._documents = Documents()
        self.realm: Realm | None = None

    def functions(self, find_invocation: Callable[[int], Invocation]) -> dict[str, HostFunction]:
        """What is answered at once and concerns bodies, documents or WebSockets."""
        return {
            "html": lambda of, text, buffer: self._rewrite_html(find_invocation(of), text, buffer),
            "html_selector": check_selector,
            "html_part": self._documents.use,
            "socket_accept": lambda number, of: self.sockets.accept(number, find_invocation(of)),
            "socket_out": self.sockets.send,
        }

    def _rewrite_html(self, invocation: Invocation, text: str, buffer: bytes | None) -> int:
        """The number of the body that comes out."""
        assert self.realm is not None
        told = json.loads(text)
        body, coding = self._take_body(told["body"], buffer, invocation)
        source = encodings.decode((body or Body(b"")).stream(), coding)
        return self.bodies.hold(
            Body(self._documents.rewrite(told, source, self.realm, invocation)), None, invocation.id
        )

    def forget_body(self, id: int) -> None:
        """The script does not want the rest of it."""
        if self.realm is not None:
            self.realm.spawn(self.bodies.close(id))

    def peek(self, name: str, key: str, cache_ttl: int | None) -> str | bool | None:
        """The text under a key; None if there is none, True where `run` has to be asked."""
        return kv_calls.peek(self._settings.env.get(name), key, cache_ttl)

    def holds_bodies_of(self, invocation: int) -> bool:
        return self.bodies.has_any_of(invocation) or self.sockets.has_any_of(invocation)

    async def release_bodies(self, invocation: int) -> None:
        self.sockets.close_unused(invocation)
        await self.bodies.release(invocation)

    async def fetch(self, request: ScriptRequest, invocation: Invocation) -> Parts:
        """The parts of the response, as rt/fetch.js receives them. Raises what `describe_failure` knows."""
        ctx = invocation.ctx
        if ctx is None:
            raise OperationFailed("Error", _NO_REQUEST)
        target = None if request.target is None else self._find_target(json.loads(request.target), ctx)
        sent = self._build_request(request, invocation)
        if (sent.headers.get("upgrade") or "").lower() == "websocket":
            from edgeworker.runtime.quickjs import origin_websocket  # most scripts open none

            fetched = await origin_websocket.open_connection(sent, ctx, target)
        else:
            fetched = await perform_fetch.perform(sent, ctx, target)
        return self._describe_response(fetched.response, fetched.url, invocation, redirected=fetched.redirected)

    async def run(self, name: str, text: str, buffer: bytes | None, invocation: Invocation) -> Parts:
        """Raises what `describe_failure` knows."""
        return (await self._run(name, text, buffer, invocation)).parts

    async def _run(self, name: str, text: str, buffer: bytes | None, invocation: Invocation) -> Result:
        told = json.loads(text)
        match name:
            case "read":
                piece = await self.bodies.read(told["id"])
                return Result() if piece is None else Result(buffer=piece)
            case "read_all":
                return Result(buffer=await self.bodies.read_all(told["id"]))
            case "kv":
                return await kv_calls.run(self._settings.env, told, buffer, invocation.ctx)
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

    def _find_target(self, name: object, ctx: Context) -> Handler | None:
        if name is None:
            return None
        match self._find_entry(name, ctx):
            case EnvService(worker):
                return worker.handler(ctx)
            case EnvFetcher(handler):
                return handler
            case _:
                raise OperationFailed("TypeError", f"env.{name} has no fetch()")

    def _find_entry(self, name: object, ctx: Context | None) -> EnvEntry | None:
        """What stands behind a name of `env`, or behind one of `ctx.exports` ({"own": name, "props": ...})."""
        match name:
            case str():
                return self._settings.env.get(name)
            case {"own": str(own), "props": props} if ctx is not None and isinstance(ctx.exports, OwnEntrypoints):
                values = decode(props)
                return EnvService(ctx.exports.service_of(own, values if isinstance(values, dict) else {}))
            case _:
                return None

    def _build_request(self, wanted: ScriptRequest, invocation: Invocation) -> messages.Request:
        assert invocation.ctx is not None
        incoming = invocation.ctx.request.url
        try:
            url = incoming if wanted.url == incoming.href else URL.parse(wanted.url)
        except InvalidURL as error:
            raise OperationFailed("TypeError", f"Invalid URL: {error}") from error
        held = self._take_body(wanted.body, wanted.buffer, invocation)
        body = held[0]
        if body is not None and held[1] is not None:
            body = Body(encodings.decode(body.stream(), held[1]))
        cf = json.loads(wanted.cf) if isinstance(wanted.cf, str) else dict(invocation.cf or {}) if wanted.cf else None
        return messages.Request(
            wanted.method,
            url,
            read_fields(wanted.headers, invocation.asked),
            body,
            redirect="manual" if wanted.redirect == "manual" else "follow",
            cf=cf if isinstance(cf, dict) else None,
        )

    def _take_body(self, told: object, buffer: bytes | None, invocation: Invocation) -> tuple[Body | None, str | None]:
        """A body as the script sent it, and the coding that it is in already."""
        if told is None:
            return None, None
        if told == "bytes":
            return Body(buffer or b""), None
        match json.loads(str(told)):
            case {"native": int(id)}:
                held = self.bodies.take(id)
                return held.body, held.coding
            case {"stream": int(id), **rest}:
                assert self.realm is not None
                length = rest.get("length")
                return Body(self.realm.stream(id, invocation), length=length if isinstance(length, int) else None), None
            case _:
                raise OperationFailed("TypeError", "The body is not one of the edge's.")

    def response(self, told: ScriptResponse, invocation: Invocation) -> messages.Response:
        """A response that the script made."""
        body, coding = self._take_body(told.body, told.buffer, invocation)
        made = messages.Response(
            told.status, read_fields(told.headers, invocation.received), body, status_text=told.status_text
        )
        if told.web_socket is not None and isinstance(socket := json.loads(told.web_socket), dict):
            self.sockets.attach(made, socket, invocation)
        return body_init.encode_as_declared(made, coding, automatic=told.automatic)

    def _describe_response(
        self, response: messages.Response, url: str, invocation: Invocation, *, redirected: bool = False
    ) -> Parts:
        """A response for the script. A short body that is there already goes with it."""
        coding = encodings.find_coding(response.headers)
        body: str | None = None
        content = None
        if response.body is not None:
            content = response.body.complete if coding is None else None
            if content is None:
                id = self.bodies.hold(response.body, coding, invocation.id)
                body = json.dumps({"id": id, "encoding": coding, "length": response.body.length})
            else:
                body = "bytes"
        fields, held = write_fields(response.headers), self.sockets.hold(response, invocation.id)
        invocation.received = fields, response.headers
        return response.status, response.status_text, fields, url, redirected, body, content, held

    async def _call(self, told: Arguments, invocation: Invocation) -> Result:
        decoded = decode(told["values"])
        values = decoded if isinstance(decoded, list) else []
        method = str(told["method"])
        call: Callable[[], Awaitable[object]]
        match self._find_entry(told["name"], invocation.ctx):
            case EnvService(worker):
                ctx = invocation.ctx
                if ctx is None:
                    raise OperationFailed("Error", _NO_REQUEST)
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

    async def _use_cache(self, told: Arguments, buffer: bytes | None, invocation: Invocation) -> Result:
        cache = Cache(self._settings.cache, self._settings.clock, str(told["name"]))
        asked = told["request"]
        assert isinstance(asked, dict)
        request = JSRequest.over(
            messages.Request(str(asked["method"]), URL.parse(str(asked["url"])), read_fields(str(asked["headers"])))
        )
        options = {"ignoreMethod": bool(told["ignoreMethod"])}
        match told["method"]:
            case "match":
                found = await cache.match(request, options)
                if found is None:
                    return Result()
                status, phrase, fields, url, _, body, content, _ = self._describe_response(
                    found.core, found.core.url, invocation
                )
                parts = {"status": status, "statusText": phrase, "headers": fields, "url": url, "body": body}
                return Result(json.dumps(parts), content if isinstance(content, bytes) else None)
            case "put":
                response = told["response"]
                assert isinstance(response, dict)
                status = response["status"]
                assert isinstance(status, int)
                body = response["body"]
                made = ScriptResponse(
                    status,
                    str(response["statusText"]),
                    str(response["headers"]),
                    bool(response["automatic"]),
                    None if body is None else str(body),
                    None,
                    buffer,
                )
                await cache.put(request, JSResponse.over(self.response(made, invocation)))
                return Result()
            case _:
                return Result(json.dumps(await cache.delete(request, options)))
