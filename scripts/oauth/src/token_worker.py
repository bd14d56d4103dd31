"""The token worker: /token, /revoke, /introspect, /userinfo, /resource/, /jwks, /.well-known/."""

import logging
import sys
import time

from issuer import keys, sdk_requests, settings, token_router
from issuer.endpoint_context import EndpointContext, EndpointRequest
from issuer.failure_window import FailureWindow
from issuer.keys import ServerKeySet
from issuer.settings import IssuerSettings, SettingError
from issuer.storage import IssuerStorage
from verifier.worker_bindings import request_method
from workers import Request, Response, WorkerEntrypoint

_log = logging.getLogger("oauth")

# Of one client from one network, in a minute.
_MAX_FAILURES = 30


class TokenServer:
    """What is kept between requests. Raises SettingError for unusable settings."""

    def __init__(self, env: object) -> None:
        self.settings = settings.read(env)
        self.key_set = _read_keys(env, self.settings)
        self.failures = FailureWindow(_MAX_FAILURES)
        splits = any(client.token_format == "split" for client in self.settings.clients.values())
        if splits and self.settings.publish == "binding" and getattr(env, "SPLIT", None) is None:
            raise SettingError(
                "PUBLISH: split tokens are published by the KV binding SPLIT, which is missing; add it, or set PUBLISH "
                'to "api" or "off"'
            )
        if getattr(env, "ATOMIC", None) is None:
            _log.warning(
                "ATOMIC is not bound: that a code or a refresh token is used once is best effort (see scripts/atomic)"
            )


def _read_keys(env: object, read: IssuerSettings) -> ServerKeySet:
    text = getattr(env, "SIGNING_KEYS", None)
    if not isinstance(text, str) or not text:
        raise SettingError("SIGNING_KEYS: it is missing; make it with: edgeworker oauth keys init")
    try:
        key_set = keys.parse(text)
        now = int(time.time())
        needed = {"RS256"} if not read.clients else set()
        for client in read.clients.values():
            needed |= {client.access_token_alg, client.id_token_signed_response_alg}
        for algorithm in sorted(needed):
            keys.signer(key_set, algorithm, now=now)
    except keys.BadKeys as error:
        raise SettingError(str(error)) from None
    return key_set


# A local edge knows the variables while it loads a script, so a wrong one is reported then, before any request. On
# Cloudflare a loaded script becomes a snapshot that must not contain anything of `env`.
if sys.platform != "emscripten":
    from workers import env

    if dir(env):
        try:
            TokenServer(env)
        except SettingError as error:
            raise error.with_traceback(None) from None  # the text says everything


class Default(WorkerEntrypoint):
    # One per isolate: the variables of an isolate never change, but `env` exists only while a request is handled.
    server: TokenServer | None = None

    async def fetch(self, request: Request) -> Response:
        if Default.server is None:
            Default.server = TokenServer(self.env)
        server, env = Default.server, self.env
        received = _receive(request)
        response = await token_router.answer(
            EndpointContext(
                request=received,
                settings=server.settings,
                key_set=server.key_set,
                storage=IssuerStorage(env, server.settings),
                failures=server.failures,
                check_rate_limit=lambda key: sdk_requests.check_rate_limit(env, "TOKEN_LIMIT", key),
            )
        )
        text = None if received.method == "HEAD" else response.text
        return Response(text, status=response.status, headers=list(response.fields))


def _receive(request: Request) -> EndpointRequest:
    headers = request.headers
    path, query = sdk_requests.path_and_query(request.url)
    return EndpointRequest(
        method=request_method(request),
        path=path,
        query=query,
        authorization=headers.get("authorization"),
        content_type=headers.get("content-type"),
        accept=headers.get("accept"),
        origin=headers.get("origin"),
        request_headers=headers.get("access-control-request-headers"),
        address=headers.get("cf-connecting-ip") or "",
        now=int(time.time()),
        body=lambda limit: sdk_requests.read_bounded(request, limit),
    )
