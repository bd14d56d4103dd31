"""`edgeworker access`."""

import asyncio
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from cryptography import x509

from edgeworker.cli import main
from edgeworker.config import Socket
from edgeworker.host.datadir import DataDir
from edgeworker.state import SQLiteState
from edgeworker.testing.clock import MovableClock
from edgeworker.testing.edge import read
from edgeworker.testing.local import LocalEdge
from tests.products.access.test_edge_file import GOOD

SHOP = "https://shop.example.com/admin"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "edge.toml").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as exit:
        main(["access", *arguments])
    captured = capsys.readouterr()
    assert exit.value.code == status, captured.err
    return captured.out if status == 0 else captured.err


def test_apps_shows_what_a_verifier_needs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = _run(capsys, "apps")
    machine = json.loads(_run(capsys, "apps", "--json"))

    assert "http://acme.localhost:8787/cdn-cgi/access/certs" in shown
    assert machine["team_domain"] == "http://acme.localhost:8787"
    (shop,) = machine["apps"]
    assert (shop["name"], shop["domain"], len(shop["aud"])) == ("Shop", "shop.example.com/admin", 64)
    assert shop["aud"] in shown


def test_certs_gives_one_certificate_that_openssl_reads(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(_run(capsys, "certs"))
    kid = document["public_cert"]["kid"]

    pem = _run(capsys, "certs", "--kid", kid[:10], "--pem")

    assert pem.strip() == document["public_cert"]["cert"].strip()
    assert x509.load_pem_x509_certificate(pem.encode()).serial_number
    command = ["openssl", "x509", "-noout", "-pubkey"]
    done = subprocess.run(command, input=pem, capture_output=True, text=True, check=True)
    assert "BEGIN PUBLIC KEY" in done.stdout
    assert "no published key has the kid" in _run(capsys, "certs", "--kid", "zz", status=1)


def test_keys_are_rotated_with_a_warning_the_second_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = json.loads(_run(capsys, "certs"))
    _run(capsys, "keys", "rotate")
    after = json.loads(_run(capsys, "certs"))

    upcoming = next(item["kid"] for item in before["keys"] if item["kid"] != before["public_cert"]["kid"])
    assert after["public_cert"]["kid"] == upcoming
    assert "next rotation  in 42 days" in _run(capsys, "keys")


def test_login_prints_a_token_that_verifies(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = _run(capsys, "login", "ada@example.com", "--app", "shop.example.com/admin", "--groups", "A,B").strip()
    cookie = _run(capsys, "login", "ada@example.com", "--print", "cookie").strip()

    name, _, token = header.partition(": ")
    assert name == "Cf-Access-Token"
    assert cookie.startswith("CF_Authorization=")
    keys = jwt.PyJWKSet.from_dict(json.loads(_run(capsys, "certs")))
    aud = json.loads(_run(capsys, "apps", "--json"))["apps"][0]["aud"]
    key = keys[jwt.get_unverified_header(token)["kid"]].key
    assert jwt.decode(token, key, algorithms=["RS256"], audience=aud)["email"] == "ada@example.com"
    assert "no policy of Shop allows eve@evil.test" in _run(capsys, "login", "eve@evil.test", status=1)
    assert "is not an e-mail address" in _run(capsys, "login", "eve", status=1)
    assert "is not the name, host or URL" in _run(capsys, "login", "ada@example.com", "--app", "x", status=1)


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        ([SHOP], ['Application "Shop" by "shop.example.com/admin"', "302 to the login: no one is logged in"]),
        (
            [SHOP, "--as", "ada@example.com"],
            ['allow "Staff" holds, and decides', "passes once this person"],
        ),
        (
            [SHOP, "--as", "eve@evil.test"],
            ['allow "Staff" does not hold', "403: a Deny policy holds"],
        ),
        ([SHOP, "--ip", "10.0.0.1"], ['bypass "in" holds, and decides', "(asked at each request)"]),
        ([SHOP, "-H", "X-Requested-With: XMLHttpRequest"], ["401: no one is logged in"]),
        (["https://shop.example.com/"], ["No application covers this URL"]),
        ([SHOP, "-H", "CF-Access-Client-Id: x.access", "-H", "CF-Access-Client-Secret: y"], ["service token: unknown"]),
    ],
)
def test_explain_tells_which_policy_decides(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], texts: list[str]
) -> None:
    shown = _run(capsys, "explain", *arguments)

    for text in texts:
        assert text in shown


def test_explain_says_what_the_token_of_a_request_is_worth(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cookie = _run(capsys, "login", "ada@example.com", "--print", "cookie").strip()
    header = _run(capsys, "login", "ada@example.com").strip()

    for field in (f"Cookie: {cookie}", header):
        shown = _run(capsys, "explain", SHOP, "-H", field)
        assert "token: valid, of ada@example.com" in shown
        assert "passes once this person is logged in" in shown
    _run(capsys, "revoke", "--user", "ada@example.com")
    shown = _run(capsys, "explain", SHOP, "-H", header)
    assert "none that came is a valid one of Shop" in shown
    assert "302 to the login" in shown
    twice = _run(capsys, "explain", SHOP, "-H", header, "-H", header, status=1)
    assert "the edge refuses this request with 400" in twice


def test_explain_knows_the_applications_of_workers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "worker.py").write_text("from workers import WorkerEntrypoint\nclass Default(WorkerEntrypoint): ...\n")
    (folder / "wrangler.toml").write_text(
        'name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-11-01"\n'
        'compatibility_flags = ["python_workers"]\nroutes = ["w.example.com/*"]\n'
    )
    with (folder / "edge.toml").open("a") as file:
        file.write(
            '\n[[access.apps]]\nname = "Worker"\ndestinations = [{ type = "worker", worker_id = "w" }]\n'
            'policies = [{ name = "Staff", decision = "allow", include = [{ email_domain = "example.com" }] }]\n'
        )

    shown = _run(capsys, "explain", "https://w.example.com/x", "--edge", "edge.toml", "-c", "wrangler.toml")

    assert 'Application "Worker" by "worker w"' in shown


def test_sessions_are_revoked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(capsys, "login", "ada@example.com")

    assert "every session of ada@example.com has ended" in _run(capsys, "revoke", "--user", "ada@example.com")
    assert "every token of Shop is void" in _run(capsys, "revoke", "--app", "Shop")
    assert "has never logged in" in _run(capsys, "revoke", "--user", "eve@example.com", status=1)


def test_without_access_there_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "edge.toml").write_text("")

    error = _run(capsys, "apps", "--edge", str(tmp_path / "edge.toml"), "--persist-to", str(tmp_path / "d"), status=1)

    assert 'write [access] with team = "acme" into edge.toml' in error


async def _run_once(folder: Path, port: int) -> None:
    """As `edgeworker dev --port` does: an edge with other sockets than edge.toml says, on the same data directory."""
    config = replace(read(folder / "edge.toml"), edge_socket=Socket(port=port))
    clock = MovableClock()
    async with SQLiteState(DataDir.open(folder / ".edgeworker").path, clock) as state:
        edge = LocalEdge(config, clock=clock)
        edge._engine.state = state
        async with edge:
            assert (await edge.fetch(SHOP)).status == 302


def test_a_login_is_for_the_edge_that_runs_whatever_its_port(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(_run_once(folder, 18787))

    token = _run(capsys, "login", "ada@example.com", "--print", "token").strip()

    assert jwt.decode(token, options={"verify_signature": False})["iss"] == "http://acme.localhost:18787"
    assert "http://acme.localhost:18787/cdn-cgi/access/certs" in _run(capsys, "apps")
