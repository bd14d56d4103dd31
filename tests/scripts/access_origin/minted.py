"""Tokens of an edge's Access, good and bad, for verifiers that know nothing of it; and its certs over a socket."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from edgeworker.config import JSON
from edgeworker.products.access import jws
from edgeworker.products.access.keys import SigningKey
from edgeworker.testing.access_keys import access_key
from edgeworker.testing.local import LocalEdge
from tests.products.access.stage import ALLOW_EXAMPLE, CI_HEADERS, SERVICE, SHOP, app, edge_with


class CertsServer:
    """The team domain on a real port; `content` is what it answers."""

    def __init__(self) -> None:
        self.content = b"{}"
        self.status = 200
        self.requests = 0
        stage = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stage.requests += 1
                self.send_response(stage.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(stage.content)))
                self.end_headers()
                self.wfile.write(stage.content)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Access:
    """An edge whose team domain is `server`."""

    edge: LocalEdge
    server: CertsServer

    @property
    def aud(self) -> str:
        return self.edge.access.aud("shop")

    def publish(self) -> None:
        """What the edge has as its certs now."""
        self.server.content = self.edge.get(self.edge.access.certs_url).content

    def identity_token(self) -> str:
        return self.edge.access.login("ada@example.com", app="shop").token

    def service_token(self) -> str:
        reply = self.edge.get(f"{SHOP}/", headers=CI_HEADERS)
        assert reply.status == 200
        return self.edge.origin.requests[-1].headers.get("cf-access-jwt-assertion") or ""

    def bad_tokens(self) -> dict[str, str]:
        good = self.identity_token()
        claims = dict(jws.parse(good).claims)
        key = self._current()
        now = self.edge.clock.now()

        def signed(changes: dict[str, JSON], by: SigningKey = key, kid: str = key.kid) -> str:
            return jws.sign({**claims, **changes}, by.private, kid)

        header, _, signature = good.split(".")
        return {
            "another application": self.edge.access.login("ada@example.com", app="wiki").token,
            "expired": signed({"exp": now - 600, "iat": now - 1200, "nbf": now - 1200}),
            "another key": signed({}, access_key("foreign")),
            "changed": f"{header}.{signed({'email': 'root@example.com'}).split('.')[1]}.{signature}",
            "no signature": good.rpartition(".")[0] + ".",
            "not a token": "x.y.z",
            "empty": "",
        }

    def _current(self) -> SigningKey:
        kid = jws.parse(self.identity_token()).kid
        names = ("current", "upcoming", *(f"rotated {number}" for number in range(1, 20)))
        return next(access_key(name) for name in names if access_key(name).kid == kid)


@contextmanager
def access() -> Iterator[Access]:
    server = CertsServer()
    objects = (app("shop", "shop.example.com", ALLOW_EXAMPLE, SERVICE), app("wiki", "wiki.example.com"))
    try:
        with edge_with(*objects, issuer=server.url) as edge:
            made = Access(edge, server)
            made.publish()
            yield made
    finally:
        server.close()
