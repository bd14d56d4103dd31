"""Auth, token and gateway behind `edgeworker dev --https`, on sockets, changed by the command line while they run."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.integrations.requests_client import OAuth2Session
from requests.adapters import HTTPAdapter

from edgeworker.messages import Headers
from edgeworker.testing import Reply
from edgeworker.testing.calls import CallOptions
from tests.cli.running import Edge, dev, run
from tests.host.test_sockets import port_of
from tests.scripts.oauth.auth_stage import CALLBACK, HASH, ISSUER, SCOPES, SCRIPTS, VERIFIER, Browser

API = "https://api.example.com"
RESOURCES = [API, "https://other.example.com"]
SPLIT_TOKEN = SCRIPTS.parent / "split_token"
GATEWAY = """
name = "gateway"
main = "../split_token/worker.py"
compatibility_date = "2026-04-01"
compatibility_flags = ["python_workers"]
routes = [{ pattern = "api.example.com/*", zone_name = "example.com" }]
kv_namespaces = [{ binding = "TOKENS", id = "00000000000000000000000000000004" }]
"""


class ToEdge(HTTPAdapter):
    """Connects to the edge instead of the URL's host, as `curl --connect-to` does; the URL stays what it is."""

    def __init__(self, port: str, host: str, ca: str) -> None:
        self._port, self._host, self._ca = port, host, ca
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: object) -> None:
        names = {"server_hostname": self._host, "assert_hostname": self._host}
        super().init_poolmanager(connections, maxsize, block, **options, **names)

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        url = request.url or ""
        request.headers["Host"] = self._host
        request.url = url.replace(f"https://{self._host}", f"https://127.0.0.1:{self._port}", 1)
        response = super().send(request, verify=self._ca)
        response.url = request.url = url
        return response


@dataclass(frozen=True, slots=True)
class LiveSite:
    edge: Edge
    folder: Path

    @property
    def port(self) -> str:
        return port_of(self.edge.ready["https_url"])

    def mount(self, session: requests.Session) -> None:
        for host in ("auth.example.com", "api.example.com"):
            session.mount(f"https://{host}", ToEdge(self.port, host, self.edge.ready["ca"]))

    def request(self, method: str, url: str, **options: Unpack[CallOptions]) -> Reply:
        """For `Browser`. Its address is not sent: the edge sees the socket's."""
        headers, body = options.get("headers"), options.get("body")
        assert isinstance(headers, dict)
        assert body is None or isinstance(body, str)
        with requests.Session() as session:
            self.mount(session)
            response = session.request(method, url, headers=headers, data=body, allow_redirects=False)
            fields = response.raw.headers.items()  # two Set-Cookie stay two
            return Reply(response.status_code, Headers(list(fields)), response.content, url=url)

    def browser(self) -> Browser:
        return Browser(self)

    def oauth(self, *arguments: str, stdin: str = "") -> str:
        """What `edgeworker oauth ...` says, which has to end well."""
        done = run("oauth", *arguments, "-c", "oauth/token/wrangler.toml", cwd=self.folder, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def register(self, *client_ids: str, **changes: object) -> None:
        """Registers clients, or replaces them."""
        common = {
            "redirect_uris": [CALLBACK, CALLBACK + "/two"],
            "post_logout_redirect_uris": ["https://shop.example.net/bye"],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": "openid email orders.read",
            **changes,
        }
        records = [{"client_id": name, "client_secret": secret_of(name), **common} for name in client_ids]
        (self.folder / "clients.json").write_text(json.dumps({"clients": records}))
        self.oauth("clients", "import", "clients.json", "--replace")

    def add_users(self, *emails: str) -> None:
        records = [{"email": email, "password_hash": HASH} for email in emails]
        (self.folder / "users.json").write_text(json.dumps({"users": records}))
        self.oauth("users", "import", "users.json")

    def set_password(self, email: str, password: str) -> None:
        self.oauth("users", "set-password", email, "--hash", "scrypt", stdin=password + "\n")

    def client(self, client_id: str) -> OAuth2Session:
        """Authlib's, which authenticates by Basic and uses PKCE."""
        session = OAuth2Session(
            client_id,
            secret_of(client_id),
            scope="openid email orders.read",
            redirect_uri=CALLBACK,
            code_challenge_method="S256",
            token_endpoint=f"{ISSUER}/token",
        )
        self.mount(session)
        return session

    def code(self, session: OAuth2Session, email: str, *, browser: Browser | None = None, **more: str) -> str:
        """The URL at which the client gets its code after the user logged in and consented."""
        browser = browser or self.browser()
        url, _ = session.create_authorization_url(f"{ISSUER}/authorize", code_verifier=VERIFIER, **more)
        reply = browser.open(url)
        if "<h1>Sign in</h1>" in reply.text:
            reply = browser.login(email)
        if "wants to use your account" in reply.text:
            reply = browser.submit(decision="allow")
        location = reply.headers.get("location") or ""
        assert parse_qs(urlsplit(location).query).keys() == {"code", "state", "iss"}, (location, reply.text)
        return location

    def exchange(self, session: OAuth2Session, location: str) -> dict[str, str]:
        token: dict[str, str] = session.fetch_token(
            f"{ISSUER}/token", authorization_response=location, code_verifier=VERIFIER
        )
        return token

    def published_keys(self) -> set[str]:
        """Their `kid`s."""
        with requests.Session() as session:
            self.mount(session)
            return {key["kid"] for key in session.get(f"{ISSUER}/jwks").json()["keys"]}

    def admits(self, session: OAuth2Session) -> bool:
        """Whether the gateway lets the client's token through to the API, which is not there."""
        status = session.get(f"{API}/orders").status_code
        assert status in (401, 530)
        return bool(status == 530)


def secret_of(client_id: str) -> str:
    return f"a-secret-of-{client_id}-that-is-long-enough"


@contextmanager
def live_site(folder: Path) -> Iterator[LiveSite]:
    for name, source in (("oauth", SCRIPTS), ("split_token", SPLIT_TOKEN)):
        shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "gateway").mkdir()
    (folder / "gateway/wrangler.toml").write_text(GATEWAY)
    # Long lives: nothing expires on a slow machine.
    lives = {"CODE_TTL_SECONDS": "600", "ACCESS_TOKEN_TTL_SECONDS": "3600"}
    lines = [
        f"{name} = {json.dumps(value if isinstance(value, str) else json.dumps(value))}"
        for name, value in {"ISSUER": ISSUER, "SCOPES": SCOPES, "RESOURCES": RESOURCES, **lives}.items()
    ]
    configs = []
    for worker in ("auth", "token"):
        file = folder / f"oauth/{worker}/wrangler.toml"
        text = file.read_text()
        file.write_text(text[: text.index("[vars]")] + "[vars]\n" + "\n".join(lines) + "\n")
        configs += ["-c", str(file)]
    keys = run("oauth", "keys", "init", "-c", "oauth/token/wrangler.toml", cwd=folder)
    assert keys.returncode == 0, keys.stderr
    with dev("--https-port", "0", *configs, "-c", "gateway/wrangler.toml", cwd=folder) as edge:
        yield LiveSite(edge, folder)
