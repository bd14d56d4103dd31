"""Calls to the v4 API of a running edge, or of another server that speaks it, and its answers and refusals."""

import os
from typing import Final, Self

from edgeworker.config import JSON
from edgeworker.errors import ConfigError, OriginError
from edgeworker.handler import Handler
from edgeworker.host.http_client import READ_SECONDS, HttpClient
from edgeworker.messages import URL, Body, BodyTooLarge, Headers, InvalidURL, Request, Response
from edgeworker.strict_json import loads

ROOT: Final = "/client/v4"
_MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024


class RemoteRefused(ConfigError):
    """An answer that is an error. `code` is the API's, or None where the answer was not the API's at all."""

    def __init__(self, text: str, *, code: int | None) -> None:
        super().__init__(text)
        self.code = code


class RestClient:
    def __init__(self, handler: Handler, base: URL, *, token: str) -> None:
        self._handler = handler
        self._base = base
        self._token = token
        self._client: HttpClient | None = None

    @classmethod
    def open(cls, api_url: str, *, token: str, read_seconds: float = READ_SECONDS) -> Self:
        """`api_url` with or without /client/v4 at its end; `read_seconds` is how long to wait for an answer.

        Raises ConfigError.
        """
        try:
            base = URL.parse(api_url.rstrip("/").removesuffix(ROOT))
        except InvalidURL as error:
            raise ConfigError(f'--api-url "{api_url}" is not a URL like http://127.0.0.1:8788') from error
        http = HttpClient(os.environ, read_seconds=read_seconds)
        client = cls(http, base, token=token)
        client._client = http
        return client

    async def send(self, method: str, target: str, body: Body | None = None, *, kind: str = "") -> Response:
        """`target` is path and query, below the server's root. Raises OriginError where it cannot be reached."""
        headers = Headers({"authorization": f"Bearer {self._token}", "user-agent": "edgeworker"})
        if body is not None:
            headers.set("content-type", kind)
        path, _, query = target.partition("?")
        url = URL(self._base.scheme, self._base.hostname, self._base.port, path, f"?{query}" if query else "")
        try:
            return await self._handler.fetch(Request(method, url, headers, body))
        except OriginError as error:
            text = f"{error}; is an edge running there? Name the API of another one with --api-url"
            raise OriginError(text, status=error.status) from error

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()


async def envelope(response: Response) -> dict[str, JSON]:
    """The answer as JSON. Raises RemoteRefused for what the API would not answer."""
    try:
        answer = loads(
            b"" if response.body is None else await response.body.read(limit=_MAX_ANSWER_BYTES), lone_surrogates=True
        )
    except (ValueError, BodyTooLarge):
        answer = None
    if not isinstance(answer, dict):
        raise RemoteRefused(f"the server at --api-url answered {response.status}, but not as the API does", code=None)
    return answer


async def refusal(response: Response) -> RemoteRefused:
    """What an answer that is not a success says."""
    answer = await envelope(response)
    texts: list[str] = []
    code: int | None = None
    for listed in ("errors", "messages"):
        items = answer.get(listed)
        for item in items if isinstance(items, list) else []:
            if isinstance(item, dict):
                found = item.get("code")
                code = found if code is None and isinstance(found, int) else code
                texts.append(str(item.get("message")))
    return RemoteRefused(f"the API answered {response.status}: {'; '.join(texts)} [code: {code}]", code=code)
