"""Chromium trusts the local authority the way `edgeworker tls show` says it, and then takes https for what it is."""

import html
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.running import dev, environment
from tests.host.test_sockets import port_of, project
from tests.npm_tools import missing
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.browser

SECONDS = PATIENCE_SECONDS


def program(name: str, *others: str) -> str:
    for candidate in (name, *others):
        if (found := shutil.which(candidate)) is not None:
            return found
    missing(f"{name} is needed (Debian packages chromium and libnss3-tools)")


def trust(home: Path, ca: str) -> None:
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    certutil = program("certutil")
    for arguments in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "edgeworker", "-i", ca]):
        subprocess.run([certutil, "-d", f"sql:{database}", *arguments], check=True, timeout=SECONDS)


def page(url: str, *, home: Path) -> str:
    """The document that Chromium made of it, as HTML."""
    command = [
        program("chromium", "chromium-browser", "google-chrome"),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-proxy-server",
        "--host-resolver-rules=MAP * 127.0.0.1",
        f"--user-data-dir={home / 'profile'}",
        "--dump-dom",
        url,
    ]
    env = environment(HOME=str(home), XDG_CONFIG_HOME=str(home), XDG_CACHE_HOME=str(home))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS, env=env)
    return html.unescape(done.stdout)


def test_chromium_shows_pages_over_https_once_it_trusts_the_authority(tmp_path: Path) -> None:
    trusting, suspicious = tmp_path / "trusting", tmp_path / "suspicious"
    for home in (trusting, suspicious):
        home.mkdir()
    project(tmp_path, "api.example.com/*", edge='[[zones]]\nname = "example.com"\n')

    with dev("--https-port", "0", cwd=tmp_path) as edge:
        trust(trusting, edge.ready["ca"])
        port = port_of(edge.ready["https_url"])
        pages = {host: page(f"https://{host}:{port}/x?y=1", home=trusting) for host in ("api.example.com", "localhost")}
        refused = page(f"https://localhost:{port}/", home=suspicious)

    for host, text in pages.items():
        told = json.loads(text[text.index("{") : text.rindex("}") + 1])
        assert (told["url"], told["tls"]) == (f"https://{host}:{port}/x?y=1", "TLSv1.3")
    assert '"tls"' not in refused
