"""Whether a serving process is ready, and what it counts besides requests."""

from typing import TYPE_CHECKING

from edgeworker.errors import EdgeworkerError

if TYPE_CHECKING:
    from edgeworker.balancing.board import OriginBoard
    from edgeworker.clock import SystemClock
    from edgeworker.host.serving import RunningEdge
    from edgeworker.kv.namespace import KVReads
    from edgeworker.metrics.counters import Counters


class EdgeReadiness:
    """Ready while the edge serves and its store can be read."""

    def __init__(self) -> None:
        self.running: RunningEdge | None = None

    async def reason(self) -> str | None:
        """Why the process is not ready; None if it is."""
        running = self.running
        if running is None or running.behind.assembly is None:
            return "the edge is starting or stopping"
        assembly = running.behind.assembly
        try:
            await assembly.store.get("", "readyz", now=assembly.clock.now())
        except EdgeworkerError as error:
            return str(error)
        return None


def refresh_counters(
    counters: "Counters", board: "OriginBoard", reads: "KVReads", readiness: EdgeReadiness, clock: "SystemClock"
) -> None:
    """Copy what requests do not count (KV reads, origins, certificates) into the counters of this process."""
    from edgeworker.metrics.origin_report import report_of

    if readiness.running is not None and readiness.running.behind.assembly is not None:
        assembly = readiness.running.behind.assembly
        counters.in_flight = assembly.in_flight
        counters.signs_since = assembly.edge.signs_since or 0
        counters.key_imports = dict(assembly.edge.key_imports)
    if readiness.running is not None and readiness.running.sockets.tls is not None:
        counters.certificate_ends = readiness.running.sockets.tls.ends
    counters.kv_found, counters.kv_missing = reads.found, reads.missing
    now = clock.monotonic()
    board.forget_removed()
    counters.origins = {key: report_of(record, now=now) for key, record in board.records.items()}
