"""The auth worker behind `edgeworker dev --https`, with a client's site beside it that shows what it was answered."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeworker.config import JSON
from issuer import users
from tests.cli.running import Edge, dev, run
from tests.cli.test_browser import trust
from tests.host.test_sockets import port_of
from tests.scripts.oauth.auth_stage import HASH, ISSUER, SCRIPTS, variables

CLIENT = """
import json
from urllib.parse import parse_qs, urlsplit
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        form = parse_qs(await request.text()) if request.method == "POST" else {}
        told = {"path": urlsplit(request.url).path, "query": parse_qs(urlsplit(request.url).query), "form": form}
        if told["path"] == "/callback/two":
            return Response("", status=302, headers={"location": "https://app.example.net/landed"})
        page = f"<!doctype html><title>client</title><pre>{json.dumps(told)}</pre>"
        return Response(page, headers={"content-type": "text/html"})
"""

CLIENT_TOML = """
name = "client"
main = "worker.py"
compatibility_date = "2026-11-01"
compatibility_flags = ["python_workers"]
routes = [{ pattern = "*.example.net/*", zone_name = "example.net" }]
"""


@dataclass(frozen=True, slots=True)
class Site:
    edge: Edge
    home: Path  # of a browser that trusts it

    @property
    def port(self) -> str:
        return port_of(self.edge.ready["https_url"])

    def url(self, path: str) -> str:
        return ISSUER + path


@contextmanager
def site(folder: Path, given: Mapping[str, JSON] | None = None) -> Iterator[Site]:
    shutil.copytree(SCRIPTS, folder / "oauth", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "client").mkdir()
    (folder / "client/worker.py").write_text(CLIENT)
    (folder / "client/wrangler.toml").write_text(CLIENT_TOML)
    auth = folder / "oauth/auth/wrangler.toml"
    # As TOML a dotted key is a table's; JSON as text is taken too.
    lines = [
        f"{name} = {json.dumps(value if isinstance(value, str) else json.dumps(value))}"
        for name, value in (given or variables()).items()
    ]
    text = auth.read_text()
    auth.write_text(text[: text.index("[vars]")] + "[vars]\n" + "\n".join(lines) + "\n")
    arguments = ["-c", str(auth), "-c", str(folder / "client/wrangler.toml")]
    people = [
        users.new("ann@example.com", HASH, now=1_800_000_000, name="Ann Larsson"),
        users.new("jörg@bücher.example", HASH, now=1_800_000_000),
    ]
    pairs = [
        pair
        for user in people
        for pair in (
            {"key": users.key(user.email), "value": json.dumps(users.record(user))},
            {"key": users.id_key(user.id), "value": users.key(user.email)},
        )
    ]
    (folder / "users.json").write_text(json.dumps(pairs))
    done = run("kv", "bulk", "put", "users.json", "--binding", "USERS", *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    home = folder / "home"
    home.mkdir()
    with dev("--https-port", "0", *arguments, cwd=folder) as edge:
        trust(home, edge.ready["ca"])
        yield Site(edge, home)
