"""Faults of the disk, of the clock and of the database: each begins and ends while requests come."""

import os
import resource
import signal
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.cli.serve.serving import Served, serve
from tests.faults.edges import Client, logged, seconds_until, write_project
from tests.faults.shim import Fault, Shim
from tests.patience import PATIENCE_SECONDS

RECOVERS_WITHIN_SECONDS = 5.0
DAY = 86_400

Begin = Callable[[Served], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`answers` are those while the fault was there. `recovered` in seconds after its end."""

    fault: str
    answers: Counter[str]
    acknowledged: int
    wrong: list[str]
    pages_without_ray: int
    recovered: float
    said: Counter[str]


@contextmanager
def shimmed(place: Path, fault: Fault, value: int) -> Iterator[tuple[dict[str, str], Begin, Begin]]:
    """The environment, and what begins and ends the fault."""
    data = place / "data"
    data.mkdir(mode=0o700)
    shim = Shim.build(place, data)
    yield shim.environment, lambda _: shim.set(fault, value), lambda _: shim.set(fault, 0)


def under(
    name: str,
    place: Path,
    begin: Begin,
    end: Begin,
    *,
    env: dict[str, str] | None = None,
    seconds: float = 2.0,
    processes: int = 2,
) -> Outcome:
    """What an edge does while the fault is there for so long, after it, and after a restart."""
    edge = write_project(place)
    options = ("--edge", str(edge), "--persist-to", str(place / "data"), "--no-request-log")
    with serve(*options, "--processes", str(processes), cwd=place, env=env) as served:
        client = Client(served)
        while len(client.acknowledged) < 20:
            client.put()
        client.statuses.clear()
        before = logged(served)
        begin(served)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            client.put()
            client.get_any()
            time.sleep(0.01)
        answers = Counter(client.statuses)
        end(served)
        recovered = seconds_until(lambda: client.put() and client.get_any(), most=4 * RECOVERS_WITHIN_SECONDS)
        client.check_all()
        time.sleep(1.5)  # what is told when a fault has ended
        said = logged(served) - before
        served.stop()
    with serve(*options, cwd=place) as again:
        client.served = again
        client.check_all()
    with closing(sqlite3.connect(place / "data" / "kv.sqlite")) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchall()
        if found != [("ok",)]:
            client.wrong.append(f"the database is damaged: {found[:1]}")
    return Outcome(name, answers, len(client.acknowledged), client.wrong, client.pages_without_ray, recovered, said)


def disk_full(place: Path) -> Outcome:
    with shimmed(place, "full", 1) as (env, begin, end):
        return under("disk full", place, begin, end, env=env)


def reading_fails(place: Path) -> Outcome:
    with shimmed(place, "read", 1) as (env, begin, end):
        return under("EIO on read", place, begin, end, env=env)


def fsync_fails(place: Path) -> Outcome:
    with shimmed(place, "fsync", 1) as (env, begin, end):
        return under("EIO on fsync", place, begin, end, env=env)


def clock_forward(place: Path) -> Outcome:
    with shimmed(place, "clock", DAY) as (env, begin, end):
        return under("clock one day forward", place, begin, end, env=env)


def clock_back(place: Path) -> Outcome:
    with shimmed(place, "clock", -DAY) as (env, begin, end):
        return under("clock one day back", place, begin, end, env=env)


def database_locked(place: Path, *, seconds: float = 10.0) -> Outcome:
    with ExitStack() as stack:

        def begin(_: Served) -> None:
            connection = sqlite3.connect(place / "data" / "kv.sqlite", isolation_level=None)
            stack.callback(connection.close)
            connection.execute("BEGIN IMMEDIATE")

        return under(f"SQLite locked {seconds:g} s", place, begin, lambda _: stack.close(), seconds=seconds)


def descriptors_used_up(place: Path) -> Outcome:
    with ExitStack() as stack:

        def begin(served: Served) -> None:
            pid = served.process.pid
            used = len(list(Path(f"/proc/{pid}/fd").iterdir()))
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 10, used + 10))
            url = urlsplit(served.urls["edge"])
            for _ in range(40):
                stack.enter_context(
                    socket.create_connection((str(url.hostname), url.port or 0), timeout=PATIENCE_SECONDS)
                )

        return under("EMFILE", place, begin, lambda _: stack.close(), processes=1)


def child_killed(place: Path) -> Outcome:
    def begin(served: Served) -> None:
        children = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)

    return under("child killed", place, begin, lambda _: None)
