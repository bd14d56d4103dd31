"""One request's way through the edge, as values. Pure.

The same trace is printed by `edgeworker dev --trace` and shown by the pytest plugin when a test fails. It holds names,
statuses and durations, never a header's value, a KV value or a body; KV keys are shortened, because a key may be the
hash of a token.
"""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["zone", "product", "route", "worker", "subrequest", "kv", "origin", "error", "note"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened. `at` is in seconds since the request began; `took` is in seconds, or None."""

    kind: Kind
    text: str
    at: float
    took: float | None = None


@dataclass(slots=True)
class Trace:
    """The steps of one request in order. `started` is the clock's monotonic second at which it began."""

    started: float
    steps: list[Step] = field(default_factory=list)

    def add(self, kind: Kind, text: str, *, now: float, since: float | None = None) -> None:
        """`now` and `since` are monotonic seconds; `since` is when this step began, where it took time."""
        begun = now if since is None else since
        self.steps.append(Step(kind, text, begun - self.started, None if since is None else now - since))

    def lines(self) -> list[str]:
        """One line a step: `  +0.8 ms  kv          TOKENS.get "IA5j0Hnd…"  hit  (0.1 ms)`."""
        return [
            f"{step.at * 1000:+9.1f} ms  {step.kind:<10}  {step.text}"
            + ("" if step.took is None else f"  ({step.took * 1000:.1f} ms)")
            for step in self.steps
        ]
