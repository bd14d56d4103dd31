"""Publishes header and payload of split tokens for the gateway: by a KV binding, or over KV's REST API.

The API call is the one of Curity's publisher: PUT .../values/<key>?expiration=<epoch seconds>, with the base64 key
unescaped ("/" and "+" included) and the text "header.payload" as the whole body.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from issuer.settings import IssuerSettings
from issuer.store_bindings import Unavailable
from verifier.worker_bindings import KVStorage

_log = logging.getLogger("oauth")

_WAITS_SECONDS: Final = (0.1, 0.4)  # before the second and the third try
_TIMEOUT_SECONDS: Final = 5
_MIN_TTL_SECONDS: Final = 61  # KV refuses less than 60, and the call itself takes time


class SplitTokenPublisher:
    """Raises Unavailable if all tries fail."""

    def __init__(self, env: object, settings: IssuerSettings) -> None:
        self._settings = settings
        self._binding: KVStorage | None = getattr(env, "SPLIT", None) if settings.publish == "binding" else None

    async def publish(self, key: str, value: str, *, expires_at: int, now: int) -> None:
        """The entry lives a bit longer than the token: the gateway decides by `exp`, not by whether it exists."""
        expiration = max(expires_at + self._settings.publish_margin_seconds, now + _MIN_TTL_SECONDS)
        match self._settings.publish:
            case "binding":
                await _try(lambda: self._bound().put(key, value, expiration=expiration), "SPLIT.put")
            case "api":
                await _try(lambda: self._call("PUT", f"{key}?expiration={expiration}", value), "PUT")
            case _:
                pass

    async def withdraw(self, key: str | None) -> None:
        """`key` None: nothing was published."""
        if key is None:
            return
        match self._settings.publish:
            case "binding":
                await _try(lambda: self._bound().delete(key), "SPLIT.delete")
            case "api":
                await _try(lambda: self._call("DELETE", key, None), "DELETE")
            case _:
                pass

    def _bound(self) -> KVStorage:
        if self._binding is None:
            raise Unavailable('there is no binding SPLIT; add it, or set PUBLISH to "api" or "off"')
        return self._binding

    async def _call(self, method: str, tail: str, body: str | None) -> None:
        from workers import fetch

        settings = self._settings
        url = (
            f"{settings.publish_api_base}/accounts/{settings.publish_account_id}/storage/kv/namespaces/"
            f"{settings.publish_namespace_id}/values/{tail}"
        )
        headers = {"authorization": f"Bearer {settings.publish_api_token}"}
        options: dict[str, object] = {}
        if body is not None:
            headers["content-type"] = "text/plain;charset=UTF-8"
            options["body"] = body

        async def call() -> None:
            response = await fetch(url, method=method, headers=headers, redirect="manual", **options)
            # A key that no longer exists is withdrawn already.
            if response.status != 200 and not (method == "DELETE" and response.status == 404):
                raise OSError(f"the API answered {response.status}")

        await asyncio.wait_for(call(), _TIMEOUT_SECONDS)


async def _try(work: Callable[[], Awaitable[None]], what: str) -> None:
    for wait in (*_WAITS_SECONDS, None):
        try:
            await work()
            return
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  for whatever reason, a token that cannot work must not be given out
            # An error may quote the key, which is a hash, but never the token.
            _log.warning("publishing failed (%s): %r", what, error)
            if wait is None:
                raise Unavailable(f"publishing: {what} failed") from None
        await asyncio.sleep(wait)
