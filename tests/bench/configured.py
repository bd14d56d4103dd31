"""Configurations: the split-token script with an edge.toml, and a script that answers by itself."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

_HELLO: Final = """
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("hello")
"""
# Without a route, the server that `--origin` names would answer.
_HELLO_WRANGLER: Final = """
name = "hello"
main = "worker.py"
compatibility_date = "2026-04-01"
compatibility_flags = ["python_workers"]
routes = [{ pattern = "api.example.com/*", zone_name = "example.com" }]
"""
_SCRIPT: Final = Path(__file__).resolve().parents[2] / "scripts" / "split_token"


def with_routes(count: int, more: str = "", of_zone: str = "") -> Callable[[Path, str], Sequence[str]]:
    """The worker of one route among `count`."""

    def make(folder: Path, origin: str) -> Sequence[str]:
        gateway = folder / "gateway"
        shutil.copytree(_SCRIPT, gateway, ignore=shutil.ignore_patterns("__pycache__"))
        wrangler = gateway / "wrangler.toml"
        route = 'routes = [{ pattern = "api.example.com/*", zone_name = "example.com" }]\n'
        wrangler.write_text(wrangler.read_text().replace("workers_dev = false\n", f"workers_dev = false\n{route}", 1))
        others = ", ".join(f'"api.example.com/static/{number}/*"' for number in range(count - 1))
        edge = folder / "edge.toml"
        edge.write_text(
            f'[[zones]]\nname = "example.com"\norigin = "{origin}"\nroutes_without_worker = [{others}]\n{of_zone}\n'
            f'{more}\n[[workers]]\nconfig = "gateway/wrangler.toml"\n'
        )
        return "--edge", str(edge)

    return make


def hello(folder: Path, _origin: str) -> Sequence[str]:
    project = folder / "hello"
    project.mkdir()
    (project / "wrangler.toml").write_text(_HELLO_WRANGLER)
    (project / "worker.py").write_text(_HELLO)
    return "-c", str(project / "wrangler.toml")
