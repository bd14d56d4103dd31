"""One JavaScript worker in the child: requests, cron triggers and RPC go there as HTTP over a unix socket."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Final

from edgeworker.errors import EdgeworkerError
from edgeworker.handler import Context
from edgeworker.javascript.project import Project
from edgeworker.javascript.stack import map_stack
from edgeworker.kv.namespace import KVNamespace
from edgeworker.messages import URL, Body, Headers, NameTable, Request, Response, Upgrade
from edgeworker.runtime.contract.isolate import ExceededLimits, LostWithIsolate, Scheduled
from edgeworker.runtime.contract.javascript import JavaScriptException
from edgeworker.runtime.contract.javascript_exports import JavaScriptExports, describe_error, encode_arguments
from edgeworker.runtime.contract.javascript_values import decode
from edgeworker.runtime.workerd.capnp import AUDIENCE_PROPERTY, CF_FIELD, SCHEME_FIELD
from edgeworker.runtime.workerd.entry_module import EVENT_FIELD
from edgeworker.runtime.workerd.invocation import Invocation
from edgeworker.runtime.workerd.kept_reads import KeptReads

if TYPE_CHECKING:
    from edgeworker.runtime.workerd.engine import WorkerdEngine

_log = logging.getLogger(__name__)

_FAILURE: Final = "ew-failure"
_PENDING: Final = "ew-pending"
_write_json: Final = json.JSONEncoder(separators=(",", ":")).encode  # as JSON.stringify() writes it back
_SCHEME: Final = SCHEME_FIELD.encode()
_CF: Final = CF_FIELD.encode()
_IS_REPLACED: Final[NameTable[bytes, bool]] = NameTable(lambda name: name.lower().startswith((b"ew-", b"cf-ray")))
_FAILURE_BYTES: Final = 1024 * 1024
_EVENT_URL: Final = URL("http", "localhost", 80, "/cdn-cgi/edgeworker/event", "")


class WorkerdIsolate:
    """`namespaces` are all that its env has."""

    def __init__(
        self, name: str, project: Project, engine: "WorkerdEngine", namespaces: Sequence[KVNamespace] = ()
    ) -> None:
        self.name = name
        self.project = project
        self._engine = engine
        self._exports = JavaScriptExports(self.name, project.main)
        # The last `cf` and its text: nearly all requests have one object between them.
        self._cf: Mapping[str, object] | None = None
        self._cf_text = b""
        self.kept = KeptReads()
        self._namespaces = namespaces
        self._telling: asyncio.Future[None] | None = None

    async def open(self) -> None:
        """Waits until the child runs. Raises ScriptError with file and line for a script that it refuses."""
        await self._engine.start()
        told = await self._dispatch_event("describe", {}, None)
        self._exports = self._exports.told(told)
        self._exports.check_some()

    async def fetch(self, request: Request, ctx: Context, entrypoint: str | None = None) -> Response:
        if self._namespaces and (self._telling is not None or self._decide_what_is_kept() is not None):
            await self._tell_what_is_kept()
        invocation = self._engine.bridge.begin(self.name, request.headers.get("cf-ray"), ctx)
        try:
            sent = request.replace(headers=self._add_link_fields(request, invocation, ctx))
            response = await self._read_answer(await self._engine.send(self, entrypoint, sent, invocation), invocation)
        except BaseException:
            invocation.release()
            raise
        if response.upgrade is not None:
            response.upgrade = _InvocationUpgrade(response.upgrade, invocation)
        elif response.body is None or response.body.complete is not None:
            invocation.release()
        else:
            response.body = Body(_stream_body(response.body, invocation), length=response.body.length)
        return response

    def _decide_what_is_kept(self) -> bool | None:
        return self.kept.decide(self._engine.bridge.kv_state(self._namespaces), now=monotonic())

    async def _tell_what_is_kept(self) -> None:
        """So that the child does not answer the next request from before a write. One message at a time: they come on
        any connection."""
        while self._telling is not None:
            await asyncio.wait([self._telling])
        keeps = self._decide_what_is_kept()
        if keeps is None:
            return
        # Several requests may wait for it; one that is given up must not end it for the others.
        self._telling = asyncio.ensure_future(self._tell(keeps=keeps))
        await asyncio.wait([self._telling])

    async def _tell(self, *, keeps: bool) -> None:
        try:
            await self._dispatch_event("keep", {"keeps": keeps}, None)
            self.kept.told(keeps=keeps)
        except (EdgeworkerError, ExceededLimits, LostWithIsolate) as error:
            # The child is gone or about to be; the request that comes next learns why.
            _log.debug('worker "%s": what it keeps of KV is not told: %s', self.name, error)
        finally:
            self._telling = None

    async def scheduled(self, event: Scheduled, ctx: Context) -> None:
        self._exports.check_scheduled()
        try:
            told = await self._dispatch_event(
                "scheduled", {"cron": event.cron, "scheduledTime": event.scheduled_time}, ctx
            )
        except JavaScriptException as error:
            event.no_retry = error.no_retry
            raise
        if isinstance(told, dict) and told.get("noRetry"):
            event.no_retry = True

    async def call(
        self,
        method: str,
        args: Sequence[object],
        options: Mapping[str, object],
        ctx: Context,
        entrypoint: str | None = None,
    ) -> object:
        values = encode_arguments(args, options)
        return decode(await self._dispatch_event("call", {"method": method, "args": values}, ctx, entrypoint))

    def entrypoints(self) -> Collection[str]:
        return self._exports.entrypoints()

    def handles(self, event: str) -> bool:
        return event in self._exports.handlers

    def describe(self, error: BaseException) -> str:
        return describe_error(error)

    async def close(self) -> None:
        await self._engine.close_one(self)

    async def _dispatch_event(
        self, kind: str, told: Mapping[str, object], ctx: Context | None, entrypoint: str | None = None
    ) -> object:
        content = json.dumps(told).encode()
        request = Request("POST", _EVENT_URL, Headers({"Content-Type": "application/json"}), Body(content))
        invocation = self._engine.bridge.begin(self.name, None, ctx)
        headers = self._add_link_fields(request, invocation, ctx)
        headers.set(EVENT_FIELD, kind)
        try:
            answer = await self._engine.send(self, entrypoint, request.replace(headers=headers), invocation)
            response = await self._read_answer(answer, invocation)
            content = b"{}" if response.body is None else await response.body.read()
        finally:
            invocation.release()
        value: object = json.loads(content).get("value")
        return value

    def _add_link_fields(self, request: Request, invocation: Invocation, ctx: Context | None) -> Headers:
        """With what the child is told beside the request. The entry module takes the audience out of `cf` again."""
        fields = [field for field in request.headers.raw if not _IS_REPLACED[field[0]]]
        fields.append((b"CF-Ray", invocation.ray.encode("latin-1", "replace")))
        fields.append((_SCHEME, request.url.scheme.encode()))
        cf = request.cf
        if cf is not None and AUDIENCE_PROPERTY in cf:  # of a worker that would say for itself who was let in
            cf = {name: value for name, value in cf.items() if name != AUDIENCE_PROPERTY}
        invocation.cf = cf or {}
        if ctx is not None and ctx.access is not None and ctx.access.audience is not None:
            cf = {**(cf or {}), AUDIENCE_PROPERTY: ctx.access.audience}
        if cf is not None:
            if cf is not self._cf:
                self._cf, self._cf_text = cf, _write_json(cf).encode("ascii")
            invocation.cf_text = self._cf_text
            fields.append((_CF, invocation.cf_text))
        return Headers.from_raw(fields)

    async def _read_answer(self, response: Response, invocation: Invocation) -> Response:
        """Raises what the script threw; takes our own fields off."""
        ctx = invocation.ctx
        if response.headers.has(_FAILURE):
            told = json.loads(b"{}" if response.body is None else await response.body.read(limit=_FAILURE_BYTES))
            if told.get("passesThrough") and ctx is not None:
                ctx.pass_through_on_exception()
            stack = map_stack(str(told.get("stack", "")), self.project)
            no_retry = told.get("noRetry") is True
            raise JavaScriptException(str(told.get("name", "")), str(told.get("message", "")), stack, no_retry=no_retry)
        if response.headers.has(_PENDING):
            response.headers.delete(_PENDING)
            if ctx is not None:
                ctx.wait_until(invocation.wait())
        return response


async def _stream_body(body: Body, invocation: Invocation) -> AsyncIterator[bytes]:
    """The body; the invocation may fetch until its end."""
    pieces = body.stream()
    try:
        async for piece in pieces:
            yield piece
    finally:
        invocation.release()
        await body.close()


class _InvocationUpgrade:
    """A WebSocket's connection; its events belong to the invocation until it is closed."""

    def __init__(self, upgrade: Upgrade, invocation: Invocation) -> None:
        self._upgrade = upgrade
        self._invocation: Invocation | None = invocation

    async def receive(self) -> bytes:
        data = await self._upgrade.receive()
        if not data:
            self._release()
        return data

    async def send(self, data: bytes) -> None:
        await self._upgrade.send(data)

    def close(self) -> None:
        self._release()
        self._upgrade.close()

    def _release(self) -> None:
        invocation, self._invocation = self._invocation, None
        if invocation is not None:
            invocation.release()
