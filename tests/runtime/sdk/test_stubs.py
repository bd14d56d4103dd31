"""What type checkers are told about `workers` in projects: the stub package that is installed with edgeworker."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

from edgeworker.testing import Edge, single_worker
from tests.patience import PATIENCE_SECONDS

STUB = Path(__file__).parents[3] / "edgeworker" / "testing" / "workers-stubs" / "__init__.pyi"
NAMES = """
import workers
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(" ".join(name for name in dir(workers) if not name.startswith("__")))
"""
# Lines that end with a comment are wrong, as the comment says.
SCRIPT = """
from workers import Blob, FormData, Response, Request, WorkerEntrypoint, env, fetch, wait_until


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        greeting: str = await self.env.GREETINGS.get("en") or "Hello"
        if request.headers.get("X-Json"):
            return Response.json({"body": await request.json()}, status=201, headers={"X": "y"})
        if request.url.endswith("/proxy"):
            answer = await fetch("https://example.com/", method="POST", body=greeting, headers=[("A", "b")])
            wait_until(env.LOG.put("k", await answer.text()))
            data: dict[str, int] = await answer.json()
            return Response(str(data[request.metod]))  # "Request" has no attribute "metod"
        self.ctx.waitUntill(fetch(request))  # "Context" has no attribute "waitUntill"
        length: str = (await request.bytes())  # Incompatible types in assignment
        return Response(length, statuss=404)  # Unexpected keyword argument "statuss"
"""


def test_the_stub_has_the_names_of_the_module(tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text(NAMES)
    with Edge(single_worker(tmp_path / "worker.py")) as edge:
        names = set(edge.get("/").text.split())

    bound = {
        target.id if isinstance(target, ast.Name) else ""
        for node in ast.parse(STUB.read_text()).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    }
    definitions = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bound |= {node.name for node in ast.parse(STUB.read_text()).body if isinstance(node, definitions)}
    assert {name for name in bound if not name.startswith("_")} == names


def test_a_type_checker_finds_what_is_misspelt_in_a_script_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "workers").mkdir()
    (tmp_path / "worker_env.pyi").write_text("from typing import Any\n\nEnv = Any\n")
    shutil.copy(STUB, tmp_path / "workers")
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", "script.py"]

    checked = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=3 * PATIENCE_SECONDS
    )

    wrong = {
        number: line.partition("  # ")[2] for number, line in enumerate(SCRIPT.splitlines(), start=1) if "  # " in line
    }
    told = [line for line in checked.stdout.splitlines() if ": error: " in line]
    assert [int(line.split(":")[1]) for line in told] == list(wrong), checked.stdout + checked.stderr
    assert all(expected in line for expected, line in zip(wrong.values(), told, strict=True)), checked.stdout
