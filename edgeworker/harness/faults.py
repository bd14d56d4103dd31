"""What goes wrong now and then, drawn with a seed, so that a failure can be had again."""

import random  # noqa: TID251  # a generator of its own, with a seed that is printed
from dataclasses import dataclass, replace
from typing import Self

from edgeworker.harness import origin_rules
from edgeworker.harness.origin_rules import OriginRequest


@dataclass(frozen=True, slots=True)
class Faults:
    """How often what fails: shares between 0 and 1. The same seed and the same calls give the same faults.

    Without a seed the plugin draws one and prints it when a test fails; elsewhere it is 0.

    `origin_failures` are requests to an origin or the internet that fail in one of the ways of `Origin.fail`.
    """

    seed: int | None = None
    origin_failures: float = 0.0

    def __post_init__(self) -> None:
        for name in ("origin_failures",):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise ValueError(f"{name}={share}: a share of all calls, so between 0 and 1")

    @property
    def any(self) -> bool:
        return self.origin_failures > 0

    def seeded(self, seed: int, *, always: bool = False) -> Self:
        """With this seed where there is none, or `always`."""
        return replace(self, seed=seed) if always or self.seed is None else self


class OriginMisfortune:
    """See edgeworker.harness.origin.Misfortune."""

    def __init__(self, faults: Faults) -> None:
        self._share = faults.origin_failures
        self._random = random.Random(f"origin {faults.seed or 0}")

    async def before_origin(self, request: OriginRequest) -> None:
        if self._random.random() < self._share:
            raise origin_rules.failure(self._random.choice(sorted(origin_rules.FAILURES)), request)
