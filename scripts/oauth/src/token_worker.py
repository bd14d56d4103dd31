"""The token worker: /token, /revoke, /introspect, /userinfo, /resource/, /jwks, /.well-known/."""

import logging
import sys
import time

from workers import Response, WorkerEntrypoint

from issuer import incoming, keys, settings, token_server
from issuer.attempts import Attempts
from issuer.settings import SettingError
from issuer.storage import Storage
from issuer.token_server import Asked, Server

_log = logging.getLogger("oauth")

# Of one client from one address, in a minute.
_FAILURES = 30


class Isolate:
    """What is kept between requests. Raises SettingError for what cannot be used."""

    def __init__(self, env):
        self.settings = settings.read(env)
        self.ring = _ring(env, self.settings)
        self.failures = Attempts(_FAILURES)
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


def _ring(env, known):
    text = getattr(env, "SIGNING_KEYS", None)
    if not isinstance(text, str) or not text:
        raise SettingError("SIGNING_KEYS: it is missing; make it with: edgeworker oauth keys init")
    try:
        ring = keys.parse(text)
        now = int(time.time())
        needed = {"RS256"} if not known.clients else set()
        for client in known.clients.values():
            needed |= {client.access_token_alg, client.id_token_signed_response_alg}
        for algorithm in sorted(needed):
            keys.signer(ring, algorithm, now=now)
    except keys.BadKeys as error:
        raise SettingError(str(error)) from None
    return ring


# A local edge knows the variables while it loads a script: then a wrong one stops it here, before any request. On
# Cloudflare a loaded script is kept as a snapshot, in which nothing of `env` may be held.
if sys.platform != "emscripten":
    from workers import env

    if dir(env):
        try:
            Isolate(env)
        except SettingError as error:
            raise error.with_traceback(None) from None  # its text says all; how it was found helps nobody


class Default(WorkerEntrypoint):
    # One for the isolate. An isolate's variables never change, but `env` is known only when there is a request.
    isolate = None

    async def fetch(self, request):
        if Default.isolate is None:
            Default.isolate = Isolate(self.env)
        isolate, env = Default.isolate, self.env
        asked = _asked(request)
        server = Server(
            asked=asked,
            settings=isolate.settings,
            ring=isolate.ring,
            storage=Storage(env, isolate.settings),
            failures=isolate.failures,
            may_try=lambda key: incoming.may_try(env, "TOKEN_LIMIT", key),
            path=asked.path,
        )
        answer = await token_server.answer(server)
        text = None if asked.method == "HEAD" else answer.text
        return Response(text, status=answer.status, headers=answer.fields)


def _asked(request):
    headers = request.headers
    path, query = incoming.path_and_query(request)
    return Asked(
        method=incoming.method(request),
        path=path,
        query=query,
        authorization=headers.get("authorization"),
        content_type=headers.get("content-type"),
        accept=headers.get("accept"),
        origin=headers.get("origin"),
        request_headers=headers.get("access-control-request-headers"),
        address=headers.get("cf-connecting-ip") or "",
        now=int(time.time()),
        body=lambda limit: incoming.bounded(request, limit),
    )
