"""Files that configure static assets, changed while `dev` runs."""

import time
from collections.abc import Callable
from pathlib import Path

from tests.cli.running import dev, fetch
from tests.patience import PATIENCE_SECONDS

CONFIG = 'name = "site"\ncompatibility_date = "2026-08-01"\n[assets]\ndirectory = "public"\n'


def wait_until(holds: Callable[[], bool]) -> None:
    """One change may be seen as two, so that no single "reloaded" says that it is served."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until, "the change was not served"
        time.sleep(0.05)


def test_headers_redirects_and_ignored_files_are_followed(tmp_path: Path) -> None:
    public = tmp_path / "public"
    public.mkdir()
    (tmp_path / "wrangler.toml").write_text(CONFIG)
    (public / "a.txt").write_text("a")
    (public / "b.txt").write_text("b")

    with dev(cwd=tmp_path) as edge:
        assert fetch(edge.url + "/a.txt").headers.get("x-new") is None
        assert fetch(edge.url + "/b.txt").status == 200

        (public / "_headers").write_text("/a.txt\n  X-New: yes\n")
        wait_until(lambda: fetch(edge.url + "/a.txt").headers.get("x-new") == "yes")
        (public / "_redirects").write_text("/old /a.txt 302\n")
        wait_until(lambda: fetch(edge.url + "/old").headers.get("location") == "/a.txt")
        (public / ".assetsignore").write_text("b.txt\n")
        wait_until(lambda: fetch(edge.url + "/b.txt").status == 404)
        (public / "_headers").unlink()
        wait_until(lambda: fetch(edge.url + "/a.txt").headers.get("x-new") is None)
