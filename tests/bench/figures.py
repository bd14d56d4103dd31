"""What a benchmark found, as a table in Markdown and as a chart in SVG. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_BAR: Final = 26
_LEFT: Final = 190
_WIDTH: Final = 720
_OURS: Final = "edgeworker"


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one gateway, medians over the rounds. `spread` is of the CPU time: (largest - smallest) / median."""

    name: str
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    memory_mb: float
    start_seconds: float | None
    errors: int
    spread: float


def markdown(figures: Sequence[Figures], reference: str) -> str:
    """A table whose last column compares the CPU time of a request with that of `reference`."""
    base = next((one.cpu_us for one in figures if one.name == reference), None)
    lines = [
        "| | requests/s | p50 ms | p99 ms | CPU µs per request | memory MB | start s | CPU, times nginx + lua |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in figures:
        start = "" if one.start_seconds is None else f"{one.start_seconds:.2f}"
        ratio = "" if base is None else f"{one.cpu_us / base:.1f}"
        lines.append(
            f"| {one.name} | {one.per_second:,.0f} | {one.p50_ms:.1f} | {one.p99_ms:.1f} | {one.cpu_us:,.0f} "
            f"| {one.memory_mb:.0f} | {start} | {ratio} |"
        )
    return "\n".join(lines) + "\n"


def chart(figures: Sequence[Figures]) -> str:
    """Bars of requests per second of CPU: what one core could answer. Readable on light and dark ground."""
    capacity = [(one.name, 1e6 / one.cpu_us) for one in figures]
    longest = max(value for _, value in capacity)
    height = 34 + _BAR * len(capacity)
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        'font-size="13" role="img">',
        "<title>Requests of the split-token route for each second of CPU time</title>",
        '<text x="8" y="18" fill="#777">requests for each second of CPU time (more is better)</text>',
    ]
    for index, (name, value) in enumerate(capacity):
        top = 28 + index * _BAR
        width = max(2.0, (_WIDTH - _LEFT - 90) * value / longest)
        colour = "#d9822b" if name.startswith(_OURS) else "#8a9ba8"
        rows.append(f'<text x="{_LEFT - 8}" y="{top + 15}" fill="#777" text-anchor="end">{name}</text>')
        rows.append(f'<rect x="{_LEFT}" y="{top}" width="{width:.0f}" height="{_BAR - 6}" rx="2" fill="{colour}"/>')
        rows.append(f'<text x="{_LEFT + width + 6:.0f}" y="{top + 15}" fill="#777">{value:,.0f}</text>')
    return "\n".join([*rows, "</svg>"]) + "\n"


def replace_between(text: str, begin: str, end: str, content: str) -> str:
    """`text` with `content` between the lines `begin` and `end`. Raises ValueError if they are not there."""
    before, found, rest = text.partition(f"{begin}\n")
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"no {begin} ... {end}")
    return f"{before}{begin}\n{content}{end}{after}"
