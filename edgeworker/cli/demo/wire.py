"""One HTTP exchange, byte for byte: the target goes into the request line as it is."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edgeworker.host.http_client import HttpClient
from edgeworker.messages import URL, Body, Headers, Request


@dataclass(frozen=True, slots=True)
class WireResponse:
    """What came back. Names of `headers` are lower case; `body` is whole. `cookies` are the Set-Cookie fields."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: Sequence[str] = field(default=(), repr=False)

    @property
    def brief(self) -> str:
        """The status and the beginning of the body, for a check that failed."""
        return f"{self.status} {self.body[:200].decode(errors='replace').strip()}"


def call(
    base_url: str, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None
) -> WireResponse:
    """Raises OriginError. The caller's thread waits: a demo tells one step after the other."""
    return asyncio.run(_call(base_url, method, target, headers, body))


async def _call(
    base_url: str, method: str, target: str, headers: Mapping[str, str], body: bytes | None
) -> WireResponse:
    request = Request(
        method, URL.parse(base_url), Headers(headers), None if body is None else Body(body), raw_target=target
    )
    async with HttpClient({}) as client:
        answer = await client.fetch(request)
        content = b"" if answer.body is None else await answer.body.read()
    fields = [(name.lower().decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers.raw]
    return WireResponse(answer.status, dict(fields), content, [value for name, value in fields if name == "set-cookie"])
