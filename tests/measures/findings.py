"""What a measure found, beside its target, as a table. Pure."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tests.measures.steady_client import Answered


class _Timed(Protocol):
    @property
    def begun(self) -> float: ...
    @property
    def seconds(self) -> float: ...


_T = TypeVar("_T", bound=_Timed)


@dataclass(frozen=True, slots=True)
class Finding:
    """`is_met` None: a figure without a target."""

    part: str
    what: str
    found: str
    target: str = ""
    is_met: bool | None = None


def at_most(part: str, what: str, found: float, target: float, *, unit: str = "") -> Finding:
    return Finding(part, what, f"{found:.4g}{unit}", f"at most {target:g}{unit}", found <= target)


def table(findings: Iterable[Finding]) -> str:
    rows = [("part", "measure", "found", "target", "")]
    for one in findings:
        verdict = "" if one.is_met is None else "met" if one.is_met else "MISSED"
        rows.append((one.part, one.what, one.found, one.target, verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    cells = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def failures(answers: Iterable[Answered]) -> list[Answered]:
    return [one for one in answers if one.status != 200]


def between(answers: Iterable[_T], start: float, end: float) -> list[_T]:
    return [one for one in answers if start <= one.begun < end]


def p50_ms(answers: Sequence[_Timed]) -> float:
    return 1000 * statistics.median(one.seconds for one in answers)


def p99_ms(answers: Sequence[_Timed]) -> float:
    return 1000 * statistics.quantiles((one.seconds for one in answers), n=100)[98]


def worst_ms(answers: Sequence[_Timed]) -> float:
    return 1000 * max(one.seconds for one in answers)


def said(answers: Sequence[_Timed]) -> str:
    return f"p50 {p50_ms(answers):.1f}, p99 {p99_ms(answers):.1f}, worst {worst_ms(answers):.0f} ms"
