"""`caches` under `dev`: on disk, and so there after a restart."""

import stat
from pathlib import Path

from tests.cli.running import dev, fetch

CONFIG = 'name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-08-01"\ncompatibility_flags = ["python_workers"]\n'
SCRIPT = """
from js import caches
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        cache = caches.default
        if request.method == "POST":
            kept = Response(await request.text(), headers={"cache-control": "max-age=600"})
            await cache.put("https://x.example/", kept.js_object)
        found = await cache.match("https://x.example/")
        return Response("nothing") if found is None else found
"""


def test_what_a_script_put_into_the_cache_is_there_after_a_restart(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text(CONFIG)
    (tmp_path / "worker.py").write_text(SCRIPT)

    with dev(cwd=tmp_path) as edge:
        assert edge.get("localhost", "/").text == "nothing"
        assert fetch(edge.url, method="POST", body=b"kept").text == "kept"
    with dev(cwd=tmp_path) as edge:
        again = edge.get("localhost", "/")

    assert (again.text, again.headers.get("cf-cache-status")) == ("kept", "HIT")
    folder = tmp_path / ".edgeworker" / "cache"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
