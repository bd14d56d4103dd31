"""The API behind the edge: a plain HTTP server that trusts no one and verifies every JWT with the public key."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import ClassVar

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from edgeworker.cli.demo.serving import listening
from edgeworker.cli.demo.tokens import AUDIENCE, ISSUER


class OrdersApi:
    """`seen` are the Authorization fields of the requests that reached it, in order; `url` is where it listens."""

    def __init__(self, public_key: rsa.RSAPublicKey) -> None:
        self.seen: list[str | None] = []
        self.url = ""
        self._public_key = public_key

    def answer(self, authorization: str | None) -> tuple[int, dict[str, object]]:
        """(status, document) for a request with this Authorization field."""
        self.seen.append(authorization)
        scheme, _, token = (authorization or "").partition(" ")
        if scheme != "Bearer":
            return 401, {"error": "no bearer token arrived"}
        try:
            claims = jwt.decode(
                token,
                self._public_key,
                algorithms=["RS256"],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.InvalidTokenError as error:
            return 401, {"error": str(error)}
        return 200, {"orders": ["#1001", "#1002"], "of": claims["sub"], "verified": "RS256 signature, iss, aud, exp"}

    @contextmanager
    def listening(self) -> Iterator["OrdersApi"]:
        """Serves on a free port of this machine, in a thread of its own."""
        handler = type("_BoundHandler", (_OrdersHandler,), {"api": self})
        with listening(handler) as self.url:
            yield self


class _OrdersHandler(BaseHTTPRequestHandler):
    api: ClassVar[OrdersApi]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status, document = self.api.answer(self.headers.get("Authorization"))
        body = json.dumps(document).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """The demo tells what arrived; a second log would stand in between."""
