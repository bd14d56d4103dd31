"""Everything that the API Shield demo needs: a provider with keys, an API that tells what reached it, and an edge whose
edge.toml is in a temporary folder."""

import asyncio
import json
import logging
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from edgeworker.cli.demo import wire
from edgeworker.cli.demo.serving import listening
from edgeworker.clock import SystemClock
from edgeworker.config import JSON, Config, Socket
from edgeworker.host.bundled import DEFAULT_SCRIPT, script
from edgeworker.host.datadir import DataDir
from edgeworker.host.serving import serve
from edgeworker.host.stored_edge import StoredEdge
from wrangler_compat import LoadOptions, load
from wrangler_compat.api import Authenticator, OneToken, V4Api

HOST: Final = "api.shop.example"
BILLING: Final = "billing.shop.example"
ISSUER: Final = "https://login.example"
REQUESTS_AN_HOUR: Final = 5

_ZONE_ID: Final = f"{0x5EED:032x}"
EDGE_TOML: Final = f"""\
[[zones]]
name = "shop.example"
id = "{_ZONE_ID}"
origin = "ORIGIN"

[zones.api_shield]
operations = ["GET {HOST}/orders/{{id}}"]
challenge = true

[[zones.api_shield.token_configurations]]
id = "login"
jwks_file = "keys.json"

[[zones.api_shield.rules]]
title = "orders need a token of ours"
hosts = ["{HOST}"]
expression = '''
is_jwt_valid("login")
and http.request.jwt.claims.iss["login"][0] eq "{ISSUER}"
'''

[[zones.api_shield.header_transforms]]
header = "X-User"
value = 'http.request.jwt.claims.sub["login"][0]'

[[zones.api_shield.rate_limits]]
requests = {REQUESTS_AN_HOUR}
period = "1h"
characteristics = ['http.request.jwt.claims.sub["login"][0]']
expression = 'starts_with(http.request.uri.path, "/orders/")'
"""


class Provider:
    """Signs ES256 tokens with keys that were made for this run."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public_jwk(self) -> dict[str, JSON]:
        members: dict[str, JSON] = json.loads(ECAlgorithm.to_jwk(self._key.public_key()))
        return {**members, "kid": self.kid, "alg": "ES256"}

    def token(self, subject: str, *, expires_at: int, **claims: str) -> str:
        content = {"iss": ISSUER, "sub": subject, "exp": expires_at, "jti": secrets.token_urlsafe(8), **claims}
        return jwt.encode(content, self._key, algorithm="ES256", headers={"kid": self.kid})


class Api:
    """The API behind the edge. `seen` are the header fields of the requests that reached it."""

    def __init__(self) -> None:
        self.seen: list[Mapping[str, str]] = []
        self.url = ""


class _Handler(BaseHTTPRequestHandler):
    api: ClassVar[Api]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.api.seen.append({name.lower(): value for name, value in self.headers.items()})
        body = json.dumps({"path": self.path, "user": self.headers.get("X-User")}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """The demo tells what came."""


class Events(logging.Handler):
    """What API Shield writes into the log, one JSON text for each request that a rule acted on."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def last_result(self) -> str:
        """What the last event says of the token."""
        violations = json.loads(self.lines[-1]).get("violations") if self.lines else None
        return str(violations[0].get("result")) if violations else ""

    @contextmanager
    def listening(self) -> Iterator["Events"]:
        """Events are kept here and written nowhere else."""
        log = logging.getLogger("edgeworker.products.api_shield.handler")
        propagated, log.propagate = log.propagate, False
        log.addHandler(self)
        try:
            yield self
        finally:
            log.removeHandler(self)
            log.propagate = propagated


@dataclass(frozen=True, slots=True)
class ShieldStage:
    """`edge_url` and `api_url` are sockets of this machine; `config` is what the edge runs with."""

    edge_url: str
    api_url: str
    api_token: str = field(repr=False)
    provider: Provider
    api: Api
    events: "Events"
    config: Config
    stop: asyncio.Event

    def get(self, path: str, token: str | None = None, *, host: str = HOST, **headers: str) -> wire.WireResponse:
        fields = {"Host": host, "Accept": "application/json", **headers}
        if token is not None:
            fields["Authorization"] = f"Bearer {token}"
        return wire.call(self.edge_url, "GET", path, fields)

    def manage(self, method: str, path: str, body: JSON) -> wire.WireResponse:
        """One call of the REST API; `path` is below the zone's."""
        headers = {"Authorization": f"Bearer {self.api_token}", "Content-Type": "application/json"}
        target = f"/client/v4/zones/{_ZONE_ID}{path}"
        return wire.call(self.api_url, method, target, headers, json.dumps(body).encode())


@asynccontextmanager
async def set_up() -> AsyncIterator[ShieldStage]:
    """Free ports, nothing outside this machine, and nothing of it is left when it is over."""
    clock, api, provider = SystemClock(), Api(), Provider("key-1")
    handler = type("_BoundHandler", (_Handler,), {"api": api})
    with (
        tempfile.TemporaryDirectory(prefix="edgeworker-demo-", ignore_cleanup_errors=True) as folder,
        listening(handler) as api.url,
        Events().listening() as events,
    ):
        project = Path(folder)
        (project / "keys.json").write_text(json.dumps({"keys": [provider.public_jwk]}), "utf-8")
        (project / "edge.toml").write_text(EDGE_TOML.replace("ORIGIN", api.url), "utf-8")
        config = load(LoadOptions(default_script=script(DEFAULT_SCRIPT) / "worker.py", cwd=project)).require()
        config = replace(
            config,
            workers=(),
            default_worker=None,
            default_on_every_host=False,
            edge_socket=Socket(port=0),
            api_socket=Socket(port=0),
        )
        token = secrets.token_urlsafe(24)
        edge = StoredEdge(
            config,
            DataDir.open(project / "data"),
            clock,
            lambda storage, state: V4Api(
                config, storage.api, Authenticator([OneToken(token)], clock=clock), clock=clock, state=state
            ),
        )
        async with serve(config, edge, clock=clock, drain_seconds=0) as running:
            yield ShieldStage(
                running.urls["url"], running.urls["api_url"], token, provider, api, events, config, running.stop
            )
