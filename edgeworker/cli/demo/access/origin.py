"""The demo's origin: an application that believes no one but Access, and verifies each token with the public keys."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import jwt

from edgeworker.cli.demo import wire
from edgeworker.cli.demo.serving import listening


class Verifier:
    """As Cloudflare's documentation has it: the key by its kid, issuer and audience, RS256 alone."""

    def __init__(self) -> None:
        self.edge_url = ""
        self.team_domain = ""
        self.audiences: list[str] = []

    def claims(self, token: str) -> dict[str, object]:
        """Raises jwt.PyJWTError, LookupError."""
        host = urlsplit(self.team_domain).netloc
        answer = wire.call(self.edge_url, "GET", "/cdn-cgi/access/certs", {"Host": host}, None)
        keys = jwt.PyJWKSet.from_dict(json.loads(answer.body))
        key = keys[jwt.get_unverified_header(token)["kid"]]
        claims: dict[str, object] = jwt.decode(
            token, key, algorithms=["RS256"], audience=self.audiences, issuer=self.team_domain
        )
        return claims


@contextmanager
def origin(verifier: Verifier) -> Iterator[str]:
    """Serves until the block ends; gives the URL."""
    with listening(_handler(verifier.claims)) as url:
        yield url


def _handler(verify: Callable[[str], dict[str, object]]) -> type[BaseHTTPRequestHandler]:
    class OriginHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            token = self.headers.get("Cf-Access-Jwt-Assertion", "")
            try:
                claims = verify(token)
            except (jwt.PyJWTError, LookupError) as error:
                self._answer(403, {"refused": type(error).__name__})
                return
            who = claims.get("email") or claims.get("common_name")
            self._answer(200, {"verified": who, "kid": jwt.get_unverified_header(token)["kid"]})

        def _answer(self, status: int, content: dict[str, object]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    return OriginHandler
