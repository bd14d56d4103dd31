"""The measures of an edge on a server of one's own, each by itself."""

import os
import random
import signal
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench import slow_clients
from tests.measures import idle_clients
from tests.measures.edge import ServedEdge, start_gateway, start_who
from tests.measures.findings import Finding, at_most, between, failures, p99_ms, said
from tests.measures.steady_client import Answered, Load

_CHANGES: Final = 20
_KILLS: Final = 5
_EXIT_SECONDS: Final = 0.2  # the kernel needs a moment to end the connections of a killed process
_IDLE: Final = 10_000
_IDLE_MB: Final = 300
_SLOW: Final = 5_000
_SETTLE_SECONDS: Final = 1.0
_SAMPLE_SECONDS: Final = 5.0
_FLAT: Final = 0.05
_Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How to measure: `program` is what runs, `rate` is in requests a second, `calm_seconds` is of each phase."""

    folder: Path
    program: Sequence[str]
    rate: int
    calm_seconds: float
    soak_seconds: float
    processes: int


def reloads(wanted: Wanted) -> Iterator[Finding]:
    """SIGHUP after each change of the script."""

    def change(edge: ServedEdge, number: int) -> None:
        script = edge.folder / "gateway" / "worker.py"
        script.write_text(script.read_text() + f"\n# {number}\n")
        done = edge.count('"message": "reloaded"')
        edge.send(signal.SIGHUP)
        edge.wait_for('"message": "reloaded"', done + wanted.processes)

    yield from _changes(wanted, "reloads", change)


def publishes(wanted: Wanted) -> Iterator[Finding]:
    """`edgeworker publish` of a changed script."""

    def change(edge: ServedEdge, number: int) -> None:
        project = edge.folder / "gateway"
        script = project / "worker.py"
        script.write_text(script.read_text() + f"\n# {number}\n")
        edge.run("publish", cwd=project)

    yield from _changes(wanted, "publishes", change)


def _changes(wanted: Wanted, part: str, change: Callable[[ServedEdge, int], None]) -> Iterator[Finding]:
    spans: list[_Span] = []
    with ExitStack() as stack:
        edge = start_gateway(stack, wanted.folder / part, wanted.program, processes=wanted.processes)
        calm, meanwhile, load = _beside(wanted, edge, lambda: _repeat(change, edge, spans))
    failed = failures(load.answers)
    yield at_most(part, f"failed of {len(load.answers)} requests over {_CHANGES}", len(failed), 0)
    yield from _compared(part, between(load.answers, *calm), between(load.answers, *meanwhile), 1.5)
    # Between two changes the edge is calm: were the pauses longer, p99 would say less.
    within = [one for start, end in spans for one in between(load.answers, start, end)]
    share = sum(end - start for start, end in spans) / (meanwhile[1] - meanwhile[0])
    yield Finding(part, f"from a change to its end, {share:.0%} of the time", said(within))
    # What the client waited for a processor by itself is in all of these figures.
    lags = (said(between(load.lags, *span)) for span in (calm, meanwhile))
    yield Finding(part, "the client itself woke late, calm and meanwhile", " / ".join(lags))


def _repeat(change: Callable[[ServedEdge, int], None], edge: ServedEdge, spans: list[_Span]) -> None:
    for number in range(_CHANGES):
        begun = time.monotonic()
        change(edge, number)
        spans.append((begun, time.monotonic()))
        time.sleep(_SETTLE_SECONDS)


def _beside(wanted: Wanted, edge: ServedEdge, act: Callable[[], None]) -> tuple[_Span, _Span, Load]:
    """When it was calm, and when `act` ran, under the same load."""
    with Load(edge.port, edge.folder, rate=wanted.rate, tokens=edge.tokens) as load:
        time.sleep(_SETTLE_SECONDS)
        start = time.monotonic()
        time.sleep(wanted.calm_seconds)
        begun = time.monotonic()
        act()
        end = time.monotonic()
    return (start, begun), (begun, end), load


def _compared(part: str, before: list[Answered], during: list[Answered], target: float) -> Iterator[Finding]:
    yield Finding(part, "calm", said(before))
    yield Finding(part, "meanwhile", said(during))
    yield at_most(part, "p99, times calm", p99_ms(during) / p99_ms(before), target)


def kills(wanted: Wanted) -> Iterator[Finding]:
    """SIGKILL to one of two processes: what else than the requests in its hands fails?"""
    with ExitStack() as stack:
        edge = start_who(stack, wanted.folder / "kills", wanted.program, processes=2)
        killed: list[tuple[int, float]] = []
        with Load(edge.port, edge.folder, rate=wanted.rate, tokens=edge.tokens, connections=32) as load:
            for number in range(_KILLS):
                time.sleep(3 * _SETTLE_SECONDS)
                victim = random.choice(edge.children())
                os.kill(victim, signal.SIGKILL)
                killed.append((victim, time.monotonic()))
                edge.wait_for("it is started again", number + 1)
            time.sleep(2 * _SETTLE_SECONDS)
        back = len(edge.children())
    failed = failures(load.answers)
    held = [one for one in failed if any(_was_in_hands_of(one, *kill) for kill in killed)]
    late = [one for one in failed if one not in held and any(_was_sent_too_late(one, *kill) for kill in killed)]
    yield Finding("kills", f"failed of {len(load.answers)} over {_KILLS}: in the hands of the killed", str(len(held)))
    yield Finding("kills", "sent into its connections before the client knew of its end", str(len(late)))
    yield at_most("kills", "failed by any other cause", len(failed) - len(held) - len(late), 0)
    yield Finding("kills", "processes at the end", str(back), "2", back == 2)


def _was_in_hands_of(one: Answered, victim: int, at: float) -> bool:
    """A connection that was never answered has no process that the client knows."""
    return one.status == 0 and one.begun <= at <= one.begun + one.seconds and one.text in (str(victim), "")


def _was_sent_too_late(one: Answered, victim: int, at: float) -> bool:
    """On a connection that the killed process had accepted, which a client cannot know at once. No byte of an answer
    came, so it may send the request again by itself."""
    return one.status == 0 and one.text in (str(victim), "") and 0 < one.begun - at < _EXIT_SECONDS


def soak(wanted: Wanted) -> Iterator[Finding]:
    """Is memory flat under an even load?"""
    with ExitStack() as stack:
        edge = start_gateway(stack, wanted.folder / "soak", wanted.program, processes=wanted.processes)
        samples: list[tuple[float, float]] = []
        with Load(edge.port, edge.folder, rate=wanted.rate, tokens=edge.tokens) as load:
            begun = time.monotonic()
            while (now := time.monotonic() - begun) < wanted.soak_seconds:
                samples.append((now, edge.memory_mb()))
                time.sleep(min(_SAMPLE_SECONDS, wanted.soak_seconds / 20))
    # The first fifth is how it comes to its size: caches of one entry a token, pools of connections.
    start, end = (
        statistics.median(mb for at, mb in samples if low <= at / wanted.soak_seconds < high)
        for low, high in ((0.2, 0.4), (0.8, 1.0))
    )
    minutes = "; ".join(f"{at:.0f} s {mb:.1f}" for at, mb in samples[:: max(1, len(samples) // 12)])
    yield Finding("soak", f"MB of {wanted.processes} process(es) by time", minutes)
    yield at_most("soak", f"failed of {len(load.answers)} requests", len(failures(load.answers)), 0)
    yield Finding("soak", "growth of memory", f"{end / start - 1:+.1%}", f"±{_FLAT:.0%}", abs(end / start - 1) <= _FLAT)


def idle(wanted: Wanted) -> Iterator[Finding]:
    """Ten thousand connections that wait, and requests beside them."""
    limits = f"connections = {_IDLE + 2000}\nkeepalive_timeout_seconds = 600\n"
    with ExitStack() as stack:
        edge = start_gateway(stack, wanted.folder / "idle", wanted.program, limits=limits)
        empty = edge.memory_mb()

        def act() -> None:
            idle_clients.hold(stack, edge.port, _IDLE)

        calm, _, calm_load = _beside(wanted, edge, act)
        before = between(calm_load.answers, *calm)
        full = edge.memory_mb()
        with Load(edge.port, edge.folder, rate=wanted.rate, tokens=edge.tokens) as load:
            time.sleep(wanted.calm_seconds)
    yield at_most("idle", f"memory with {_IDLE:,} idle connections", full, _IDLE_MB, unit=" MB")
    yield Finding("idle", "of these each", f"{(full - empty) * 1024 / _IDLE:.1f} KB")
    yield at_most("idle", f"failed of {len(load.answers)} requests beside", len(failures(load.answers)), 0)
    yield from _compared("idle", before, load.answers, 1.5)


def slowloris(wanted: Wanted) -> Iterator[Finding]:
    """Five thousand clients that send a byte of a header field every three seconds."""
    limits = f"connections = {_SLOW + 2000}\n"
    with ExitStack() as stack:
        edge = start_gateway(stack, wanted.folder / "slowloris", wanted.program, limits=limits)

        def act() -> None:
            slow_clients.hold(stack, edge.port, _SLOW)

        calm, _, calm_load = _beside(wanted, edge, act)
        before = between(calm_load.answers, *calm)
        with Load(edge.port, edge.folder, rate=wanted.rate, tokens=edge.tokens) as load:
            time.sleep(max(wanted.calm_seconds, 12.0))  # header_timeout_seconds: each is closed once, and comes again
        memory = edge.memory_mb()
    yield at_most("slowloris", f"failed of {len(load.answers)} requests", len(failures(load.answers)), 0)
    yield from _compared("slowloris", before, load.answers, 2.0)
    yield Finding("slowloris", "memory", f"{memory:.0f} MB")


PARTS: Final = {
    "reloads": reloads,
    "publishes": publishes,
    "kills": kills,
    "idle": idle,
    "slowloris": slowloris,
    "soak": soak,
}
