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
LARGE: Final = "1 MiB bodies, 16 connections"
FORMS: Final = ("", ", compiled")  # what stands after such a name
# More than this between the rounds of one gateway is another program's doing.
BUSY_SPREAD: Final = 0.25
ROUNDS: Final = 3  # at least, for a verdict


@dataclass(frozen=True, slots=True)
class Target:
    """`value` compares a gateway with the one that it is `beside`, which is itself where there is no other."""

    what: str
    gateway: str
    beside: str | None
    value: Callable[[Figures, Figures], float | None]
    limit: float
    at_least: bool = False


def _cpu(ours: Figures, other: Figures) -> float:
    return ours.cpu_us / other.cpu_us


def _p99(ours: Figures, other: Figures) -> float:
    return ours.p99_ms / other.p99_ms


def _throughput(ours: Figures, other: Figures) -> float:
    return ours.per_second / other.per_second


TARGETS: Final = (
    Target("CPU, times nginx + lua", DEV, NGINX, _cpu, 2.8),
    Target("CPU, times nginx + lua", PATH, NGINX, _cpu, 1.8),
    Target("p99, times nginx + lua", DEV, NGINX, _p99, 3.0),
    Target("CPU of the bare aiohttp proxy, times ours", DEV, BARE, lambda ours, other: _cpu(other, ours), 3.0, True),
    Target("requests/s, times miniflare", DEV, MINIFLARE, _throughput, 10.0, True),
    Target("requests/s, times 1 process", SERVE_TWO, SERVE, _throughput, 1.7, True),
    Target("memory, MB", DEV, None, lambda ours, _: ours.memory_mb, 60.0),
    Target("memory, MB", SERVE, None, lambda ours, _: ours.memory_mb, 60.0),
    Target("start to first answer, s", DEV, None, lambda ours, _: ours.start_seconds, 0.3),
    Target("start to first answer, s", PATH, None, lambda ours, _: ours.start_seconds, 0.3),
)
# Of `cases`: a gateway has the name of its case there.
CASE_TARGETS: Final = (
    *(
        Target("p99, times nginx + lua", case, f"{case}: {NGINX}", _p99, 3.0)
        for case in ("the usual one", "5,000 slow clients beside")
    ),
    Target("requests/s, times nginx + lua", LARGE, f"{LARGE}: {NGINX}", _throughput, 1.0, True),
    Target("CPU, times 1 route", "1,000 routes", "1 route", _cpu, 1.05),
    *(
        Target(what, f"{case}, serve 2", f"{case}, serve 1", value, 1.7, True)
        for case in ("no origin: a script answers", "signatures verified (RS256)")
        for what, value in (
            ("requests/s, times 1 process", _throughput),
            # wrk and the origin take cores too: what is left of two does not show what a second process is worth.
            ("requests/s on a core each (by their CPU time), times 1 process", lambda two, one: 2 * _cpu(one, two)),
        )
    ),
)


def why_no_verdict(found: Sequence[Figures], rounds: int) -> str | None:
    """None where the rounds were enough and alike."""
    busy = [one for one in found if one.spread > BUSY_SPREAD]
    if not busy and rounds >= ROUNDS:
        return None
    why = ", ".join(f"{one.name} {one.spread:.0%}" for one in busy) or "too few rounds"
    return f"No verdict: the machine is busy or the run too short (spread of the CPU time: {why})."


def verdicts(found: Sequence[Figures], targets: Sequence[Target] = TARGETS) -> list[str]:
    """A line for each target and form that was measured."""
    by_name = {one.name: one for one in found}
    return [line for target in targets for form in FORMS if (line := _verdict(target, form, by_name)) is not None]


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
