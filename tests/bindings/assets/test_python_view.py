from pathlib import Path

from edgeworker.bindings import AssetsBinding, ServiceBinding
from edgeworker.config import Assets, Config, Worker
from edgeworker.testing.local import LocalEdge

FRONT = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        page = await self.env.ASSETS.fetch("https://any.example/about.html?q=1")
        raw = await self.env.ASSETS.fetch(request.js_object)
        return Response(f"{await page.text()} {page.url} {raw.status} {self.env.ASSETS!r}")
"""
BACK = """
from workers import WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await self.env.SITE.fetch("https://any.example/about")
"""


async def test_a_script_fetches_its_own_files_and_those_of_a_bound_worker(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "about.html").write_text("about")
    (tmp_path / "front.py").write_text(FRONT)
    (tmp_path / "back.py").write_text(BACK)
    config = Config(
        workers=(
            Worker("front", tmp_path / "front.py", (AssetsBinding("ASSETS"),), assets=Assets(site)),
            Worker("back", tmp_path / "back.py", (ServiceBinding("SITE", "alone"),), workers_dev=True),
            Worker("alone", None, assets=Assets(site)),
        ),
        default_worker="front",
    )
    async with LocalEdge(config) as edge:
        own = await edge.fetch("http://localhost/nothing")
        other = await edge.fetch("http://back.local.workers.dev/")

    assert own.text == "about https://any.example/about?q=1 404 <assets binding ASSETS>"
    assert (other.status, other.text) == (200, "about")
