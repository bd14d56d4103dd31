"""The token worker publishes over the KV REST API of the very edge it runs on, as it would to Cloudflare's."""

import base64
import hashlib
import json
import socket
from pathlib import Path
from urllib.parse import urlencode

from edgeworker.cli.init import write
from tests.cli.running import Answer, Edge, dev, fetch, run

API_TOKEN = "a-publisher-that-nobody-guesses-0123456789"
SPLIT = "00000000000000000000000000000004"
ROBOT = """
[[clients]]
client_id = "robot"
client_name = "Robot"
grant_types = ["client_credentials"]
scope = "records.read"
token_format = "split"
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _project(folder: Path) -> str:
    """Writes it and gives the client's secret."""
    write(folder, "oauth")
    (folder / "robot.toml").write_text(ROBOT)
    assert run("oauth", "keys", "init", cwd=folder).returncode == 0
    said = run("oauth", "clients", "import", "robot.toml", "--json", cwd=folder)
    assert said.returncode == 0, said.stderr
    [imported] = json.loads(said.stdout)
    return str(imported["client_secret"])


def _asked(edge: Edge, path: str, secret: str, **fields: str) -> Answer:
    headers = {
        "Host": "auth.localhost",
        "Authorization": "Basic " + base64.b64encode(f"robot:{secret}".encode()).decode(),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return fetch(edge.url + path, method="POST", headers=headers, body=urlencode(fields).encode())


def _claims(edge: Edge, token: str) -> int:
    return edge.get("api.localhost", "/claims", headers={"Authorization": f"Bearer {token}"}).status


def test_tokens_published_over_the_api_work_at_the_gateway_until_they_are_revoked(tmp_path: Path) -> None:
    folder, port = tmp_path / "project", _free_port()
    secret = _project(folder)
    variables = {
        "PUBLISH": "api",
        "PUBLISH_API_BASE": f"http://127.0.0.1:{port}/client/v4",
        "PUBLISH_ACCOUNT_ID": "local",
        "PUBLISH_NAMESPACE_ID": SPLIT,
        "PUBLISH_API_TOKEN": API_TOKEN,
    }
    given = [part for name, value in variables.items() for part in ("--var", f"{name}:{value}")]
    sockets = ["--api-port", str(port), "--api-token", API_TOKEN, "--allow-private", "127.0.0.1"]

    with dev(*given, *sockets, cwd=folder) as edge:
        answers = [_asked(edge, "/token", secret, grant_type="client_credentials") for _ in range(24)]
        tokens = [str(json.loads(answer.text)["access_token"]) for answer in answers]
        keys = {base64.b64encode(hashlib.sha256(token.encode()).digest()).decode() for token in tokens}

        # Half of all keys hold a "/"; that none of 24 does happens once in ten million runs.
        assert any("/" in key for key in keys)
        assert [_claims(edge, token) for token in tokens] == [200] * len(tokens)

        assert _asked(edge, "/revoke", secret, token=tokens[0]).status == 200
        assert _claims(edge, tokens[0]) == 401
        listed = fetch(
            f"{edge.api_url}/client/v4/accounts/local/storage/kv/namespaces/{SPLIT}/keys",
            headers={"Authorization": f"Bearer {API_TOKEN}"},
        )
        assert len(json.loads(listed.text)["result"]) == len(tokens) - 1
        assert API_TOKEN not in edge.everything()


def test_no_token_is_given_out_where_publishing_is_refused(tmp_path: Path) -> None:
    folder, port = tmp_path / "project", _free_port()
    secret = _project(folder)
    variables = {
        "PUBLISH": "api",
        "PUBLISH_API_BASE": f"http://127.0.0.1:{port}/client/v4",
        "PUBLISH_ACCOUNT_ID": "local",
        "PUBLISH_NAMESPACE_ID": SPLIT,
        "PUBLISH_API_TOKEN": "another-token-than-the-edge-has-0123456789",
    }
    given = [part for name, value in variables.items() for part in ("--var", f"{name}:{value}")]
    sockets = ["--api-port", str(port), "--api-token", API_TOKEN, "--allow-private", "127.0.0.1"]

    with dev(*given, *sockets, cwd=folder) as edge:
        answer = _asked(edge, "/token", secret, grant_type="client_credentials")

        assert answer.status == 503
        assert int(answer.headers["retry-after"]) > 0
        assert json.loads(answer.text)["error"] == "temporarily_unavailable"
        edge.wait_for("publishing failed")
