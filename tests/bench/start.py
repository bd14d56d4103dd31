"""A small project, and its `edgeworker dev` up to the first answer: what a start is measured with."""

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench import dev
from tests.bench.processes import ended, wait_for_line

_CONFIG = """\
name = "w"
main = "worker.py"
compatibility_date = "2026-08-01"
compatibility_flags = ["python_workers"]
[[kv_namespaces]]
binding = "KV"
id = "aaaa"
"""
_SCRIPT = """\
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("hello")
"""


def write_project(folder: Path) -> None:
    folder.mkdir()
    (folder / "wrangler.toml").write_text(_CONFIG)
    (folder / "worker.py").write_text(_SCRIPT)


@contextmanager
def first_answer(folder: Path, *prefix: str) -> Iterator[int]:
    """The process of a `dev` that has answered once; the second one in a folder finds its bytecode there."""
    shutil.rmtree(folder / ".edgeworker", ignore_errors=True)
    # The order of a set, and with it what is looked at first, is the same in each run.
    fixed = {"PYTHONPYCACHEPREFIX": str(folder / "pycache"), "PYTHONHASHSEED": "0"}
    command: Sequence[str] = (*prefix, sys.executable, "-m", "edgeworker", "dev", "--json", "--port", "0")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--api-port", "0"],
            cwd=folder,
            env=dev.environment_of(None) | fixed,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        with ended(process):
            url = json.loads(wait_for_line(process, "{"))["url"]
            urllib.request.urlopen(url, timeout=600).close()
            yield process.pid
