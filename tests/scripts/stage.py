"""The split-token script in a real edge, with a store in memory and an API that notes what reaches it."""

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from edgeworker.clock import Clock, SystemClock
from edgeworker.config import JSON, Config, JSONBinding, KVBinding, TextBinding, Worker
from edgeworker.edge import Edge, build
from edgeworker.errors import OriginError
from edgeworker.handler import Background, Services
from edgeworker.harness.bundled import script
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.namespace import KVNamespace
from edgeworker.messages import URL, Body, Client, Headers, Request, Response
from scripts.split_token import tokens

NAMESPACE = "split"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def now() -> int:
    """The present second: clocks of tests begin there too."""
    return int(time.time())


def signed(claims: Mapping[str, JSON] | None = None, *, kid: str = "one") -> str:
    """A whole JWT for five minutes with these claims beside the usual ones; one that is None is left out."""
    moment = now()
    every: dict[str, JSON] = {
        "iss": "https://issuer",
        "sub": "ann",
        "iat": moment,
        "exp": moment + 300,
        **(claims or {}),
    }
    kept = {name: value for name, value in every.items() if value is not None}
    return jwt.encode(kept, KEY, algorithm="RS256", headers={"kid": kid})


Answer = Callable[[Request], Response]


@dataclass(slots=True)
class Outside:
    """A server that is not ours: the API behind the edge, or the internet."""

    answer: Answer = field(default=lambda request: Response(200, body=b"fine"))
    requests: list[Request] = field(default_factory=list)

    async def fetch(self, request: Request, /) -> Response:
        self.requests.append(request)
        return self.answer(request)

    @property
    def authorizations(self) -> list[str | None]:
        return [request.headers.get("authorization") for request in self.requests]


@dataclass(frozen=True, slots=True)
class Stage:
    edge: Edge
    api: Outside
    internet: Outside
    tokens: KVNamespace

    async def publish(self, whole: str, *, key: str | None = None) -> str:
        """Publishes header and payload; returns the split token."""
        value, _, signature = whole.rpartition(".")
        await self.put(signature if key is None else None, value, key=key)
        return signature

    async def put(self, signature: str | None, value: str, *, key: str | None = None) -> None:
        """An entry as it is, be it no header and payload."""
        await self.tokens.put(tokens.key_of(signature or "") if key is None else key, value.encode())

    async def fetch(
        self,
        authorization: str | None,
        url: str = "https://api.example.com/orders",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        ip: str = "192.0.2.1",
    ) -> "Got":
        fields = Headers({"host": "api.example.com", **(headers or {})})
        if authorization is not None:
            fields.append("authorization", authorization)
        content = None if body is None else Body(body)
        request = Request(method, URL.parse(url), fields, content, client=Client(ip))
        response = await self.edge.fetch(request)
        return Got(response.status, response.headers, b"" if response.body is None else await response.body.read())


@dataclass(frozen=True, slots=True)
class Got:
    status: int
    headers: Headers
    body: bytes

    @property
    def problem(self) -> dict[str, JSON]:
        document: dict[str, JSON] = json.loads(self.body)
        return document


def unreachable(request: Request) -> Response:
    raise OriginError("refused", status=521)


@asynccontextmanager
async def set_up(
    variables: Mapping[str, JSON] | None = None, *, store: MemoryStore | None = None, clock: Clock | None = None
) -> AsyncIterator[Stage]:
    """The script with these variables. Raises ScriptError where it cannot be loaded with them."""
    api, internet, clock = Outside(), Outside(unreachable), clock or SystemClock()
    bindings = [
        TextBinding(name, value) if isinstance(value, str) else JSONBinding(name, value)
        for name, value in (variables or {}).items()
    ]
    worker = Worker("gateway", script("split_token") / "worker.py", (KVBinding("TOKENS", NAMESPACE), *bindings))
    config = Config(
        workers=(worker,), default_worker="gateway", default_on_every_host=True, origin="http://api.internal"
    )
    services = Services(clock=clock, background=Background(), internet=internet, origin_at=lambda url: api)
    kv = MemoryStore() if store is None else store
    edge = await build(config, services, kv)
    try:
        yield Stage(edge, api, internet, KVNamespace(kv, NAMESPACE, clock))
    finally:
        await edge.close()
