"""One JavaScript worker in QuickJS. A realm that exceeded a limit is given up, and the worker is loaded again."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Final

from edgeworker.handler import Context
from edgeworker.messages import Body, Request, Response
from edgeworker.runtime.contract.isolate import Scheduled
from edgeworker.runtime.contract.javascript_exports import JavaScriptExports, describe_error, encode_arguments
from edgeworker.runtime.contract.javascript_values import decode, encode
from edgeworker.runtime.quickjs.adapter import Crossing
from edgeworker.runtime.quickjs.invocation import Answer, Invocation, write_fields
from edgeworker.runtime.quickjs.operations import Operations
from edgeworker.runtime.quickjs.platform import Platform
from edgeworker.runtime.quickjs.realm import Realm
from edgeworker.runtime.quickjs.settings import EmbeddedSettings

# Fields that say how a connection carries the answer, which is the edge's own affair.
_CONNECTION_FIELDS: Final = frozenset({b"connection", b"keep-alive", b"transfer-encoding"})


class QuickJSIsolate:
    def __init__(self, settings: EmbeddedSettings) -> None:
        self.name = settings.name
        self._settings = settings
        self._exports = JavaScriptExports(self.name, settings.project.main)
        self._realm: Realm | None = None
        self._retired: list[Realm] = []  # in which requests still run
        self._operations = Operations(settings)
        self._load_lock = asyncio.Lock()

    async def open(self) -> None:
        """Loads the modules. Raises ScriptError with file and line."""
        await self._ensure_realm()
        self._exports.check_some()

    async def fetch(self, request: Request, ctx: Context, entrypoint: str | None = None) -> Response:
        realm = await self._ensure_realm()
        self._exports.check_entrypoint(entrypoint)
        operations = self._operations
        invocation = realm.begin(ctx, request.cf)
        try:
            made = await realm.request(
                invocation, *_list_target_parts(ctx, entrypoint), *self._split_request(request, invocation)
            )
            response = operations.response(made, invocation)
            response.headers = response.headers.without(_CONNECTION_FIELDS)
        except BaseException:
            realm.release(invocation)
            raise
        if response.body is None or response.body.complete is not None:
            realm.release(invocation)
        else:
            response.body = Body(_stream_body(response.body, invocation, realm), length=response.body.length)
        return response

    async def scheduled(self, event: Scheduled, ctx: Context) -> None:
        self._exports.check_scheduled()
        told = {"cron": event.cron, "scheduledTime": event.scheduled_time}
        realm = await self._ensure_realm()
        invocation = realm.begin(ctx)
        try:
            await realm.call("scheduled", {**told, **_describe_target(ctx, None)}, None, invocation)
        finally:
            event.no_retry = invocation.no_retry
            realm.release(invocation)

    async def call(
        self,
        method: str,
        args: Sequence[object],
        options: Mapping[str, object],
        ctx: Context,
        entrypoint: str | None = None,
    ) -> object:
        self._exports.check_entrypoint(entrypoint)
        values = encode_arguments(args, options)
        told = {"method": method, "values": values, **_describe_target(ctx, entrypoint)}
        return decode(json.loads((await self._dispatch_event("call", told, ctx)).text))

    def entrypoints(self) -> Collection[str]:
        return self._exports.entrypoints()

    def handles(self, event: str) -> bool:
        return event in self._exports.handlers

    def describe(self, error: BaseException) -> str:
        return describe_error(error)

    async def close(self) -> None:
        realm, self._realm = self._realm, None
        for one in (*self._retired, *([] if realm is None else [realm])):
            await one.close()

    async def _ensure_realm(self) -> Realm:
        """The realm; a new one where the last one was given up."""
        if self._realm is not None and not self._realm.broken and not self._realm.retiring:
            return self._realm
        async with self._load_lock:  # one request loads it, and others wait for that
            if self._realm is not None:
                if not self._realm.broken and not self._realm.retiring:
                    return self._realm
                # One that others finish in is enough: each may hold as much memory as an isolate may have.
                *older, newest = (*self._retired, self._realm)
                self._retired = [] if newest.broken else [newest]
                for realm in (*older, *([newest] if newest.broken else [])):
                    await realm.close()
            operations = Operations(self._settings)
            platform = Platform(self._settings.clock, operations.bodies.tee, operations.forget_body)
            realm = Realm(self._settings, operations, platform)
            operations.realm = operations.sockets.realm = realm
            realm.on_break = operations.sockets.lose_all
            try:
                self._exports = self._exports.told(await realm.open())
            except BaseException:
                await realm.close()
                raise
            self._realm, self._operations = realm, operations
            return realm

    async def _dispatch_event(self, kind: str, told: Mapping[str, object], ctx: Context) -> Answer:
        realm = await self._ensure_realm()
        invocation = realm.begin(ctx)
        try:
            return await realm.call(kind, told, None, invocation)
        finally:
            realm.release(invocation)

    def _split_request(self, request: Request, invocation: Invocation) -> tuple[Crossing, ...]:
        """URL, method, fields, and the body: None, "bytes" for the buffer, or what the edge holds, as JSON."""
        body: str | None = None
        content: bytes | None = None
        if request.body is not None:
            content = request.body.complete
            if content is None:
                id = self._operations.bodies.hold(request.body, None, invocation.id)
                body = json.dumps({"id": id, "encoding": None, "length": request.body.length})
            else:
                content = request.body.take_complete()
                body = "bytes"
        fields = write_fields(request.headers)
        invocation.asked = fields, request.headers
        return request.url.href, request.method, fields, body, content


def _list_target_parts(ctx: Context, entrypoint: str | None) -> tuple[Crossing, ...]:
    """The entrypoint, its properties as JSON, and the audience of an Access application."""
    props = json.dumps(encode(dict(ctx.props))) if ctx.props else None
    return entrypoint, props, None if ctx.access is None else ctx.access.audience


def _describe_target(ctx: Context, entrypoint: str | None) -> dict[str, object]:
    audience = None if ctx.access is None else ctx.access.audience
    return {"entrypoint": entrypoint, "props": encode(dict(ctx.props)), "audience": audience}


async def _stream_body(body: Body, invocation: Invocation, realm: Realm) -> AsyncIterator[bytes]:
    """The body; the invocation may fetch until its end."""
    try:
        async for piece in body.stream():
            yield piece
    finally:
        realm.release(invocation)
        await body.close()
