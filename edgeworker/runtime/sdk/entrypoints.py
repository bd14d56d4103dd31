"""`WorkerEntrypoint`, `DurableObject`, `WorkflowEntrypoint`, `handler`: what a script builds on."""

import functools
from collections.abc import Awaitable, Callable

from edgeworker.handler import Context
from edgeworker.messages import Access
from edgeworker.runtime.sdk.raw_env import RawEnv
from edgeworker.runtime.sdk.request import Request
from edgeworker.runtime.webapi.data import as_objects
from edgeworker.runtime.webapi.fetch import Request as JSRequest


class ScriptContext:
    """`self.ctx` of a script: one invocation's `waitUntil`, `passThroughOnException`, `props` and `access`."""

    __slots__ = ("_context",)

    def __init__(self, context: Context) -> None:
        self._context = context

    def waitUntil(self, work: Awaitable[object], /) -> None:
        self._context.wait_until(work)

    def passThroughOnException(self) -> None:
        self._context.pass_through_on_exception()

    @property
    def props(self) -> object:
        return as_objects(self._context.props)

    @property
    def access(self) -> "AccessView | None":
        """None if the request did not come through Access."""
        found = self._context.access
        return None if found is None else AccessView(found)

    @property
    def exports(self) -> object:
        return self._context.exports

    def __getattr__(self, name: str) -> object:
        """Raises AttributeError; the runtime's names are JavaScript's."""
        spelled = {"wait_until": "waitUntil", "pass_through_on_exception": "passThroughOnException"}.get(name)
        hint = "" if spelled is None else f"; the name is {spelled}"
        raise AttributeError(f"ctx has no attribute {name!r}{hint}", name=name, obj=self)


class AccessView:
    """`ctx.access`: `aud` is the application's audience, `getIdentity()` what get-identity answers.

    https://developers.cloudflare.com/workers/runtime-apis/context/#access
    """

    __slots__ = ("_access",)

    def __init__(self, access: Access) -> None:
        self._access = access

    @property
    def aud(self) -> str:
        return self._access.audience

    async def getIdentity(self) -> object:
        """None for a service token, which has no identity."""
        identity = await self._access.find_identity()
        return None if identity is None else as_objects(identity)

    def __repr__(self) -> str:
        return f"Access(aud={self.aud!r})"


class WorkerEntrypoint:
    """A script's `Default` and its named entrypoints. A fresh object is made for each event."""

    ctx: ScriptContext
    env: object

    def __init__(self, ctx: ScriptContext, env: object) -> None:
        self.ctx = ctx
        self.env = env


class DurableObject:
    """Importable, so that a script which also has one loads; Durable Objects are not emulated."""

    def __init__(self, ctx: object, env: object) -> None:
        self.ctx = ctx
        self.env = env


class WorkflowEntrypoint:
    """Importable, so that a script which also has one loads; Workflows are not emulated."""

    def __init__(self, ctx: object, env: object) -> None:
        self.ctx = ctx
        self.env = env


def handler(function: Callable[..., object]) -> Callable[..., object]:
    """For `on_fetch`: the raw request of JavaScript becomes a `workers.Request`, and bindings convert."""

    @functools.wraps(function)
    def converted(*args: object, **options: object) -> object:
        if args and isinstance(args[0], JSRequest):
            args = (Request(args[0]), *args[1:])
        if len(args) > 1 and isinstance(args[1], RawEnv):
            args = (args[0], args[1].converted, *args[2:])
        return function(*args, **options)

    return converted
