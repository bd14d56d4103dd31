"""The auth worker: /authorize, /login, /code (consent), /logout, /signup. The package `issuer` has what it does."""

import logging
import sys
import time
from collections.abc import Awaitable, Callable

from issuer import auth_router, id_token_hint, sdk_requests, settings
from issuer.id_token_hint import IDTokenHint
from issuer.page_context import AuthServer, PageContext, PageRequest
from issuer.sessions import SessionStore
from issuer.settings import SettingError
from issuer.storage import IssuerStorage
from issuer.store_bindings import GuardedNamespace, Unavailable
from verifier.worker_bindings import request_method
from workers import Request, Response, WorkerEntrypoint, fetch

_log = logging.getLogger("oauth")

# A local edge knows the variables while it loads a script, so a wrong one is reported then, before any request. On
# Cloudflare a loaded script becomes a snapshot that must not contain anything of `env`.
if sys.platform != "emscripten":
    from workers import env

    if dir(env):
        try:
            settings.read(env)
        except SettingError as error:
            raise error.with_traceback(None) from None  # the text says everything


class Default(WorkerEntrypoint):
    # One per isolate: the variables of an isolate never change, but `env` exists only while a request is handled.
    server: AuthServer | None = None

    async def fetch(self, request: Request) -> Response:
        if Default.server is None:
            Default.server = _make_server(self.env)
        server, env = Default.server, self.env
        storage = IssuerStorage(env, server.settings)
        received = _receive(request)
        response = await auth_router.answer(
            PageContext(
                request=received,
                server=server,
                store=storage,
                sessions=SessionStore(storage.tokens, storage.atomic, server.settings),
                failures=FailureCounts(storage.tokens),
                check_rate_limit=lambda key: sdk_requests.check_rate_limit(env, "LOGIN_LIMIT", key),
            )
        )
        text = None if received.method == "HEAD" else response.text
        return Response(text, status=response.status, headers=list(response.fields))


def _make_server(env: object) -> AuthServer:
    known = settings.read(env)
    return AuthServer(known, _hint_reader(env, known.issuer, known.url("/jwks")))


def _hint_reader(env: object, issuer: str, jwks_url: str) -> Callable[[str], Awaitable[IDTokenHint]]:
    # Imported here, so that a server that never gets a hint needs no PyJWT.
    signatures: id_token_hint.SignatureVerifier | None = None

    async def read(token: str) -> IDTokenHint:
        nonlocal signatures
        if signatures is None:
            from issuer.own_keys import OwnKeySignatures

            bound = getattr(env, "TOKEN_WORKER", None)
            signatures = OwnKeySignatures(jwks_url, fetch if bound is None else bound.fetch)
        return await id_token_hint.read(token, issuer, signatures, now=time.time())

    return read


def _receive(request: Request) -> PageRequest:
    headers = request.headers
    path, query = sdk_requests.path_and_query(request.url)
    return PageRequest(
        method=request_method(request),
        path=path,
        query=query,
        cookie=headers.get("cookie"),
        address=headers.get("cf-connecting-ip"),
        content_type=headers.get("content-type"),
        fetch_site=headers.get("sec-fetch-site"),
        body=lambda limit: sdk_requests.read_bounded(request, limit),
        now=int(time.time()),
    )


class FailureCounts:
    """Failed logins in KV, which takes one write per second and key; one that it refuses counts in the isolate only."""

    def __init__(self, namespace: GuardedNamespace) -> None:
        self._namespace = namespace

    async def get(self, key: str) -> str | None:
        return await self._namespace.get(key)

    async def put(self, key: str, value: str, ttl_seconds: int) -> None:
        try:
            await self._namespace.put(key, value, ttl_seconds)
        except Unavailable as error:
            _log.warning("a failed login could not be stored: %s", error)

    async def delete(self, key: str) -> None:
        await self._namespace.delete(key)
