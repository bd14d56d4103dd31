"""What goes wrong now and then, drawn with a seed, so that a failure can be had again."""

import random  # noqa: TID251  # a generator of its own, with a seed that is printed
from dataclasses import dataclass, replace
from typing import Self

from edgeworker.clock import Clock
from edgeworker.kv import faulty
from edgeworker.kv.eventual import EventualStores
from edgeworker.kv.faulty import FaultyStore
from edgeworker.kv.store import KVStore
from edgeworker.testing import origin_rules
from edgeworker.testing.origin_rules import OriginRequest


@dataclass(frozen=True, slots=True)
class FaultInjection:
    """How often what fails: shares between 0 and 1. The same seed and the same calls give the same faults.

    How late an eventual write is seen is drawn from its second as well: begin with the same clock to see the same.
    Without a seed the plugin draws one and prints it when a test fails; elsewhere it is 0.

    `origin_failures` are requests to an origin or the internet that fail in one of the ways of `Origin.fail`.
    `kv_failures` are calls of scripts to KV that fail, `kv_slow` those that take `kv_delay_seconds` of the edge's clock
    longer. `kv_eventual_seconds` is the longest time after which a write of the test, or of an issuer, is seen by
    scripts; 0 is at once.
    """

    seed: int | None = None
    origin_failures: float = 0.0
    kv_failures: float = 0.0
    kv_slow: float = 0.0
    kv_delay_seconds: float = 1.0
    kv_eventual_seconds: int = 0

    def __post_init__(self) -> None:
        shares = {"origin_failures": self.origin_failures, "kv_failures": self.kv_failures, "kv_slow": self.kv_slow}
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise ValueError(f"{name}={share}: a share of all calls, so between 0 and 1")

    @property
    def any(self) -> bool:
        return bool(self.origin_failures or self.kv_failures or self.kv_slow or self.kv_eventual_seconds)

    def seeded(self, seed: int, *, always: bool = False) -> Self:
        """With this seed where there is none, or `always`."""
        return replace(self, seed=seed) if always or self.seed is None else self


@dataclass(frozen=True, slots=True)
class Stores:
    """One memory: as the test's own hand reaches it, and as scripts do."""

    own: KVStore
    scripts: KVStore


def stores(faults: FaultInjection, memory: KVStore, clock: Clock) -> Stores:
    seed = faults.seed or 0
    own = scripts = memory
    if faults.kv_eventual_seconds:
        seen = EventualStores(memory, clock, seed=seed, delay_seconds=faults.kv_eventual_seconds)
        own, scripts = seen.at("test"), seen.at("edge")
    if faults.kv_failures or faults.kv_slow:
        scripts = FaultyStore(
            scripts, clock, faulty.FaultRates(faults.kv_failures, faults.kv_slow, faults.kv_delay_seconds, seed)
        )
    return Stores(own, scripts)


class OriginMisfortune:
    """See edgeworker.testing.origin.Misfortune."""

    def __init__(self, faults: FaultInjection) -> None:
        self._share = faults.origin_failures
        self._random = random.Random(f"origin {faults.seed or 0}")

    async def before_origin(self, request: OriginRequest) -> None:
        if self._random.random() < self._share:
            raise origin_rules.failure(self._random.choice(sorted(origin_rules.FAILURES)), request)
