"""`edgeworker serve` with the split-token script behind a route, and the tokens published."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from tests.bench import dev
from tests.bench.configured import with_routes
from tests.bench.processes import ended, free_port
from tests.bench.tokens import Split


def start(
    stack: ExitStack,
    origin: str,
    folder: Path,
    made: list[Split],
    *options: str,
    processes: int,
    tree: Path | None = None,
) -> tuple[int, int] | None:
    """(port, process id of the parent), or None, with a text, if it does not start. `folder` is one of its own,
    `options` say what is served, where that is not the split-token script."""
    folder.mkdir()
    configuration = options or with_routes(1)(folder, origin)
    with ExitStack() as publishing:
        if dev.start(publishing, origin, folder / "data", made, *configuration, starts=0) is None:
            return None
    port = free_port()
    command = [sys.executable, "-m", "edgeworker", "serve", *configuration]
    command += ["--persist-to", str(folder / "data" / "dev"), "--port", str(port), "--api-port", str(free_port())]
    command += ["--management-port", str(free_port()), "--processes", str(processes)]
    command += ["--log-format", "json", "--access-log", str(folder / "access.log")]
    log = stack.enter_context((folder / "serve.log").open("w+"))
    environment = dev.environment_of(tree)
    with ExitStack() as first:  # for the byte code: what compiles it keeps the memory for that
        if _answering(first, command, folder, environment, log, port) is None:
            return None
    pid = _answering(stack, command, folder, environment, log, port)
    return None if pid is None else (port, pid)


def _answering(
    stack: ExitStack, command: list[str], folder: Path, environment: dict[str, str], log: TextIO, port: int
) -> int | None:
    process = stack.enter_context(
        ended(subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, text=True))
    )
    if not dev.wait_for_answer(process, port):
        log.seek(0)
        print(f"edgeworker serve is not measured: it did not start:\n{log.read().strip()[-500:]}\n")
        return None
    return process.pid
