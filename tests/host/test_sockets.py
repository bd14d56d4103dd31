"""`edgeworker dev` over https, with curl and Python's own TLS as clients that trust the local authority."""

import http.client
import json
import shutil
import signal
import ssl
import subprocess
import urllib.request
from pathlib import Path

import pytest

from edgeworker.cli.kv.options import TOKEN_VARIABLE
from tests.cli.running import SECONDS, Edge, dev, environment, run
from tests.patience import PATIENCE_SECONDS
from tests.pki import PKI

WORKER = """\
import json

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        cf = request.cf
        told = {
            "url": request.url,
            "tls": cf.tlsVersion,
            "cipher": cf.tlsCipher,
            "presented": cf.tlsClientAuth.certPresented,
            "verified": cf.tlsClientAuth.certVerified,
            "subject": cf.tlsClientAuth.certSubjectDN,
            "proto": request.headers.get("x-forwarded-proto"),
            "visitor": request.headers.get("cf-visitor"),
        }
        return Response(json.dumps(told))
"""


def project(folder: Path, *routes: str, edge: str = "") -> None:
    (folder / "worker.py").write_text(WORKER)
    (folder / "wrangler.toml").write_text(
        'name = "told"\nmain = "worker.py"\ncompatibility_date = "2026-11-01"\n'
        f'compatibility_flags = ["python_workers"]\nroutes = {json.dumps(list(routes))}\n'
    )
    (folder / "edge.toml").write_text(edge)


def port_of(url: str) -> str:
    return url.rpartition(":")[2]


def curl(*arguments: str) -> "subprocess.CompletedProcess[str]":
    program = shutil.which("curl")
    assert program is not None, "curl is needed (Debian package curl)"
    command = [program, "--silent", "--show-error", "--noproxy", "*", "--max-time", str(SECONDS), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment())


def curl_to(edge: Edge, host: str, path: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A request to the https socket under any name, as a hosts file would make it."""
    port = port_of(edge.ready["https_url"])
    return curl("--connect-to", f"{host}:{port}:127.0.0.1:{port}", *arguments, f"https://{host}:{port}{path}")


def test_curl_trusts_the_local_authority_for_every_configured_host(tmp_path: Path) -> None:
    project(tmp_path, "api.example.com/*", edge='[[zones]]\nname = "example.com"\n')

    with dev("--https-port", "0", cwd=tmp_path) as edge:
        ca = edge.ready["ca"]
        answers = [
            curl_to(edge, host, "/x?y", "--cacert", ca) for host in ("api.example.com", "localhost", "127.0.0.1")
        ]
        zone = curl_to(edge, "other.example.com", "/", "--cacert", ca)
        without = curl_to(edge, "api.example.com", "/")
        other = curl_to(edge, "elsewhere.example", "/", "--cacert", ca)

    port = port_of(edge.ready["https_url"])
    for host, answer in zip(("api.example.com", "localhost", "127.0.0.1"), answers, strict=True):
        assert answer.returncode == 0, answer.stderr
        told = json.loads(answer.stdout)
        assert told["url"] == f"https://{host}:{port}/x?y"
        assert (told["tls"], told["proto"], told["visitor"]) == ("TLSv1.3", "https", '{"scheme":"https"}')
        assert told["cipher"].startswith("AEAD-")
    assert (zone.returncode, "error code: 1016" in zone.stdout) == (0, True)
    # https://curl.se/libcurl/c/libcurl-errors.html: 60 is a certificate that is not trusted, or of another name
    assert (without.returncode, other.returncode) == (60, 60)


def test_pythons_own_tls_trusts_it_by_ssl_cert_file(tmp_path: Path) -> None:
    project(tmp_path)
    code = f"import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout={PATIENCE_SECONDS}).read().decode())"

    with dev("--https-port", "0", cwd=tmp_path) as edge:
        url = f"https://localhost:{port_of(edge.ready['https_url'])}/"
        command = [shutil.which("python3") or "python3", "-c", code, url]
        env = environment(SSL_CERT_FILE=edge.ready["ca"], no_proxy="*")
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS, env=env)

    assert json.loads(done.stdout)["url"] == url, done.stderr


def test_dev_serves_https_where_wranglers_own_setting_says_so(tmp_path: Path) -> None:
    project(tmp_path)
    with (tmp_path / "wrangler.toml").open("a") as file:
        file.write('[dev]\nlocal_protocol = "https"\n')

    with dev(cwd=tmp_path) as edge:
        url = edge.ready["url"]
        secure = curl("--cacert", edge.ready["ca"], f"https://localhost:{port_of(url)}/")
        plain = curl(f"http://localhost:{port_of(url)}/")

    assert url.startswith("https://")
    assert json.loads(secure.stdout)["url"] == f"https://localhost:{port_of(url)}/", secure.stderr
    assert "this port speaks TLS; use https://" in plain.stdout


def test_http_is_redirected_to_https_for_hosts_that_are_served(tmp_path: Path) -> None:
    project(
        tmp_path,
        "api.example.com/*",
        edge='[[workers]]\nconfig = "wrangler.toml"\n[sockets]\nhttps = "127.0.0.1:0"\nredirect = "127.0.0.1:0"\n',
    )

    with dev(cwd=tmp_path) as edge:
        port = port_of(edge.ready["redirect_url"])
        to = ["--connect-to", f"::127.0.0.1:{port}"]
        sent = curl(*to, "--head", "http://api.example.com/a%20b?c=d")
        refused = curl(*to, "--head", "http://evil.example/")
        https = port_of(edge.ready["https_url"])
        follow = [
            "--location",
            "--cacert",
            edge.ready["ca"],
            "--connect-to",
            f"api.example.com:{https}:127.0.0.1:{https}",
        ]
        followed = curl("--connect-to", f"api.example.com:80:127.0.0.1:{port}", *follow, "http://api.example.com/x")

    assert sent.stdout.startswith("HTTP/1.1 308 ")
    assert f"\nlocation: https://api.example.com:{https}/a%20b?c=d" in sent.stdout.lower()
    assert refused.stdout.startswith("HTTP/1.1 421 ")
    assert "location" not in refused.stdout.lower()
    assert json.loads(followed.stdout)["url"] == f"https://api.example.com:{https}/x"


def test_the_api_is_served_over_https_under_the_name_that_publishers_know(tmp_path: Path) -> None:
    project(tmp_path)
    made = run("tls", "init", "--san", "api.cloudflare.com", cwd=tmp_path)
    assert made.returncode == 0, made.stderr

    with dev("--api-https-port", "0", cwd=tmp_path, env=environment(**{TOKEN_VARIABLE: "t" * 40})) as edge:
        port = port_of(edge.ready["api_https_url"])
        answer = curl(
            *("--cacert", edge.ready["ca"], "--connect-to", f"api.cloudflare.com:443:127.0.0.1:{port}"),
            *("-H", f"Authorization: Bearer {'t' * 40}", "https://api.cloudflare.com/client/v4/user/tokens/verify"),
        )

    assert json.loads(answer.stdout)["result"]["status"] == "active", answer.stderr


def test_configured_certificates_follow_their_files(tmp_path: Path) -> None:
    pki = PKI(tmp_path)
    pki.server("one.example", file="served")
    edge_toml = '[sockets]\nhttps = "127.0.0.1:0"\n[[tls.certificates]]\ncert = "served.pem"\nkey = "served.key"\n'
    project(tmp_path, edge=edge_toml)

    with dev(cwd=tmp_path) as edge:
        before = curl_to(edge, "one.example", "/", "--cacert", str(pki.ca))
        (tmp_path / "served.pem").write_text("broken")
        edge.wait_for("holds no certificate in PEM form")
        broken = curl_to(edge, "one.example", "/", "--cacert", str(pki.ca))
        pki.server("two.example", file="served")
        edge.wait_for("new certificates are served")
        after = curl_to(edge, "two.example", "/", "--cacert", str(pki.ca))
        assert "ca" not in edge.ready

    assert [one.returncode for one in (before, broken, after)] == [0, 0, 0]
    assert not (tmp_path / ".edgeworker" / "tls").exists()


def test_clients_are_asked_for_certificates_on_the_edge_and_not_on_the_api(tmp_path: Path) -> None:
    pki = PKI(tmp_path)
    cert, key = pki.client("till-7")
    project(
        tmp_path,
        edge='[sockets]\nhttps = "127.0.0.1:0"\n[api]\nhttps = "127.0.0.1:0"\n'
        f'[tls]\nclient_auth = "require"\nclient_ca = "{pki.ca.name}"\n',
    )

    with dev(cwd=tmp_path) as edge:
        trust = ["--cacert", edge.ready["ca"]]
        shown = curl_to(edge, "localhost", "/", *trust, "--cert", str(cert), "--key", str(key))
        without = curl_to(edge, "localhost", "/", *trust)
        api = curl(*trust, "--write-out", "%{http_code}", "--output", "/dev/null", edge.ready["api_https_url"])

    told = json.loads(shown.stdout)
    assert (told["presented"], told["verified"]) == ("1", "SUCCESS")
    assert told["subject"] == "CN=till-7,O=Shop\\, Inc.,C=AT"
    assert (without.returncode != 0, without.stdout) == (True, "")
    assert api.stdout != "000"


@pytest.mark.parametrize("fault", ["missing", "mismatch"])
def test_certificates_that_cannot_be_served_stop_dev_with_one_clear_line(tmp_path: Path, fault: str) -> None:
    pki = PKI(tmp_path)
    pki.server("one.example", file="served")
    pki.server("two.example", file="other")
    key = {"missing": "gone.key", "mismatch": "other.key"}[fault]
    project(
        tmp_path,
        edge=f'[sockets]\nhttps = "127.0.0.1:0"\n[[tls.certificates]]\ncert = "served.pem"\nkey = "{key}"\n',
    )

    done = run("dev", "--port", "0", "--api-port", "0", cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr.strip().count("\n") == 0
    assert done.stderr.startswith("error: edge.toml:3 (tls.certificates[0]): ")
    assert "Traceback" not in done.stderr


def test_an_origin_that_refuses_everyone_else_is_reached(tmp_path: Path) -> None:
    """A second edge is the origin: it wants the first one's certificate."""
    pki = PKI(tmp_path)
    pki.server("origin.internal", file="origin")
    pki.client("edge")
    (tmp_path / "behind").mkdir()
    project(
        tmp_path / "behind",
        "origin.internal/*",
        "shop.example/*",
        edge='[[workers]]\nconfig = "wrangler.toml"\n[sockets]\nhttps = "127.0.0.1:0"\n'
        f'[tls]\nclient_auth = "require"\nclient_ca = "../{pki.ca.name}"\n'
        '[[tls.certificates]]\ncert = "../origin.pem"\nkey = "../origin.key"\n',
    )

    with dev(cwd=tmp_path / "behind") as origin:
        zone = f'[[zones]]\nname = "shop.example"\norigin = "{origin.ready["https_url"]}"\n'
        zone += f'origin_ca = "{pki.ca.name}"\norigin_server_name = "origin.internal"\n'
        project(tmp_path, edge=f'{zone}origin_client_cert = "edge.pem"\norigin_client_key = "edge.key"\n')
        with dev(cwd=tmp_path) as edge:
            let_in = edge.get("shop.example", "/orders")
            (tmp_path / "edge.toml").write_text(zone)
            edge.wait_for("reloaded")
            refused = edge.get("shop.example", "/orders")
            said = edge.wait_for("origin https://127.0.0.1")

    assert json.loads(let_in.text)["subject"] == "CN=edge,O=Shop\\, Inc.,C=AT"
    assert refused.status in (520, 525)
    assert "certificate" in said.lower()


def test_an_edge_that_serves_https_stops_in_time(tmp_path: Path) -> None:
    project(tmp_path)
    with dev("--https-port", "0", cwd=tmp_path) as edge:
        context = ssl.create_default_context(cafile=edge.ready["ca"])
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(f"https://localhost:{port_of(edge.ready['https_url'])}/", timeout=SECONDS) as answer:
            assert answer.status == 200
        assert edge.stop(signal.SIGTERM) == 0


def test_the_api_refuses_a_large_body_with_its_own_code(tmp_path: Path) -> None:
    project(tmp_path)

    with dev(cwd=tmp_path) as edge:
        connection = http.client.HTTPConnection("127.0.0.1", int(port_of(edge.api_url)), timeout=SECONDS)
        connection.putrequest("POST", "/client/v4/accounts/any/storage/kv/namespaces")
        connection.putheader("Authorization", f"Bearer {(tmp_path / '.edgeworker' / 'api-token').read_text().strip()}")
        connection.putheader("Content-Length", str(100 * 1024 * 1024 + 1))
        connection.endheaders()
        answer = connection.getresponse()
        errors = json.loads(answer.read())["errors"]
        connection.close()

    assert (answer.status, errors[0]["code"]) == (413, 10024)
