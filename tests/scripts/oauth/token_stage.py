"""The token worker in an edge, with the split-token gateway beside it, and codes as the auth worker stores them."""

import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode

import jwt

from edgeworker.bindings import AtomicBinding, KVBinding
from edgeworker.config import JSON, Config, Route, Worker
from edgeworker.host.bundled import script
from edgeworker.testing import Edge, FaultInjection, MovableClock, Reply
from edgeworker.testing.edge import read
from edgeworker.testing.single import variable_bindings
from issuer import clients, keys, records, users
from issuer.records import Code
from issuer.users import User
from tests.scripts.oauth.auth_stage import CALLBACK, CHALLENGE, HASH, ISSUER, SCRIPTS, VERIFIER

API = "https://api.example.com"
OTHER_API = "https://other.example.com"
START = 1_800_000_000
TOKENS = "00000000000000000000000000000003"  # the gateway has a binding of that name too

RING = keys.new(now=0)
SECRET = "s3cret:with%colon and/space+plus"

SCOPES: dict[str, JSON] = {
    "openid": "Know who you are",
    "email": "See your e-mail address",
    "profile": "See your name",
    "orders.read": "See your orders",
    "orders.write": "Place orders in your name",
}
SHOP: dict[str, JSON] = {
    "client_id": "shop",
    "secret_hashes": [clients.hash_secret(SECRET)],
    "redirect_uris": [CALLBACK],
    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    "scope": "openid email profile orders.read orders.write",
}
OTHERS: list[dict[str, JSON]] = [
    {**SHOP, "client_id": "jwt-shop", "token_format": "jwt", "access_token_alg": "ES256"},
    {**SHOP, "client_id": "opaque-shop", "token_format": "opaque"},
    {**SHOP, "client_id": "posting", "token_endpoint_auth_method": "client_secret_post"},
    {**SHOP, "client_id": "old", "require_pkce": False},
    {
        "client_id": "app",
        "token_endpoint_auth_method": "none",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid orders.read",
    },
    {
        "client_id": "api",
        "secret_hashes": [clients.hash_secret(SECRET)],
        "grant_types": ["client_credentials"],
        "audience": [API],
        "scope": "orders.read",
    },
]


def variables(**others: JSON) -> dict[str, JSON]:
    listed: list[JSON] = [SHOP, *OTHERS]
    return {
        "ISSUER": ISSUER,
        "SCOPES": SCOPES,
        "RESOURCES": [API, OTHER_API],
        "CLIENTS": listed,
        "SIGNING_KEYS": keys.dump(RING),
        **others,
    }


def basic(client_id: str, secret: str = SECRET) -> dict[str, str]:
    credentials = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return {"Authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}


def bearer(token: object) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True, slots=True)
class Stage:
    edge: Edge
    clock: MovableClock
    ann: User
    grants: list[str] = field(default_factory=list)

    def code(self, client_id: str = "shop", **changes: object) -> str:
        """A code as the auth worker makes one after consent."""
        text, grant_id, now = secrets.token_urlsafe(32), secrets.token_urlsafe(16), self.clock.now()
        made = Code(
            client_id=client_id,
            user_id=self.ann.id,
            grant_id=grant_id,
            redirect_uri=CALLBACK,
            redirect_uri_sent=True,
            scope=("openid", "email", "orders.read"),
            expires_at=now + 60,
            auth_time=now - 5,
            nonce="n-1",
            code_challenge=CHALLENGE,
            amr=("pwd",),
        )
        record = replace(made, **changes)  # type: ignore[arg-type]  # the test's fields
        self.edge.kv("CODES").put(records.code_key(text), records.dump(record), expiration_ttl=60)
        self.grants.append(grant_id)
        return text

    def post(
        self, path: str, fields: Mapping[str, str | None] | str, headers: Mapping[str, str] | None = None
    ) -> Reply:
        body = fields if isinstance(fields, str) else form(fields)
        return self.edge.post(ISSUER + path, body=body, headers={**FORM, **(headers or {})})

    def exchange(self, code: str, client_id: str = "shop", /, **changes: str | None) -> Reply:
        """The token request for a code in which nothing is wrong, but for `changes`; None leaves out."""
        return self.post("/token", exchanged(code) | changes, self.credentials(client_id))

    def refresh(self, token: object, client_id: str = "shop", /, **changes: str | None) -> Reply:
        fields = {"grant_type": "refresh_token", "refresh_token": str(token)} | changes
        return self.post("/token", fields, self.credentials(client_id))

    def credentials(self, client_id: str) -> dict[str, str]:
        return basic(client_id)

    def tokens(self, client_id: str = "shop", **changes: object) -> dict[str, JSON]:
        reply = self.exchange(self.code(client_id, **changes), client_id)
        assert reply.status == 200, reply.text
        return dict(reply.json(dict))

    def introspect(self, token: object, client_id: str = "shop") -> dict[str, JSON]:
        reply = self.post("/introspect", {"token": str(token)}, basic(client_id))
        assert reply.status == 200, reply.text
        return dict(reply.json(dict))

    def gateway(self, token: object) -> int:
        """What the split-token gateway in front of the API says."""
        return self.edge.get(f"{API}/orders", headers=bearer(token)).status

    def add(self, user: User) -> None:
        key = users.key(user.email)
        self.edge.kv("USERS").put(key, json.dumps(users.record(user)))
        self.edge.kv("USERS").put(users.id_key(user.id), key)

    def stored(self) -> str:
        """Everything that KV holds, as one text."""
        spaces = [self.edge.kv(name) for name in ("USERS", "CODES", TOKENS, "SPLIT")]
        return "\n".join(f"{key} {space.get(key)}" for space in spaces for key in iter(space.keys()))


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def form(fields: Mapping[str, str | None]) -> str:
    return urlencode({name: value for name, value in fields.items() if value is not None})


def exchanged(code: str) -> dict[str, str | None]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }


def claims(token: object) -> dict[str, JSON]:
    """Of a JWT that one of the server's keys signed."""
    text = str(token)
    header = jwt.get_unverified_header(text)
    public = next(key for key in keys.public(RING, now=START)["keys"] if key["kid"] == header["kid"])  # type: ignore[attr-defined]
    decoded: dict[str, JSON] = jwt.decode(
        text,
        jwt.PyJWK(public).key,
        algorithms=[header["alg"]],
        options={"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
    )
    return decoded


def configuration(given: Mapping[str, JSON], *, atomic: bool = True, split: bool = True) -> Config:
    """The worker as its wrangler.toml has it, and the gateway on the API's host."""
    config = read(SCRIPTS / "token/wrangler.toml")
    worker = config.workers[0]
    kept = tuple(
        binding
        for binding in worker.bindings
        if binding.name not in given
        and (atomic or not isinstance(binding, AtomicBinding))
        and (split or binding.name != "SPLIT")
    )
    gateway = Worker(
        "gateway",
        script("split_token") / "worker.py",
        (KVBinding("TOKENS", "00000000000000000000000000000004"),),
    )
    return replace(
        config,
        workers=(replace(worker, bindings=(*kept, *variable_bindings(given))), gateway),
        routes=(*config.routes, Route("api.example.com/*", "gateway")),
    )


@contextmanager
def set_up(
    given: Mapping[str, JSON] | None = None,
    *,
    atomic: bool = True,
    split: bool = True,
    faults: FaultInjection | None = None,
) -> Iterator[Stage]:
    clock = MovableClock(START)
    edge = Edge(configuration(given or variables(), atomic=atomic, split=split), clock=clock, faults=faults)
    try:
        ann = users.new("ann@example.com", HASH, now=START, name="Ann Larsson", email_verified=True)
        stage = Stage(edge, clock, ann)
        stage.add(ann)
        yield stage
    finally:
        edge.close()
