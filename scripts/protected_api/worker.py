"""An API that takes access tokens: records of the token's subject in KV, and an echo of the token's claims.

It verifies each JWT itself, whether it came through the split-token gateway or straight from the issuer.
"""

import sys

import settings
from api import API
from workers import WorkerEntrypoint

# A local edge knows the variables while it loads a script: then a wrong one stops it here, before any request. On
# Cloudflare a loaded script is kept as a snapshot, in which nothing of `env` may be held.
if sys.platform != "emscripten":
    from workers import env

    if dir(env):
        try:
            API(settings.read(env))
        except settings.SettingError as error:
            raise error.with_traceback(None) from None  # its text says all; how it was found helps nobody


class Default(WorkerEntrypoint):
    # One for the isolate: it keeps the issuer's keys. An isolate's variables never change.
    api = None

    async def fetch(self, request):
        if Default.api is None:
            Default.api = API(settings.read(self.env))
        return await Default.api.fetch(request, self.env)
