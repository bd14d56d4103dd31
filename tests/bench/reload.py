"""From saving a script to the first answer of the new one: `uv run python -m tests.bench.reload [rounds]`.

`edgeworker dev` runs as a person runs it; the script is saved, and the edge is asked until the new text comes.
"""

import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.bench.processes import ended, free_port, wait_for_line

_CONFIG: Final = 'name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-08-01"\n'
_SCRIPT: Final = """
from workers import Response, WorkerEntrypoint
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("TEXT")
"""
_ASKED_EVERY_SECONDS: Final = 0.002


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, port = Path(name), free_port()
        (folder / "wrangler.toml").write_text(_CONFIG, encoding="utf-8")
        _save(folder, "0")
        command = [sys.executable, "-m", "edgeworker", "dev", "--json", "--port", str(port), "--api-port", "0"]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        stack.enter_context(ended(process))
        wait_for_line(process, "{")
        took = []
        for number in range(1, rounds + 1):
            begun = time.perf_counter()
            _save(folder, str(number))
            while _asked(port) != str(number):
                time.sleep(_ASKED_EVERY_SECONDS)
            took.append((time.perf_counter() - begun) * 1000)
        print(f"saved to first answer: median {statistics.median(took):.0f} ms, worst {max(took):.0f} ms of {rounds}")


def _save(folder: Path, text: str) -> None:
    (folder / "worker.py").write_text(_SCRIPT.replace("TEXT", text), encoding="utf-8")


def _asked(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        content: bytes = answer.read()
    return content.decode()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
