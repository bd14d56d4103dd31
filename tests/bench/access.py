"""What Access costs a request whose token was verified before, beside the split-token route without products.

`uv run python -m tests.bench.access`: ratios in one run; the cold verification is printed beside.
"""

import asyncio
import gc
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from edgeworker.admission import Refusal, admit
from edgeworker.clock import Clock, SystemClock
from edgeworker.config import JSON, Config
from edgeworker.edge import PersistentServices, build
from edgeworker.handler import Background, Handler, Services
from edgeworker.host.bundled import script
from edgeworker.messages import URL, Headers, Request, Response
from edgeworker.products.access.config import access_config
from edgeworker.products.access.directory import Directory
from edgeworker.products.access.gate import Gate
from edgeworker.products.access.local_login import LocalLogin
from edgeworker.products.access.open_access import OpenAccess
from edgeworker.products.product import ProductServices
from edgeworker.routing import Resolver
from edgeworker.state import DocumentStore, MemoryState, SQLiteState
from edgeworker.testing import single_worker
from edgeworker.testing.issuer import signing_key
from edgeworker.testing.local import LocalEdge
from tests.products.access.stage import SHOP, app, edge_with

ROUNDS: Final = 7
SECONDS: Final = 0.4
PASSES: Final = 30
# More than are found without reading their record.
MANY: Final = 1000
COLD: Final = 200


class Nothing:
    """Stands for all that comes after Access."""

    async def fetch(self, request: Request, /) -> Response:
        return Response(200, Headers([("content-type", "text/plain"), ("content-length", "2")]), b"ok")


async def microseconds(call: Callable[[], Awaitable[object]]) -> float:
    """CPU of one call, the best of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        count, begun = 0, time.process_time()
        while time.process_time() - begun < SECONDS:
            for _ in range(50):
                await call()
            count += 50
        best = min(best, (time.process_time() - begun) / count * 1e6)
    return best


async def access_costs() -> tuple[float, float, float]:
    """(a token used just now, one of many that were remembered, a cold one), microseconds beyond what comes after
    Access."""
    config = edge_with(app("shop", "shop.example.com")).config
    clock = SystemClock()
    access = access_config(config)
    assert access is not None
    with tempfile.TemporaryDirectory() as folder:
        async with SQLiteState(Path(folder), clock) as state:
            documents = state.documents("access")
            directory = Directory(access, documents, clock)
            snapshot = await directory.signing()
            login = LocalLogin(directory, clock, config.account_id)
            application = snapshot.index.applications[0]
            tokens = [await login.log_in("ada@example.com", application, snapshot, ip="127.0.0.1") for _ in range(MANY)]
            return await _measured(config, documents, clock, tokens)


async def _measured(
    config: Config, documents: DocumentStore, clock: Clock, tokens: list[str]
) -> tuple[float, float, float]:
    services = ProductServices(
        config=config,
        clock=clock,
        documents=documents,
        secrets=None,
        background=Background(),
        internet=Nothing(),
        resolver=Resolver(config),
    )
    opened, nothing = OpenAccess(services), Nothing()
    gate = Gate(opened.services, nothing)
    url = f"{SHOP}/orders?page=2"
    for token in tokens:
        if (await gate.fetch(_request(url, token))).status != 200:
            raise SystemExit("the token does not open the application")

    async def one_pass(handler: Handler, shown: list[str]) -> float:
        """Of requests that were just read: what their texts' hashes cost is paid here, as in the edge."""
        requests = [_request(url, token[:9] + token[9:]) for token in shown]
        gc.collect()
        begun = time.process_time()
        for request in requests:
            await handler.fetch(request)
        return (time.process_time() - begun) / len(requests) * 1e6

    def forget() -> None:
        for token in tokens[:COLD]:
            opened.services.authenticator.forget(token)

    alone = min([await one_pass(nothing, tokens) for _ in range(PASSES)])
    hot = min([await one_pass(gate, tokens[:1] * MANY) for _ in range(PASSES)])
    beyond = min([await one_pass(gate, tokens) for _ in range(PASSES)])
    cold = []
    for _ in range(ROUNDS):
        forget()
        cold.append(await one_pass(gate, tokens[:COLD]))
    return hot - alone, beyond - alone, min(cold) - alone


def _request(url: str, token: str) -> Request:
    headers = Headers(
        [
            ("Host", URL.parse(url).host),
            ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
            ("Accept", "text/html,application/xhtml+xml"),
            ("Accept-Language", "en"),
            ("Cookie", f"theme=dark; CF_Authorization={token}"),
        ]
    )
    admitted = admit(Request("GET", URL.parse(url), headers), ray="0-LOC")
    assert not isinstance(admitted, Refusal)
    return admitted


async def split_token_costs() -> float:
    """The whole edge with the split-token worker, and an origin that answers at once."""
    variables: dict[str, JSON] = {
        "ISSUER": "https://issuer.example.net",
        "AUDIENCE": "https://api.example.com",
        "JWKS": {"keys": [dict(signing_key("RS256").public)]},
    }
    config = single_worker(
        script("split_token") / "worker.py", kv=["TOKENS"], routes=["api.example.com/*"], variables=variables
    )
    async with LocalEdge(config) as edge:
        token = edge.issuer.token(split=True)
        services = Services(
            clock=edge.clock, background=Background(), internet=Nothing(), origin_at=lambda base: Nothing()
        )
        built = await build(edge.config, services, edge.store, PersistentServices(MemoryState(edge.clock)))
        headers = Headers([("Host", "api.example.com"), ("Authorization", f"Bearer {token}")])
        url = URL.parse("https://api.example.com/orders?page=2")

        async def call() -> Response:
            return await built.fetch(Request("GET", url, headers.copy()))

        if (status := (await call()).status) != 200:
            raise SystemExit(f"the split token got {status}")
        try:
            return await microseconds(call)
        finally:
            await built.close()


async def measure() -> None:
    hot, beyond, cold = await access_costs()
    split = await split_token_costs()
    print(f"split-token route, no products  {split:8.1f} µs")
    print(f"Access, one token, remembered   {hot:8.1f} µs  {hot / split:6.1%} of it (at most 5 %)")
    print(f"Access, one of {MANY:5} tokens    {beyond:8.1f} µs  {beyond / split:6.1%} of it (at most 5 %)")
    print(f"Access, token verified          {cold:8.1f} µs  {cold / split:6.1%}")


def main() -> None:
    asyncio.run(measure())


if __name__ == "__main__":
    main()
