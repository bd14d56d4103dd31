"""Access in two real processes: what one of them learns holds in the other, and after a restart.

Every request has a connection of its own, so the system gives it to either process.
"""

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode, urljoin, urlsplit

import jwt
import pytest

from tests.cli.running import SECONDS, run
from tests.cli.serve.serving import Served, serve

CLIENT_ID = "0123456789abcdef0123456789abcdef.access"
SECRET = "a-secret-as-long-as-a-real-one"
PREFIX = "/cdn-cgi/access/"
EDGE = """\
[[zones]]
name = "shop.localhost"
origin = "{origin}"
routes_without_worker = ["shop.localhost/*"]
[[zones]]
name = "wiki.localhost"
origin = "{origin}"
routes_without_worker = ["wiki.localhost/*"]

[access]
team = "acme"
local_login = true
[[access.identities]]
email = "ada@example.com"
[[access.service_tokens]]
name = "ci"
client_id = "{client_id}"
client_secret = "{secret}"
[[access.apps]]
name = "Shop"
domain = "shop.localhost"
policies = [
  {{ name = "Staff", decision = "allow", include = [{{ email = "ada@example.com" }}] }},
  {{ name = "CI", decision = "non_identity", include = [{{ any_valid_service_token = {{}} }}] }},
]
[[access.apps]]
name = "Wiki"
domain = "wiki.localhost"
policies = [{{ name = "Staff", decision = "allow", include = [{{ email = "ada@example.com" }}] }}]
"""
FORM = re.compile(r'<form method="post" action="([^"]*/local/[^"]*)">.*?name="csrf" value="([^"]*)"', re.DOTALL)
CI = {"CF-Access-Client-Id": CLIENT_ID, "CF-Access-Client-Secret": SECRET}
MANY = 12


class Echo(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        token = (self.headers["Cf-Access-Jwt-Assertion"] or "").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(token)))
        self.end_headers()
        self.wfile.write(token)

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class WireReply:
    status: int
    location: str
    text: str


@dataclass
class WireBrowser:
    """Cookies by host, and redirects, over sockets."""

    port: int
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)

    def step(self, method: str, url: str, body: str = "", **headers: str) -> WireReply:
        parts = urlsplit(url)
        jar = self.cookies.setdefault(str(parts.hostname), {})
        fields = {"Host": parts.netloc, "Accept": "text/html", **headers}
        if jar:
            fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        if body:
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body or None, fields)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            jar[name] = value
        return WireReply(answer.status, answer.headers["Location"] or "", text)

    def go(self, url: str, method: str = "GET", body: str = "") -> tuple[WireReply, str]:
        reply = self.step(method, url, body)
        for _ in range(10):
            if not reply.location:
                break
            url = urljoin(url, reply.location)
            reply = self.step("GET", url)
        return reply, url

    def log_in(self, url: str) -> WireReply:
        page, at = self.go(url)
        form = FORM.search(page.text)
        assert form is not None, page.text
        body = urlencode({"email": "ada@example.com", "csrf": unescape(form[2])})
        return self.go(urljoin(at, unescape(form[1])), "POST", body)[0]


@dataclass
class Site:
    served: Served
    folder: Path

    @property
    def port(self) -> int:
        return int(self.served.urls["edge"].rpartition(":")[2])

    def url(self, host: str, path: str = "/") -> str:
        return f"http://{host}.localhost:{self.port}{path}"

    def statuses(self, browser: WireBrowser, **headers: str) -> set[int]:
        return {browser.step("GET", self.url("shop"), **headers).status for _ in range(MANY)}

    def command(self, *arguments: str) -> str:
        done = run("access", *arguments, "--edge", "edge.toml", "--persist-to", "data", cwd=self.folder)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def origin() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def site_of(folder: Path, origin: str, *, team_domain: str = "") -> Iterator[Site]:
    text = EDGE.format(origin=origin, client_id=CLIENT_ID, secret=SECRET)
    (folder / "edge.toml").write_text(text.replace("local_login", f"{team_domain}\nlocal_login"))
    with serve("--edge", "edge.toml", "--processes", "2", "--persist-to", "data", cwd=folder) as served:
        yield Site(served, folder)


def test_logins_rotations_and_revocations_hold_in_every_process(tmp_path: Path, origin: str) -> None:
    with site_of(tmp_path, origin) as site:
        ada, bob = WireBrowser(site.port), WireBrowser(site.port)
        token = ada.log_in(site.url("shop", "/x?y=z")).text
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["iss"] == site.url("acme").rstrip("/"), "the issuer has the port that the edge became"
        certs = jwt.PyJWKSet.from_json(ada.step("GET", f"{claims['iss']}{PREFIX}certs").text)
        kid = jwt.get_unverified_header(token)["kid"]
        assert kid in {key.key_id for key in certs.keys}
        assert site.statuses(ada) == {200}
        assert ada.go(site.url("wiki"))[0].status == 200, "without a second login"
        assert site.statuses(WireBrowser(site.port), **CI) == {200}

        site.command("keys", "rotate")

        assert jwt.get_unverified_header(bob.log_in(site.url("shop")).text)["kid"] != kid
        assert site.statuses(ada) == site.statuses(bob) == {200}

        assert ada.step("GET", site.url("shop", f"{PREFIX}logout")).status == 200
        assert site.statuses(WireBrowser(site.port, {"shop.localhost": {"CF_Authorization": token}})) == {302}
        assert site.statuses(bob) == {200}, "another session of the same person"

        site.command("revoke", "--app", "Shop")
        stale = bob.cookies["shop.localhost"]["CF_Authorization"]
        assert site.statuses(WireBrowser(site.port, {"shop.localhost": {"CF_Authorization": stale}})) == {302}
        assert bob.go(site.url("shop"))[0].status == 200, "the login stands"
        site.command("revoke", "--user", "ada@example.com")
        assert "Log in to Shop" in bob.go(site.url("shop"))[0].text


def test_sessions_and_revocations_survive_a_restart(tmp_path: Path, origin: str) -> None:
    team = 'team_domain = "http://acme.localhost"'  # the same issuer on whatever port
    with site_of(tmp_path, origin, team_domain=team) as site:
        ada, bob = WireBrowser(site.port), WireBrowser(site.port)
        ada.log_in(site.url("shop"))
        revoked = bob.log_in(site.url("shop")).text
        assert bob.step("GET", site.url("shop", f"{PREFIX}logout")).status == 200
        assert site.served.stop() == 0

    with site_of(tmp_path, origin, team_domain=team) as site:
        ada.port = site.port
        assert site.statuses(ada) == {200}
        assert site.statuses(WireBrowser(site.port, {"shop.localhost": {"CF_Authorization": revoked}})) == {302}
