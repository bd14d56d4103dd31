"""What the data path must reach, as ratios within one run, for the pure and for the compiled form. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.figures import Figures

NGINX: Final = "nginx + lua"
BARE: Final = "bare aiohttp proxy"
MINIFLARE: Final = "miniflare"
PATH: Final = "edgeworker, data path alone"
DEV: Final = "edgeworker dev"
SERVE: Final = "edgeworker serve, 1 process"
SERVE_TWO: Final = "edgeworker serve, 2 processes"
FORMS: Final = ("", ", compiled")  # what stands after such a name


@dataclass(frozen=True, slots=True)
class Target:
    """`value` compares a gateway with the one that it is `beside`, which is itself where there is no other."""

    what: str
    gateway: str
    beside: str | None
    value: Callable[[Figures, Figures], float | None]
    limit: float
    at_least: bool = False


TARGETS: Final = (
    Target("CPU, times nginx + lua", DEV, NGINX, lambda ours, other: ours.cpu_us / other.cpu_us, 2.8),
    Target("CPU, times nginx + lua", PATH, NGINX, lambda ours, other: ours.cpu_us / other.cpu_us, 1.8),
    Target("p99, times nginx + lua", DEV, NGINX, lambda ours, other: ours.p99_ms / other.p99_ms, 3.0),
    Target(
        "CPU of the bare aiohttp proxy, times ours",
        DEV,
        BARE,
        lambda ours, other: other.cpu_us / ours.cpu_us,
        3.0,
        True,
    ),
    Target(
        "requests/s, times miniflare",
        DEV,
        MINIFLARE,
        lambda ours, other: ours.per_second / other.per_second,
        10.0,
        True,
    ),
    Target(
        "requests/s, times 1 process",
        SERVE_TWO,
        SERVE,
        lambda ours, other: ours.per_second / other.per_second,
        1.7,
        True,
    ),
    Target("memory, MB", DEV, None, lambda ours, _: ours.memory_mb, 60.0),
    Target("memory, MB", SERVE, None, lambda ours, _: ours.memory_mb, 60.0),
    Target("start to first answer, s", DEV, None, lambda ours, _: ours.start_seconds, 0.3),
    Target("start to first answer, s", PATH, None, lambda ours, _: ours.start_seconds, 0.3),
)


def verdicts(found: Sequence[Figures]) -> list[str]:
    """A line for each target and form that was measured."""
    by_name = {one.name: one for one in found}
    return [line for target in TARGETS for form in FORMS if (line := _verdict(target, form, by_name)) is not None]


def _verdict(target: Target, form: str, by_name: Mapping[str, Figures]) -> str | None:
    ours = by_name.get(target.gateway + form)
    if ours is None:
        return None
    # What others are compared with has no compiled form.
    other = ours if target.beside is None else by_name.get(target.beside + form) or by_name.get(target.beside)
    if other is None:
        return None
    value = target.value(ours, other)
    if value is None:
        return None
    word, is_within = ("at least", value >= target.limit) if target.at_least else ("at most", value <= target.limit)
    return (
        f"{ours.name}: {target.what} {value:.2f} "
        f"({'within' if is_within else 'MISSES'} the target of {word} {target.limit:g})"
    )
