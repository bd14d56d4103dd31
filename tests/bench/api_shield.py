"""What API Shield adds to a request: `uv run python -m tests.bench.api_shield [rounds]`.

CPU time, no socket; every figure is the best of several rounds, and the sides of a comparison take turns. What API
Shield adds is compared with the split-token route as `edgeworker dev` serves it without a product, HTTP and all (CPU
time of its process for each request); the share of the route without HTTP is printed too. Exits 1 where a limit is not
kept.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.bindings import KVBinding
from edgeworker.config import Config, Worker
from edgeworker.handler import Handler
from edgeworker.host.bundled import DEFAULT_SCRIPT, script
from edgeworker.messages import URL, Headers, Request
from edgeworker.products.api_shield.config import ShieldConfig
from edgeworker.products.api_shield.keys import VerificationKeys
from edgeworker.testing.clock import MovableClock
from edgeworker.testing.local import LocalEdge
from tests.bench import dev, load, tokens
from tests.bench.gateway import Gateway
from tests.bench.rounds import start_origin
from tests.products.api_shield.minting import ALGORITHMS, NOW, MintingKey, key_set, mint, signing_key
from tests.products.api_shield.zones import RememberingOrigin, ShieldedEdge, configuration, operation, rule

CALLS: Final = 300
MOST_OF_THE_ROUTE: Final = 0.05
MOST_FOR_MANY: Final = 0.10
OPERATIONS: Final = 1_000
CONFIGURATIONS: Final = 32
_PREFIX: Final = 'http.request.headers["x-token-{}"][0]'


@dataclass(slots=True)
class Side:
    """One that is measured: `make` gives the requests of a round, which are made before the clock starts."""

    name: str
    fetch: Callable[[Request], Awaitable[object]]
    make: Callable[[], list[Request]]
    after: Callable[[], None] = lambda: None
    best: float = float("inf")

    async def round(self) -> None:
        requests = self.make()
        begun = time.process_time()
        for request in requests:
            await self.fetch(request)
        self.best = min(self.best, (time.process_time() - begun) / len(requests) * 1e6)
        self.after()


async def best_of(rounds: int, *sides: Side) -> None:
    for side in sides:
        await side.round()
        side.best = float("inf")
    for _ in range(rounds):
        for side in sides:
            await side.round()


def requests_of(token: str, path: str = "/users/7", *, count: int = CALLS) -> list[Request]:
    url = URL.from_target("https", "api.test", path)
    fields = [(b"Host", b"api.test"), (b"Accept", b"*/*"), (b"Authorization", f"Bearer {token}".encode())]
    return [Request("GET", url, Headers.from_raw(fields)) for _ in range(count)]


def one_of_each(keys: VerificationKeys) -> ShieldConfig:
    return ShieldConfig(
        operations=(operation("/users/{id}"),),
        configurations=(configuration("A", keys),),
        rules=(rule('is_jwt_valid("A") and http.request.jwt.claims.iss["A"][0] eq "https://idp.test"'),),
    )


def many(keys: VerificationKeys, *, operations: int, configurations: int) -> ShieldConfig:
    """The configuration of the token is the last one, and its operation is in the middle."""
    others = [configuration(f"C{number}", keys, _PREFIX.format(number)) for number in range(configurations - 1)]
    templates = [operation(f"/service{number}/items/{{id}}") for number in range(operations - 1)]
    templates.insert(operations // 2, operation("/users/{id}"))
    return ShieldConfig(
        operations=tuple(templates),
        configurations=(*others, configuration("A", keys)),
        rules=(rule('is_jwt_valid("A") and http.request.jwt.claims.iss["A"][0] eq "https://idp.test"'),),
    )


def served_route(seconds: float) -> float:
    """Microseconds of CPU time that `edgeworker dev` takes for one request with a split token."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        made = tokens.make(100)
        origin = f"http://127.0.0.1:{start_origin(stack, folder)}"
        started = dev.start(stack, origin, folder / "dev", made, starts=1)
        if started is None:
            raise SystemExit("edgeworker dev did not start")
        gateway = Gateway("dev", started.port, started.pid)
        for _ in range(3):
            gateway.measure(load.Work([one.token for one in made]), connections=16, seconds=seconds)
        return min(gateway.cpu) * 1e6


class Measure:
    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self.broken: list[str] = []

    def limit(self, text: str, share: float, most: float) -> None:
        kept = share <= most
        print(f"{text:<52} {share:8.1%}   at most {most:.0%}: {'ok' if kept else 'BROKEN'}")
        if not kept:
            self.broken.append(text)

    async def split_token_route(self) -> float:
        """Microseconds of one request in this process, without HTTP."""
        worker = Worker(
            "gateway",
            script(DEFAULT_SCRIPT) / "worker.py",
            bindings=(KVBinding("TOKENS", "TOKENS"),),
            compatibility_date="2026-04-01",
            compatibility_flags=("python_workers",),
            is_default_script=True,
        )
        config = Config(workers=(worker,), default_worker="gateway", default_on_every_host=True)
        async with LocalEdge(config, clock=MovableClock(NOW)) as edge:
            token = edge.issuer.token(split=True)
            made = requests_of(str(token))
            response = await edge.answer(made[0])
            assert response.status == 200, response.status
            side = Side("split token", edge.answer, lambda: requests_of(str(token)))
            await best_of(self.rounds, side)
        return side.best

    async def warm(self, key: MintingKey, keys: VerificationKeys) -> tuple[float, float]:
        """(a request with a token that is remembered, the origin alone)"""
        token, edge = mint(key), ShieldedEdge(one_of_each(keys))
        origin = RememberingOrigin()
        shield = Side("warm", edge.handler.fetch, lambda: requests_of(token), edge.origin.requests.clear)
        plain = Side("origin", origin.fetch, lambda: requests_of(token), origin.requests.clear)
        await self._passes(edge.handler, token)
        await best_of(self.rounds, shield, plain)
        return shield.best, plain.best

    async def cold(self, algorithm: str) -> float:
        """A request with a token that was never seen."""
        key = signing_key(algorithm)
        edge = ShieldedEdge(one_of_each(key_set(key)))
        count = 0

        def new() -> list[Request]:
            nonlocal count
            count += 40
            tokens = [
                mint(key, {"sub": f"u-{n}", "iss": "https://idp.test", "exp": NOW + 3600})
                for n in range(count - 40, count)
            ]
            return [requests_of(token, count=1)[0] for token in tokens]

        side = Side(algorithm, edge.handler.fetch, new, edge.origin.requests.clear)
        await best_of(3, side)
        return side.best

    async def growth(self, key: MintingKey, keys: VerificationKeys) -> tuple[float, float, float]:
        """(one of each, many operations, many configurations)"""
        token = mint(key)
        sides = []
        for operations, configurations in ((1, 1), (OPERATIONS, 1), (1, CONFIGURATIONS)):
            edge = ShieldedEdge(many(keys, operations=operations, configurations=configurations))
            await self._passes(edge.handler, token)
            sides.append(Side("", edge.handler.fetch, lambda: requests_of(token), edge.origin.requests.clear))
        await best_of(self.rounds, *sides)
        one, operations_, configurations_ = (side.best for side in sides)
        return one, operations_, configurations_

    async def _passes(self, handler: Handler, token: str) -> None:
        response = await handler.fetch(requests_of(token, count=1)[0])
        assert response.status == 200, response.status


async def main(rounds: int) -> int:
    measure = Measure(rounds)
    key = signing_key("RS256")
    keys = key_set(key)
    served = await asyncio.to_thread(served_route, 1.5)
    route = await measure.split_token_route()
    warm, plain = await measure.warm(key, keys)
    print(f"{'the split-token route, as dev serves it':<52} {served:8.1f} µs")
    print(f"{'the split-token route, without HTTP':<52} {route:8.1f} µs")
    print(f"{'a decision on a remembered token':<52} {warm - plain:8.1f} µs")
    for algorithm in ALGORITHMS:
        print(f"{f'a decision on a new token, {algorithm}':<52} {await measure.cold(algorithm) - plain:8.1f} µs")
    one, operations, configurations = await measure.growth(key, keys)
    print(f"{'a decision on a remembered token, without HTTP':<52} {(warm - plain) / route:8.1%}")
    measure.limit("a decision on a remembered token, of the route", (warm - plain) / served, MOST_OF_THE_ROUTE)
    measure.limit(f"{OPERATIONS} operations, over one", operations / one - 1, MOST_FOR_MANY)
    measure.limit(f"{CONFIGURATIONS} configurations, over one", configurations / one - 1, MOST_FOR_MANY)
    return 1 if measure.broken else 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)))
