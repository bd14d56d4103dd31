"""`edgeworker explain`: why a request was refused, by its ray id."""

import http.client
import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from edgeworker.host.datadir import DataDir
from edgeworker.host.refusal_ring import FOLDER
from tests.cli.running import run
from tests.cli.serve.serving import Served, serve
from tests.patience import PATIENCE_SECONDS

EDGE = """\
workers = [{ config = "wrangler.toml" }]

[[zones]]
name = "example.com"
routes_without_worker = ["example.com/api/*"]
origin = "http://127.0.0.1:1"

[[zones.api_shield.rate_limits]]
description = "one of each"
requests = 1
period = "24h"
characteristics = ["http.request.headers[\\"x-key\\"][0]"]
expression = "http.request.uri.path contains \\"limited\\""
"""
WORKER = """\
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if "/fail" in request.url:
            raise ValueError(request.headers.get("authorization"))
        return Response("no", status=403)
"""
SECRETS = ("TOKEN-9f1c", "ada@example.org", "q-secret", "cookie-secret")


_VALUES = "/client/v4/accounts/a/storage/kv/namespaces/1/values"
# Socket, (target, token or "" for the edge's own, method), status, rule, evidence.
_MANAGED = (
    ("api", (f"{_VALUES}/ada@example.org", SECRETS[0], "GET"), 401, "the REST API: who may call it", "token unknown"),
    ("api", ("/client/v4/ada@example.org", "", "GET"), 404, "the REST API", "not routable"),
    (
        "api",
        (f"{_VALUES}/ada@example.org", "", "GET"),
        404,
        "the REST API: GET /accounts/{account}/storage/kv/namespaces/{namespace}/values/{key+}",
        "namespace not found",
    ),
    (
        "management",
        ("/q-secret", "", "GET"),
        404,
        "what this socket of the management plane has",
        "nothing at this path",
    ),
    ("management", ("/metrics", "", "POST"), 405, "what this socket of the management plane has", "another method"),
)


def _edge_token(folder: Path) -> str:
    return DataDir.open(folder / "state").api_token()


def _project(folder: Path) -> Path:
    (folder / "worker.py").write_text(WORKER)
    (folder / "wrangler.toml").write_text(
        'name = "shop"\nmain = "worker.py"\ncompatibility_date = "2026-11-01"\n'
        'compatibility_flags = ["python_workers"]\nroutes = ["example.com/*"]\n'
    )
    edge = folder / "edge.toml"
    edge.write_text(EDGE)
    return edge


def _get(served: Served, path: str, *, host: str = "example.com") -> tuple[int, str]:
    """The status, and the ray id."""
    place = urlsplit(served.urls["edge"])
    assert place.hostname is not None
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=PATIENCE_SECONDS)
    headers = {
        "Host": host,
        "Authorization": f"Bearer {SECRETS[0]}",
        "Cookie": f"a={SECRETS[3]}",
        "X-Key": SECRETS[1],
    }
    connection.request("GET", f"{path}?token={SECRETS[2]}", headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers["CF-Ray"]


def _raw(served: Served, content: bytes) -> str:
    place = urlsplit(served.urls["edge"])
    with socket.create_connection((place.hostname, place.port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(content)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    (ray,) = [line[8:].decode() for line in received.split(b"\r\n") if line.lower().startswith(b"cf-ray: ")]
    return ray


def test_each_refusal_of_all_processes_is_explained_and_holds_nothing_of_a_client(tmp_path: Path) -> None:
    edge = _project(tmp_path)

    def explained(ray: str) -> dict[str, object]:
        told = run("explain", ray, "--persist-to", "state", "--json", cwd=tmp_path)
        assert told.returncode == 0, told.stderr
        found: dict[str, object] = json.loads(told.stdout)
        return found

    with serve("--edge", str(edge), "--processes", "2", "--persist-to", "state", cwd=tmp_path) as served:
        cases = {
            "/cdn-cgi/none": (404, "paths under /cdn-cgi/ belong to the edge"),
            f"/{SECRETS[1]}": (403, "worker shop: its script answered so"),
            "/fail": (500, "worker shop"),
            "/api/x": (521, "origin http://127.0.0.1:1"),
        }
        for path, (status, rule) in cases.items():
            answered, ray = _get(served, path)
            told = explained(ray)
            assert (answered, told["status"], told["rule"]) == (status, status, rule)
        # At midnight a new period begins.
        answers = (_get(served, "/api/limited") for _ in range(20))
        ray = next(ray for status, ray in answers if status == 429)
        told = explained(ray)
        assert str(told["rule"]).startswith('Rate limiting rules: rule "one of each" (')
        assert told["evidence"] == ["more than 1 requests in 86400 s of one counter"]

        for content, text in (
            (b"GET / HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n", "Host was sent twice."),
            (b"\x16\x03\x01 TOKEN-9f1c\r\n\r\n", "The client speaks TLS"),
            (
                b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n"
                b"Authorization: a\r\nAuthorization: TOKEN-9f1c\r\n\r\n",
                "sent twice",
            ),
        ):
            evidence = explained(_raw(served, content))["evidence"]
            assert isinstance(evidence, list)
            assert text in evidence[0]
        for kind, (target, token, method), status, rule, text in _MANAGED:
            place = urlsplit(served.urls[kind])
            connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=PATIENCE_SECONDS)
            headers = {"Authorization": f"Bearer {token or _edge_token(tmp_path)}"}
            connection.request(method, target, headers=headers)
            answer = connection.getresponse()
            answer.read()
            connection.close()
            told = explained(answer.headers["CF-Ray"])
            assert (answer.status, told["status"], told["rule"]) == (status, status, rule)
            assert text in str(told["evidence"])
        listed = run("explain", "--persist-to", "state", cwd=tmp_path).stdout
        assert "worker shop: its script answered so" in listed
    rings = b"".join(file.read_bytes() for file in (tmp_path / "state" / FOLDER).iterdir())
    assert [secret for secret in SECRETS if secret.encode() in rings] == []
    assert [address for address in (b'127.0.0.1"', b"/fail") if address in rings] == []


def test_a_ray_that_is_not_there_and_what_is_no_ray_are_told(tmp_path: Path) -> None:
    missing = run("explain", "8f2a61c09b7d4e35", cwd=tmp_path)
    assert "no edge ran with this data directory" in missing.stderr
    wrong = run("explain", "hello", cwd=tmp_path)
    assert '"hello" is not a ray id; it looks like 8f2a61c09b7d4e35-LOC' in wrong.stderr
    (tmp_path / "state" / FOLDER).mkdir(parents=True)
    unknown = run("explain", "8f2a61c09b7d4e35", "--persist-to", "state", cwd=tmp_path)
    assert "8f2a61c09b7d4e35-LOC is not among the 0 refusals that state has yet" in unknown.stderr
    assert run("explain", "--persist-to", "state", cwd=tmp_path).stdout == "No request was refused yet.\n"
    assert {one.returncode for one in (missing, wrong, unknown)} == {1}


@pytest.mark.parametrize("arguments", [(), ("--no-request-log",)], ids=["with a log", "without a log"])
def test_dev_records_too(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    from tests.cli.running import dev

    _project(tmp_path)
    with dev("-c", "wrangler.toml", *arguments, cwd=tmp_path) as edge:
        answer = edge.get("example.com", "/x")
        told = run("explain", answer.headers["cf-ray"], cwd=tmp_path)

    assert answer.status == 403
    assert "decided by  worker shop: its script answered so" in told.stdout
    assert "because     it runs by route example.com/*" in told.stdout
