"""`serve` with `tls.acme`: a certificate of a real authority, in every process, without a restart."""

import http.client
import socket
import ssl
from pathlib import Path

from tests.cli.running import SECONDS, run
from tests.cli.serve.serving import serve, write_project
from tests.host.acme.pebble import Pebble, free_port, pebble

EDGE = """\
workers = [{{ config = "wrangler.toml" }}]
[sockets]
https = "127.0.0.1:0"
redirect = "127.0.0.1:{redirect}"
[tls.acme]
directory = "{directory}"
hosts = ["localhost.example.com"]
terms_agreed = true
ca = "{ca}"
"""


def write_edge(folder: Path, authority: Pebble, redirect: int) -> None:
    write_project(folder)
    text = EDGE.format(redirect=redirect, directory=authority.directory, ca=authority.ca)
    (folder / "edge.toml").write_text(text)


def issuer(url: str, root: str) -> str | None:
    """Who signed what is served for the host, or None if `root` did not."""
    context = ssl.create_default_context(cadata=root)
    port = int(url.rpartition(":")[2])
    try:
        with (
            socket.create_connection(("127.0.0.1", port), SECONDS) as plain,
            context.wrap_socket(plain, server_hostname="localhost.example.com") as connection,
        ):
            return str(connection.getpeercert())
    except ssl.SSLCertVerificationError:
        return None


def test_the_certificate_comes_by_itself_and_is_served_by_every_process(tmp_path: Path) -> None:
    redirect = free_port()
    with pebble(tmp_path / "pebble", http_port=redirect) as authority:
        write_edge(tmp_path, authority, redirect)
        root = authority.root()
        with serve("--edge", "edge.toml", "--processes", "2", cwd=tmp_path) as served:
            served.wait_for("ACME: localhost.example.com has a certificate until")
            for _ in range(2):
                served.wait_for("https: new certificates are served")
            for _ in range(8):
                assert issuer(served.urls["https"], root) is not None
            assert served.stop() == 0

    # It is kept: the next start serves it at once, also while the authority is away.
    with serve("--edge", "edge.toml", cwd=tmp_path) as served:
        assert issuer(served.urls["https"], root) is not None
        asked = http.client.HTTPConnection("127.0.0.1", redirect, timeout=SECONDS)
        asked.request("GET", "/.well-known/acme-challenge/unknown", headers={"Host": "elsewhere.test"})
        assert asked.getresponse().status == 421
        asked.close()
        assert "is ordered" not in "".join(served.said)


def test_what_acme_needs_is_said_before_anything_is_served(tmp_path: Path) -> None:
    write_project(tmp_path)
    edge = tmp_path / "edge.toml"
    for text, error in [
        ('terms_agreed = false\nhosts = ["a.test"]', '"tls.acme.terms_agreed" must be true'),
        ('terms_agreed = true\nhosts = ["localhost"]', '"localhost" is not a name that HTTP-01 can prove'),
        ("terms_agreed = true\nhosts = []", '"tls.acme.hosts" must have 1 to 100 names'),
        ('terms_agreed = true\nhosts = ["a.test"]\neab_key_id = "k"', '"tls.acme.eab_key_file" go together'),
        ('terms_agreed = true\nhosts = ["a.test"]', '"tls.acme" is proved over http: add "sockets.redirect"'),
    ]:
        edge.write_text(
            'workers = [{ config = "wrangler.toml" }]\n[sockets]\nhttps = "127.0.0.1:0"\n[tls.acme]\n'
            f'directory = "https://acme.test/dir"\n{text}\n'
        )

        done = run("serve", "--edge", "edge.toml", cwd=tmp_path)

        assert done.returncode == 1
        assert error in done.stderr
