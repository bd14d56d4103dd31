"""A worker: an isolate and what stands around it. A script's failure is logged here, once."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from edgeworker.errors import with_cause
from edgeworker.handler import NO_PROPS, Background, Context, Handler, ends_from_outside
from edgeworker.messages import URL, Access, BodyLost, Request, Response
from edgeworker.messages.log_fields import key_of_traceback, log_fields
from edgeworker.runtime.contract.activity import activity
from edgeworker.runtime.contract.isolate import ExceededLimits, Isolate, Scheduled, ScriptFailure
from edgeworker.runtime.contract.storage_failure import is_reported, storage_failure_line

if TYPE_CHECKING:  # most workers have no assets
    from edgeworker.assets import AssetServer

_log = logging.getLogger(__name__)
_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})


class Worker:
    """`background` takes what the script gives to waitUntil. `seconds` is how long it may take to answer a request.
    `assets` stand before the script's default entrypoint.
    """

    def __init__(
        self,
        name: str,
        isolate: Isolate,
        *,
        background: Background,
        seconds: float | None = None,
        assets: "AssetServer | None" = None,
        access: Access | None = None,
        access_with_assets: bool = False,
        exports: Callable[["Worker"], object] | None = None,
        engine: str = "",
    ) -> None:
        """`access` is what requests have that no Access in front of the worker let in: for developing. A worker with
        assets has no `ctx.access`, as in production, unless `access_with_assets`. `exports` makes the `ctx.exports` of
        its invocations. `engine` says what runs a JavaScript worker, and why.
        """
        self.name = name
        self.isolate = isolate
        self.engine = engine
        self._background = background
        self._seconds = seconds
        self._assets = assets
        self._access = access
        self._hides_access = assets is not None and not access_with_assets
        self._has_warned = False
        self._exports = None if exports is None else exports(self)

    async def run(
        self,
        request: Request,
        subrequests: Handler,
        *,
        entrypoint: str | None = None,
        props: Mapping[str, object] = NO_PROPS,
        by_binding: bool = False,
    ) -> Response:
        """One request. `subrequests` is where the `fetch()` of this invocation goes; `by_binding`: another worker calls
        this one, which Access does not stand in front of. Raises ScriptFailure."""
        if self._assets is not None and entrypoint is None:
            answer = await self._assets.front(request)
            if answer is not None:
                return answer
        if request.hops:  # another worker sent it
            request = _with_length(request)
        ctx = self._context(request, subrequests, props, by_binding=by_binding)
        try:
            with activity:
                if self._seconds is None:
                    return await self.isolate.fetch(request, ctx, entrypoint)
                return await self._in_time(self._seconds, request, ctx, entrypoint)
        except BaseException as error:
            if ends_from_outside(error):
                raise
            raise with_cause(self._failure(error, ctx), error) from error

    async def scheduled(self, event: Scheduled, subrequests: Handler) -> None:
        """One firing of a cron trigger. Raises ScriptFailure, also where the script has no handler for it."""
        ctx = self._context(
            Request("GET", URL("http", "localhost", 80, "/cdn-cgi/handler/scheduled", "")), subrequests, NO_PROPS
        )
        try:
            with activity:
                await self.isolate.scheduled(event, ctx)
        except BaseException as error:
            if ends_from_outside(error):
                raise
            raise with_cause(self._failure(error, ctx), error) from error

    async def call(
        self,
        method: str,
        args: Sequence[object],
        options: Mapping[str, object],
        *,
        caller: Context,
        entrypoint: str | None = None,
        props: Mapping[str, object] = NO_PROPS,
    ) -> object:
        """One RPC out of the invocation `caller`. An exception of the method is raised to its caller."""
        # Counted like a fetch, so that two workers that call each other come to an end.
        request = caller.request.replace(hops=caller.request.hops + 1)
        ctx = self._context(request, caller.subrequest, props, by_binding=True)
        return await self.isolate.call(method, args, options, ctx, entrypoint)

    async def _in_time(self, seconds: float, request: Request, ctx: Context, entrypoint: str | None) -> Response:
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                return await self.isolate.fetch(request, ctx, entrypoint)
        except TimeoutError as error:
            if not deadline.expired():  # the script's own
                raise
            raise ExceededLimits(f"the script did not answer within {seconds:g} s (limits.script_seconds)") from error

    async def close(self) -> None:
        await self.isolate.close()

    def _context(
        self, request: Request, subrequests: Handler, props: Mapping[str, object], *, by_binding: bool = False
    ) -> Context:
        ctx = Context(request, name=self.name, background=self._background, subrequest=subrequests, props=props)
        ctx.exports = self._exports
        ctx.access = None if by_binding else ctx.access or self._access
        if ctx.access is not None and self._hides_access:
            ctx.access = None
            self._warn_once()
        return ctx

    def _warn_once(self) -> None:
        if not self._has_warned:
            self._has_warned = True
            _log.warning(
                'worker "%s" has static assets, so its ctx.access is undefined, as on Cloudflare: verify the header '
                "Cf-Access-Jwt-Assertion instead, or set access_with_assets = true in [access] of edge.toml",
                self.name,
            )

    def _failure(self, error: BaseException, ctx: Context) -> ScriptFailure:
        request, about = ctx.request, log_fields(ctx.request)
        place = f"{request.method} {request.url.origin}{request.url.path}"
        if isinstance(error, BodyLost):
            # A client that goes away is not the script's fault, and any client could fill the log.
            _log.warning('worker "%s": %s (%s)', self.name, error, place, extra=about)
            return ScriptFailure(self.name, error, pass_through=ctx.passes_through)
        described = self.isolate.describe(error)
        if not is_reported(error, ctx):
            extra = {**about, "repeats": f"{self.name} {key_of_traceback(described)}"}
            shown = storage_failure_line(described) or f"\n{described}"
            _log.error('worker "%s": uncaught exception (%s)%s', self.name, place, shown, extra=extra)
        return ScriptFailure(self.name, error, pass_through=ctx.passes_through, described=described)


def _with_length(request: Request) -> Request:
    """With a Content-Length that is its body's, as far as that is known: what another worker sends has none."""
    if request.body is None or request.body.length is None:
        return request
    length = str(request.body.length)
    if request.headers.get("content-length") == length:
        return request
    headers = request.headers.without(_FRAMING)
    headers.append("Content-Length", length)
    return request.replace(headers=headers)
