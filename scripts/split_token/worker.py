"""Joins split tokens: the client shows a JWT's signature, KV knows header and payload, the API gets the whole JWT.

The way of a request: preflight and public paths first, then the token's shape, one hash, one KV get, the token's times,
the issuer's signature where a JWKS is configured, and one fetch. Whatever is not certain is refused.
"""

import sys

import settings
from gateway import Gateway
from workers import WorkerEntrypoint

# A local edge knows the variables while it loads a script: then a wrong one stops it here, before any request. On
# Cloudflare a loaded script is kept as a snapshot, in which nothing of `env` may be held.
if sys.platform != "emscripten":
    from workers import env

    if dir(env):
        try:
            Gateway(settings.read(env))
        except settings.SettingError as error:
            raise error.with_traceback(None) from None  # its text says all; how it was found helps nobody


class Default(WorkerEntrypoint):
    # One for the isolate. An isolate's variables never change, but `env` is known only when there is a request.
    gateway = None

    async def fetch(self, request):
        if Default.gateway is None:
            Default.gateway = Gateway(settings.read(self.env))
        return await Default.gateway.fetch(request, self.env.TOKENS)
