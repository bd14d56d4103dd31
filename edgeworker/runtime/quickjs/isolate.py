"""One JavaScript worker in QuickJS. A realm that exceeded a limit is given up, and the worker is loaded again."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence

from edgeworker.errors import ScriptError
from edgeworker.handler import Context
from edgeworker.messages import Body, Request, Response
from edgeworker.runtime.contract.isolate import Scheduled
from edgeworker.runtime.contract.javascript import JavaScriptException
from edgeworker.runtime.contract.javascript_values import decode, encode
from edgeworker.runtime.quickjs.operations import Operations, pairs
from edgeworker.runtime.quickjs.platform import Platform
from edgeworker.runtime.quickjs.realm import Answer, Invocation, Realm
from edgeworker.runtime.quickjs.settings import WorkerSettings


class QuickJSIsolate:
    def __init__(self, settings: WorkerSettings) -> None:
        self.name = settings.name
        self._settings = settings
        self._exports: Mapping[str, object] = {}
        self._realm: Realm | None = None
        self._operations = Operations(settings)
        self._loading = asyncio.Lock()

    async def open(self) -> None:
        """Loads the modules. Raises ScriptError with file and line."""
        await self._running()
        if not self._handlers() and not self._names():
            raise ScriptError(
                f"{self._settings.project.main}: the worker has no event handlers; export a default object with a "
                "fetch(request, env, ctx) function"
            )

    async def fetch(self, request: Request, ctx: Context, entrypoint: str | None = None) -> Response:
        realm = await self._running()
        self._check(entrypoint)
        operations = self._operations
        invocation = realm.begin(ctx)
        try:
            told, content = self._describe(request, invocation)
            answer = await realm.call("fetch", {**told, **_target(ctx, entrypoint)}, content, invocation)
            response = operations.response(json.loads(answer.text), answer.buffer, invocation)
        except BaseException:
            realm.release(invocation)
            raise
        if response.body is None or response.body.complete is not None:
            realm.release(invocation)
        else:
            response.body = Body(_held(response.body, invocation, realm), length=response.body.length)
        return response

    async def scheduled(self, event: Scheduled, ctx: Context) -> None:
        if not self.handles("scheduled"):
            raise ScriptError(
                f'worker "{self.name}": there is no scheduled() handler; add one to the default export of '
                f"{self._settings.project.main}"
            )
        told = {"cron": event.cron, "scheduledTime": event.scheduled_time}
        answer = await self._event("scheduled", {**told, **_target(ctx, None)}, ctx)
        if json.loads(answer.text).get("noRetry"):
            event.no_retry = True

    async def call(
        self,
        method: str,
        args: Sequence[object],
        options: Mapping[str, object],
        ctx: Context,
        entrypoint: str | None = None,
    ) -> object:
        # A call of JavaScript has no keyword arguments: an object is its last argument, as Python Workers send it.
        self._check(entrypoint)
        values = [encode(arg) for arg in (*args, *([dict(options)] if options else []))]
        told = {"method": method, "values": values, **_target(ctx, entrypoint)}
        return decode(json.loads((await self._event("call", told, ctx)).text))

    def entrypoints(self) -> Collection[str]:
        return ("default", *self._names())

    def handles(self, event: str) -> bool:
        return event in self._handlers()

    def describe(self, error: BaseException) -> str:
        if isinstance(error, JavaScriptException):
            return error.stack or str(error)
        return f"{type(error).__name__}: {error}"

    async def close(self) -> None:
        realm, self._realm = self._realm, None
        if realm is not None:
            await realm.close()

    async def _running(self) -> Realm:
        """The realm; a new one where the last one was given up."""
        if self._realm is not None and not self._realm.broken:
            return self._realm
        async with self._loading:  # one request loads it, and others wait for that
            if self._realm is not None:
                if not self._realm.broken:
                    return self._realm
                await self._realm.close()
            operations = Operations(self._settings)
            platform = Platform(self._settings.clock, operations.bodies.tee, operations.forget_body)
            realm = Realm(self._settings, operations.run, platform, operations.answer, operations.bodies.release)
            operations.realm = realm
            try:
                self._exports = await realm.open()
            except BaseException:
                await realm.close()
                raise
            self._realm, self._operations = realm, operations
            return realm

    async def _event(self, kind: str, told: Mapping[str, object], ctx: Context) -> Answer:
        realm = await self._running()
        invocation = realm.begin(ctx)
        try:
            return await realm.call(kind, told, None, invocation)
        finally:
            realm.release(invocation)

    def _describe(self, request: Request, invocation: Invocation) -> tuple[dict[str, object], bytes | None]:
        body: object = None
        content: bytes | None = None
        if request.body is not None:
            content = request.body.complete
            if content is None:
                id = self._operations.bodies.hold(request.body, None, invocation.id)
                body = {"id": id, "encoding": None, "length": request.body.length}
            else:
                content = request.body.take_complete()
                body = "bytes"
        told = {
            "url": request.url.href,
            "method": request.method,
            "headers": pairs(request.headers),
            "cf": request.cf,
            "body": body,
        }
        return told, content

    def _check(self, entrypoint: str | None) -> None:
        if entrypoint is not None and entrypoint not in self._names():
            raise ScriptError(
                f'worker "{self.name}" has no entrypoint "{entrypoint}"; it exports: {", ".join(self.entrypoints())}'
            )

    def _handlers(self) -> Sequence[str]:
        found = self._exports.get("default")
        return found if isinstance(found, list) else ()

    def _names(self) -> Sequence[str]:
        found = self._exports.get("names")
        return found if isinstance(found, list) else ()


def _target(ctx: Context, entrypoint: str | None) -> dict[str, object]:
    return {"entrypoint": entrypoint, "props": encode(dict(ctx.props))}


async def _held(body: Body, invocation: Invocation, realm: Realm) -> AsyncIterator[bytes]:
    """The body; the invocation may fetch until its end."""
    try:
        async for piece in body.stream():
            yield piece
    finally:
        realm.release(invocation)
        await body.close()
