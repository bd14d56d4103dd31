"""An edge that serves out of a restored backup, with another folder and nothing else of the old one."""

import http.client
import json
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from tests.cli.running import run
from tests.cli.serve.serving import Served, serve, write_project
from tests.patience import PATIENCE_SECONDS

NAMESPACE = "1" * 32
KEY = f"/client/v4/accounts/a/storage/kv/namespaces/{NAMESPACE}/values/k"
BINDING = f"""
[[kv_namespaces]]
binding = "KV"
id = "{NAMESPACE}"
"""
EDGE = """\
workers = [{ config = "wrangler.toml" }]
account_id = "a"

[sockets]
https = "127.0.0.1:0"

[[zones]]
name = "example.com"

[access]
team = "acme"
team_domain = "acme.cloudflareaccess.com"
"""


def _value(served: Served, token: str, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes]:
    place = urlsplit(served.urls["api"])
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=PATIENCE_SECONDS)
    connection.request(method, KEY, body, {"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    said = answer.status, answer.read()
    connection.close()
    return said


def _certs(served: Served) -> object:
    answer = served.get("/cdn-cgi/access/certs", "acme.cloudflareaccess.com")
    return answer.status, sorted(key["kid"] for key in json.loads(answer.text)["keys"])


def test_an_edge_serves_out_of_a_restored_backup(tmp_path: Path) -> None:
    old, new, project = tmp_path / "old", tmp_path / "new", tmp_path / "project"
    for folder in (old, project):
        folder.mkdir()
        with write_project(folder, folder.name).open("a") as config:
            config.write(BINDING)
        (folder / "edge.toml").write_text(EDGE)
    with serve("--edge", "edge.toml", "--persist-to", "state", cwd=old) as served:
        state = ("--persist-to", str(old / "state"))
        made = run("token", "create", "publisher", "--allow", "everything", *state, cwd=old)
        token = made.stdout.split()[-1]
        assert _value(served, token, "PUT", b"kept")[0] == 200
        done = run("publish", "--api-url", served.urls["api"], *state, cwd=project)
        assert done.returncode == 0, done.stderr
        certs, authority = _certs(served), (old / "state" / "tls" / "ca.pem").read_bytes()
        backed_up = run("kv", "backup", str(tmp_path / "b"), "--keys", *state, cwd=old)
        assert backed_up.returncode == 0, backed_up.stderr
        assert _value(served, token, "PUT", b"after the backup")[0] == 200
    new.mkdir()
    for name in ("worker.py", "wrangler.toml", "edge.toml"):
        shutil.copy(old / name, new / name)
    shutil.rmtree(old)
    restored = run("kv", "restore", str(tmp_path / "b"), "--persist-to", str(new / "state"), cwd=new)
    assert restored.returncode == 0, restored.stderr

    for processes in ("1", "2"):
        arguments = ("--edge", "edge.toml", "--persist-to", "state", "--processes", processes)
        with serve(*arguments, cwd=new) as served:
            assert _value(served, token) == (200, b"kept")
            assert served.get().text.startswith("project "), "the published version serves"
            assert _certs(served) == certs
            assert _value(served, token, "PUT", b"kept")[0] == 200
    assert (new / "state" / "tls" / "ca.pem").read_bytes() == authority
