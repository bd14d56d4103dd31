"""The auth worker: /authorize, /login, /code (consent), /logout, /signup. What it decides is in the package issuer."""

import asyncio
import logging
import sys
import time

from workers import Response, WorkerEntrypoint, fetch

from issuer import auth_server, incoming, settings
from issuer.hints import MAX_DOCUMENT_LENGTH, Hints
from issuer.sessions import Sessions
from issuer.storage import Storage
from issuer.unavailable import Unavailable
from issuer.visits import Asked, Isolate, Visit

_log = logging.getLogger("oauth")

_JWKS_TIMEOUT_SECONDS = 10

# A local edge knows the variables while it loads a script: then a wrong one stops it here, before any request. On
# Cloudflare a loaded script is kept as a snapshot, in which nothing of `env` may be held.
if sys.platform != "emscripten":
    from workers import env

    if dir(env):
        try:
            settings.read(env)
        except settings.SettingError as error:
            raise error.with_traceback(None) from None  # its text says all; how it was found helps nobody


class Default(WorkerEntrypoint):
    # One for the isolate. An isolate's variables never change, but `env` is known only when there is a request.
    isolate = None

    async def fetch(self, request):
        if Default.isolate is None:
            Default.isolate = _isolate(self.env)
        isolate, env = Default.isolate, self.env
        namespace = _Guarded(env.TOKENS)
        visit = Visit(
            asked=_asked(request),
            isolate=isolate,
            store=Storage(env, isolate.settings),
            sessions=Sessions(namespace, isolate.settings),
            failures=_Counters(env.TOKENS),
            limit=lambda key: incoming.may_try(env, "LOGIN_LIMIT", key),
        )
        reply = await auth_server.answer(visit)
        text = None if visit.asked.method == "HEAD" else reply.text
        return Response(text, status=reply.status, headers=list(reply.fields))


def _isolate(env):
    known = settings.read(env)
    hints = Hints(known.issuer, lambda: _own_keys(env, known.url("/jwks")))
    return Isolate(known, lambda token: hints.claims(token, now=time.time()))


def _asked(request):
    headers = request.headers
    path, query = incoming.path_and_query(request)
    return Asked(
        method=incoming.method(request),
        path=path,
        query=query,
        cookie=headers.get("cookie"),
        address=headers.get("cf-connecting-ip"),
        content_type=headers.get("content-type"),
        fetch_site=headers.get("sec-fetch-site"),
        body=lambda limit: incoming.bounded(request, limit),
        now=int(time.time()),
    )


async def _own_keys(env, url):
    """The text of the issuer's JWK set, from the token worker where that is bound. Raises OSError."""
    bound = getattr(env, "TOKEN_WORKER", None)
    get = fetch if bound is None else bound.fetch

    async def text():
        response = await get(url, headers={"accept": "application/json"}, redirect="manual")
        if response.status != 200:
            raise OSError(f"{url} answered {response.status}")
        return (await incoming.bounded(response, MAX_DOCUMENT_LENGTH)).decode("utf-8", "replace")

    try:
        return await asyncio.wait_for(text(), _JWKS_TIMEOUT_SECONDS)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001  a binding raises what the other worker did
        raise OSError(f"{url}: {error!r}") from None


class _Guarded:
    """A KV namespace whose every error says that it does not answer."""

    def __init__(self, namespace):
        self._namespace = namespace

    async def get(self, key):
        return await self._do("get", key)

    async def put(self, key, value, *, expirationTtl):
        return await self._do("put", key, value, expirationTtl=expirationTtl)

    async def delete(self, key):
        return await self._do("delete", key)

    async def _do(self, name, *args, **options):
        try:
            return await getattr(self._namespace, name)(*args, **options)
        except Exception as error:  # noqa: BLE001  whatever goes wrong with KV, nothing may pass without it
            raise Unavailable(f"TOKENS.{name}: {error!r}") from None


class _Counters(_Guarded):
    """Failed logins. KV takes one write a second of a key; one that it refuses is counted in the isolate only."""

    async def put(self, key, value, *, expirationTtl):
        try:
            await super().put(key, value, expirationTtl=expirationTtl)
        except Unavailable as error:
            _log.warning("a failed login could not be noted: %s", error)
