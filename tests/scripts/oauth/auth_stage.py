"""The auth worker in an edge, and a browser that fills in forms: cookies, pages, redirects as a browser has them."""

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Unpack
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from edgeworker.config import JSON
from edgeworker.testing import Edge, FaultInjection, MovableClock, Reply
from edgeworker.testing.calls import CallOptions
from issuer import clients, keys, passwords, users
from issuer.users import User

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts/oauth"
ISSUER = "https://auth.example.com"
CALLBACK = "https://shop.example.net/callback"
PASSWORD = "correct horse battery"
HASH = passwords.make(PASSWORD)
SIGNING_KEYS = keys.dump(keys.new(now=0))
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636 appendix B

SCOPES: dict[str, JSON] = {
    "openid": "Know who you are",
    "email": "See your e-mail address",
    "orders.read": "See your orders",
    "orders.write": "Place orders in your name",
}

SHOP: dict[str, JSON] = {
    "client_id": "victoriasclient",
    "client_name": "Victoria's Shop",
    "secret_hashes": [clients.hash_secret("victorias-secret")],
    "redirect_uris": [CALLBACK, CALLBACK + "/two"],
    "post_logout_redirect_uris": ["https://shop.example.net/bye", "https://app.example.net/bye"],
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid email orders.read",
}
NATIVE: dict[str, JSON] = {
    "client_id": "native",
    "token_endpoint_auth_method": "none",
    "redirect_uris": ["http://127.0.0.1/cb"],
    "scope": "openid orders.read",
}


def variables(*more_clients: Mapping[str, JSON], **others: JSON) -> dict[str, JSON]:
    listed: list[JSON] = [SHOP, NATIVE, *(dict(client) for client in more_clients)]
    resources: list[JSON] = ["https://api.example.com", "https://other.example.com"]
    common: dict[str, JSON] = {"ISSUER": ISSUER, "SCOPES": SCOPES, "RESOURCES": resources, "CLIENTS": listed}
    return {**common, "SIGNING_KEYS": SIGNING_KEYS, **others}


def request(**changes: str | None) -> str:
    """The path and query of an authorization request in which nothing is wrong, but for `changes`; None leaves out."""
    parameters = {
        "response_type": "code",
        "client_id": "victoriasclient",
        "redirect_uri": CALLBACK,
        "scope": "openid orders.read",
        "state": "s-1",
        "nonce": "n-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changes
    return "/authorize?" + urlencode({name: value for name, value in parameters.items() if value is not None})


def answered(reply: Reply, to: str = CALLBACK) -> dict[str, str]:
    """The parameters of an answer to the client: each is there once, and behind the redirect URI."""
    assert reply.status in (302, 303), (reply.status, reply.text)
    location = reply.headers.get("location") or ""
    assert location.partition("?")[0] == to, location
    parameters = parse_qs(urlsplit(location).query, keep_blank_values=True, strict_parsing=True)
    assert all(len(values) == 1 for values in parameters.values()), parameters
    return {name: values[0] for name, values in parameters.items()}


class SendsRequests(Protocol):
    """An edge in this process, or one behind a socket."""

    def request(self, method: str, url: str, **options: Unpack[CallOptions]) -> Reply: ...


@dataclass(slots=True)
class Browser:
    """Follows redirects on the issuer's host only; what leaves it is the answer."""

    edge: SendsRequests
    address: str = "198.51.100.7"
    cookies: dict[str, str] = field(default_factory=dict)
    reply: Reply | None = None
    url: str = ISSUER

    def open(self, path: str, *, follow: bool = True, headers: Mapping[str, str] | None = None) -> Reply:
        return self._send("GET", urljoin(self.url, path), None, follow, headers or {})

    def post(
        self,
        path: str,
        fields: Mapping[str, str] | str,
        *,
        follow: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        body = fields if isinstance(fields, str) else urlencode(fields)
        return self._send("POST", urljoin(self.url, path), body, follow, headers or {})

    def form(self) -> tuple[str, dict[str, str]]:
        """(action, fields with their values) of the page's form."""
        assert self.reply is not None
        match = re.search(r'<form method="post" action="([^"]*)">(.*?)</form>', self.reply.text, re.DOTALL)
        assert match is not None, self.reply.text
        inputs = re.findall(r"<input([^>]*)>", match[2])
        named = {}
        for attributes in inputs:
            name = re.search(r' name="([^"]*)"', attributes)
            value = re.search(r' value="([^"]*)"', attributes)
            if name is not None and 'type="checkbox"' not in attributes:
                named[html.unescape(name[1])] = html.unescape(value[1]) if value is not None else ""
        return html.unescape(match[1]), named

    def submit(self, *, follow: bool = True, headers: Mapping[str, str] | None = None, **fields: str) -> Reply:
        action, named = self.form()
        return self.post(action, named | fields, follow=follow, headers=headers)

    def login(self, email: str = "ann@example.com", password: str = PASSWORD, **options: bool) -> Reply:
        return self.submit(email=email, password=password, action="login", **options)  # type: ignore[arg-type]

    def _send(self, method: str, url: str, body: str | None, follow: bool, headers: Mapping[str, str]) -> Reply:
        assert url.startswith(ISSUER), url
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        reply = self.edge.request(method, url, headers=sent | dict(headers), body=body, ip=self.address)
        self.url, self.reply = url, reply
        for line in reply.headers.get_all("set-cookie"):
            name, _, rest = line.partition("=")
            value = rest.partition(";")[0]
            if "Max-Age=0" in line:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        location = reply.headers.get("location")
        if follow and location is not None and urljoin(url, location).startswith(ISSUER + "/"):
            return self._send("GET", urljoin(url, location), None, follow, {})
        return reply


@dataclass(frozen=True, slots=True)
class Stage:
    edge: Edge
    clock: MovableClock
    ann: User

    def browser(self, address: str = "198.51.100.7") -> Browser:
        return Browser(self.edge, address)

    def add(self, user: User) -> None:
        key = users.key(user.email)
        self.edge.kv("USERS").put(key, json.dumps(users.record(user)))
        self.edge.kv("USERS").put(users.id_key(user.id), key)

    def stored(self) -> str:
        """Everything that KV holds, as one text."""
        spaces = [self.edge.kv(name) for name in ("USERS", "CODES", "TOKENS")]
        entries = [(key, space.get(key)) for space in spaces for key in iter(space.keys())]
        return "\n".join(f"{key} {value}" for key, value in entries)

    def logged_in(self, path: str | None = None) -> Browser:
        browser = self.browser()
        browser.open("/login")
        assert browser.login().status == 200
        if path is not None:
            browser.open(path)
        return browser


@contextmanager
def set_up(
    given: Mapping[str, JSON] | None = None,
    *,
    faults: FaultInjection | None = None,
    start: float | None = None,
    workers: Sequence[str] = ("auth",),
    folder: Path = SCRIPTS,
) -> Iterator[Stage]:
    """An edge with the named workers of `folder`; for "token", `given` has SIGNING_KEYS."""
    clock = MovableClock(start)
    configs = [folder / worker / "wrangler.toml" for worker in workers]
    edge = Edge(configs, variables=given or variables(), clock=clock, faults=faults)
    try:
        ann = users.new("ann@example.com", HASH, now=int(clock.now()), name="Ann Larsson")
        stage = Stage(edge, clock, ann)
        stage.add(ann)
        yield stage
    finally:
        edge.close()
