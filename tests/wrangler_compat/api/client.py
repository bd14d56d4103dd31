"""Calls the API in process, with the request target as it would stand on the wire."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from edgeworker.config import JSON
from edgeworker.messages import URL, Body, Headers, Request, Response
from wrangler_compat.api import V4Api

ACCOUNT = "0123456789abcdef0123456789abcdef"
NAMESPACE = "11111111111111111111111111111111"
TOKEN = "the-edge-token"
NAMESPACES = f"/client/v4/accounts/{ACCOUNT}/storage/kv/namespaces"
VALUES = f"{NAMESPACES}/{NAMESPACE}/values"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Headers
    content: bytes

    @property
    def json(self) -> dict[str, JSON]:
        parsed = json.loads(self.content)
        assert isinstance(parsed, dict)
        return parsed

    @property
    def result(self) -> JSON:
        assert self.json["success"] is True, self.content
        return self.json["result"]

    @property
    def code(self) -> int:
        """The first error's code; the answer has to be an error in the envelope."""
        answer = self.json
        assert answer["success"] is False
        assert answer["result"] is None
        errors = answer["errors"]
        assert isinstance(errors, list)
        assert isinstance(errors[0], dict)
        code = errors[0]["code"]
        assert isinstance(code, int)
        return code

    @property
    def message(self) -> str:
        errors = self.json["errors"]
        assert isinstance(errors, list)
        assert isinstance(errors[0], dict)
        return str(errors[0]["message"])


@dataclass(frozen=True, slots=True)
class Client:
    api: V4Api
    headers: Mapping[str, str] = field(default_factory=lambda: {"authorization": f"Bearer {TOKEN}"})
    host: str = "127.0.0.1:8788"

    async def call(
        self,
        method: str,
        target: str,
        body: bytes | AsyncIterator[bytes] | JSON = None,
        *,
        headers: Mapping[str, str] | None = None,
        length: int | None = None,
    ) -> Answer:
        """`body` is sent as it is where it is bytes or a stream, else as JSON; `headers` are added to the client's."""
        content: Body | None
        match body:
            case None:
                content = None
            case bytes():
                content = Body(body)
            case str() | int() | float() | list() | dict():
                content = Body(json.dumps(body).encode())
            case _:
                content = Body(body, length=length)
        request = Request(
            method,
            URL.from_target("http", self.host, target),
            Headers({**self.headers, **(headers or {})}),
            content,
            raw_target=target,
        )
        return await received(await self.api.fetch(request))

    async def get(self, target: str, **headers: str) -> Answer:
        return await self.call("GET", target, headers=headers)


async def received(response: Response) -> Answer:
    return Answer(response.status, response.headers, b"" if response.body is None else await response.body.read())
