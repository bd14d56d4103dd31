"""One gateway while it is measured."""

import statistics
from dataclasses import dataclass, field

from tests.bench import load
from tests.bench.figures import Figures
from tests.bench.processes import cpu_seconds, rss_mb


@dataclass(slots=True)
class Gateway:
    """`cpu` is what its processes used for each request of a round, in seconds."""

    name: str
    port: int
    pid: int
    start_seconds: float | None = None
    results: list[load.Measured] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def measure(self, work: load.Work, *, connections: int, seconds: float) -> None:
        before = cpu_seconds(self.pid)
        result = load.measure(self.port, work, connections=connections, seconds=seconds)
        self.cpu.append((cpu_seconds(self.pid) - before) / max(1.0, result.count))
        self.results.append(result)

    def figures(self) -> Figures:
        def median(of: str) -> float:
            return statistics.median(float(getattr(result, of)) for result in self.results)

        cpu = statistics.median(self.cpu)
        return Figures(
            self.name,
            median("per_second"),
            median("p50_ms"),
            median("p99_ms"),
            cpu * 1e6,
            rss_mb(self.pid),
            self.start_seconds,
            sum(result.errors for result in self.results),
            (max(self.cpu) - min(self.cpu)) / cpu if cpu else 0.0,
        )
