"""Edges of script texts, for the tests of the harness itself."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from edgeworker.bindings import KVBinding
from edgeworker.config import Binding, Config, Route, Worker
from edgeworker.testing.faults import FaultInjection
from edgeworker.testing.local import LocalEdge

HEADER = "from workers import Request, Response, WorkerEntrypoint, fetch\n\n\nclass Default(WorkerEntrypoint):\n"


def worker_config(
    folder: Path,
    body: str,
    *,
    bindings: Sequence[Binding] = (KVBinding("TOKENS", "tokens"),),
    routes: Sequence[str] = ("api.example.com/*",),
    crons: Sequence[str] = (),
    name: str = "shop",
) -> Config:
    """One worker whose class has `body`."""
    main = folder / f"{name}.py"
    main.write_text(HEADER + "\n".join(f"    {line}" for line in body.strip("\n").splitlines()) + "\n")
    return Config(
        workers=(Worker(name, main, tuple(bindings), crons=tuple(crons)),),
        routes=tuple(Route(pattern, name) for pattern in routes),
        default_worker=name,
    )


@contextmanager
def edge_of(
    folder: Path, body: str, *, name: str = "shop", faults: FaultInjection | None = None
) -> Iterator[LocalEdge]:
    edge = LocalEdge(worker_config(folder, body, name=name), faults=faults)
    with edge:
        yield edge
