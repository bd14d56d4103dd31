"""Puts the first two parts of split tokens where the gateway finds them: by binding, or over KV's REST API.

The API call is what Curity's publisher sends: PUT .../values/<key>?expiration=<epoch seconds>, the key in base64 as it
is, "/" and "+" included, the whole body the text "header.payload".
"""

import asyncio
import logging

from issuer.unavailable import Unavailable

_log = logging.getLogger("oauth")

_WAITS_SECONDS = (0.1, 0.4)  # before the second and the third try
_TIMEOUT_SECONDS = 5
_MIN_TTL_SECONDS = 61  # KV refuses less than 60, and the call itself takes time


class Publisher:
    """Raises Unavailable where it failed, and failed again."""

    def __init__(self, env, settings):
        self._settings = settings
        self._binding = getattr(env, "SPLIT", None) if settings.publish == "binding" else None

    async def publish(self, key, value, *, expires_at, now):
        """The entry stays a bit longer than the token: the gateway decides by `exp`, not by what is still there."""
        expiration = max(expires_at + self._settings.publish_margin_seconds, now + _MIN_TTL_SECONDS)
        match self._settings.publish:
            case "binding":
                await _tried(lambda: self._bound().put(key, value, expiration=expiration), "SPLIT.put")
            case "api":
                await _tried(lambda: self._call("PUT", f"{key}?expiration={expiration}", value), "PUT")
            case _:
                pass

    async def withdraw(self, key):
        """`key` None: nothing was published."""
        if key is None:
            return
        match self._settings.publish:
            case "binding":
                await _tried(lambda: self._bound().delete(key), "SPLIT.delete")
            case "api":
                await _tried(lambda: self._call("DELETE", key, None), "DELETE")
            case _:
                pass

    def _bound(self):
        if self._binding is None:
            raise Unavailable('there is no binding SPLIT; add it, or set PUBLISH to "api" or "off"')
        return self._binding

    async def _call(self, method, tail, body):
        from workers import fetch

        settings = self._settings
        url = (
            f"{settings.publish_api_base}/accounts/{settings.publish_account_id}/storage/kv/namespaces/"
            f"{settings.publish_namespace_id}/values/{tail}"
        )
        headers = {"authorization": f"Bearer {settings.publish_api_token}"}
        options = {}
        if body is not None:
            headers["content-type"] = "text/plain;charset=UTF-8"
            options["body"] = body

        async def call():
            response = await fetch(url, method=method, headers=headers, redirect="manual", **options)
            # A key that is not there any more is withdrawn.
            if response.status != 200 and not (method == "DELETE" and response.status == 404):
                raise OSError(f"the API answered {response.status}")

        await asyncio.wait_for(call(), _TIMEOUT_SECONDS)


async def _tried(work, what):
    for wait in (*_WAITS_SECONDS, None):
        try:
            return await work()
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, a token that cannot work must not go out
            # The text of an error may quote the key, which is a hash, but never the token.
            _log.warning("publishing failed (%s): %r", what, error)
            if wait is None:
                raise Unavailable(f"publishing: {what} failed") from None
        await asyncio.sleep(wait)
