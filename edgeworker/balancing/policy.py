"""Which origin a request goes to, and whether it may go to another one after that. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from edgeworker.balancing.health import OriginHealth
from edgeworker.balancing.settings import OriginServer

Why = Literal["healthy", "backup", "none is healthy"]

# https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2
IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class UseOrigin:
    """`index` is the place in the load balancer's origins."""

    index: int
    why: Why


@dataclass(frozen=True, slots=True)
class AllBusy:
    """Every origin that could be asked has as many requests under way as it may have."""


@dataclass(frozen=True, slots=True)
class NoneLeft:
    """Every origin was tried."""


Decision = UseOrigin | AllBusy | NoneLeft


def choose_origin(
    origins: Sequence[OriginServer],
    health: Sequence[OriginHealth],
    in_use: Sequence[int],
    *,
    now: float,
    random_value: float,
    tried: Collection[int] = (),
) -> Decision:
    """A healthy origin by weight; else a healthy backup; else any, because a wrong check must not end the service.

    `random_value` is at least 0 and less than 1; `now` is monotonic.
    """
    left = [index for index, server in enumerate(origins) if server.enabled and index not in tried]
    if not left:
        return NoneLeft()
    healthy = [index for index in left if health[index].is_healthy(now)]
    main = [index for index in healthy if not origins[index].backup]
    tiers: tuple[tuple[Why, list[int]], ...] = (
        ("healthy", main),
        ("backup", [index for index in healthy if origins[index].backup]),
        ("none is healthy", [] if healthy else left),
    )
    for why, tier in tiers:
        free = [index for index in tier if _has_room(origins[index], in_use[index])]
        if free:
            return UseOrigin(_by_weight(free, origins, random_value), why)
    return AllBusy()


def may_retry(method: str, *, nothing_sent: bool, body_is_there: bool) -> bool:
    """Whether a request that failed may go to another origin: what was sent may have been carried out.

    `body_is_there`: nothing of the body, if there is one, was read yet, or all of it is still in memory.
    """
    return body_is_there and (nothing_sent or method in IDEMPOTENT)


def _has_room(server: OriginServer, in_use: int) -> bool:
    return server.max_connections is None or in_use < server.max_connections


def _by_weight(indices: Sequence[int], origins: Sequence[OriginServer], random_value: float) -> int:
    rest = random_value * sum(origins[index].weight for index in indices)
    for index in indices:
        rest -= origins[index].weight
        if rest < 0:
            return index
    return indices[-1]
