"""One HTTP exchange, byte for byte: no client in between that would tidy a path."""

import http.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

TIMEOUT_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of `headers` are lower case; `body` is whole. `cookies` are the Set-Cookie fields."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: Sequence[str] = field(default=(), repr=False)


def call(base_url: str, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
    """Sends `target` in the request line as it is. Raises OSError or http.client.HTTPException."""
    address = urlsplit(base_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(method, target, body=body, headers=dict(headers))
        answer = connection.getresponse()
        fields = [(name.lower(), value) for name, value in answer.getheaders()]
        cookies = [value for name, value in fields if name == "set-cookie"]
        return Answer(answer.status, dict(fields), answer.read(), cookies)
    finally:
        connection.close()
