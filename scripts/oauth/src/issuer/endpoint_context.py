"""One request to the token worker, and what its endpoints need to answer it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from issuer.failure_window import FailureWindow
from issuer.keys import ServerKeySet
from issuer.settings import IssuerSettings
from issuer.storage import IssuerStorage


@dataclass(frozen=True, slots=True)
class EndpointRequest:
    """`path` is the URL's, in canonical form; `body` reads at most as many bytes and one more; `now` is in seconds."""

    method: str
    path: str
    query: str
    authorization: str | None
    content_type: str | None
    accept: str | None
    origin: str | None
    request_headers: str | None
    address: str
    now: int
    body: Callable[[int], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class EndpointContext:
    """`check_rate_limit` asks the binding TOKEN_LIMIT, if there is one."""

    request: EndpointRequest
    settings: IssuerSettings
    key_set: ServerKeySet
    storage: IssuerStorage
    failures: FailureWindow
    check_rate_limit: Callable[[str], Awaitable[bool]]
