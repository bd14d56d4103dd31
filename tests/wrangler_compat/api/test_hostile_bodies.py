"""No endpoint of the API answers 500, whatever its body, its path and its query are."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from edgeworker.config import JSON, Config, Namespace, Zone
from edgeworker.kv.memory import MemoryStore
from edgeworker.products.api_shield.config import ShieldConfig
from edgeworker.rest.router import Endpoint
from edgeworker.state import SQLiteState
from tests.kv.clocks import FakeClock
from tests.products.access.stage import access_of, app
from tests.wrangler_compat.api.api_shield.calls import configuration_body
from tests.wrangler_compat.api.client import ACCOUNT, NAMESPACE, TOKEN, Client
from wrangler_compat.api import Authenticator, OneToken, V4Api
from wrangler_compat.api.endpoints import ENDPOINTS

ZONE = "a" * 32
SURROGATE = "\ud800"
DEEP: JSON = []
for _ in range(150):
    DEEP = [DEEP]

INCLUDE: list[JSON] = [
    {"email": {"email": "a@example.com"}},
    {"ip": {"ip": "192.0.2.0/24"}},
    {"geo": {"country_code": "DE"}},
    {"group": {"id": "g"}},
    {"everyone": {}},
    {"service_token": {"token_id": "id-ci"}},
    {"common_name": {"common_name": "x"}},
]
POLICY: dict[str, JSON] = {
    "name": "p",
    "decision": "allow",
    "include": INCLUDE,
    "exclude": [{"email_domain": {"domain": "evil.test"}}],
    "require": [{"email": {"email": "a@example.com"}}],
    "precedence": 1,
    "session_duration": "24h",
    "approval_groups": [{"approvals_needed": 1, "email_addresses": ["b@example.com"]}],
}
APP: dict[str, JSON] = {
    "name": "n",
    "type": "self_hosted",
    "domain": "written.example.com/x",
    "session_duration": "1h",
    "destinations": [{"type": "public", "uri": "written.example.com/y"}],
    "policies": [POLICY],
    "allowed_idps": ["i"],
    "cors_headers": {"allowed_origins": ["https://a.test"], "max_age": 5, "allow_credentials": True},
    "custom_deny_url": "https://a.test/",
    "tags": ["t"],
    "saas_app": {"auth_type": "oidc", "redirect_uris": ["https://a.test/cb"], "scopes": ["openid"]},
}
OPERATION: dict[str, JSON] = {"method": "GET", "host": "api.test", "endpoint": "/orders/{var1}"}
RULE: dict[str, JSON] = {
    "title": "t",
    "description": "d",
    "action": "block",
    "enabled": True,
    "expression": "is_jwt_present()",
    "selector": {"include": [{"host": ["api.test"]}], "exclude": [{"operation_ids": ["x"]}]},
    "position": {"index": 1},
}
BODIES: list[JSON] = [
    APP,
    POLICY,
    {"name": "g", "include": INCLUDE, "exclude": INCLUDE[:1], "require": INCLUDE[:1], "is_default": False},
    {"name": "t", "duration": "8760h", "previous_client_secret_expires_at": "2030-01-01T00:00:00Z"},
    {"name": "i", "type": "oidc", "config": {"client_id": "c", "client_secret": "s", "auth_url": "https://a.test",
     "token_url": "https://a.test/t", "certs_url": "https://a.test/c", "scopes": ["openid"], "claims": ["x"]}},
    {"name": "Acme", "auth_domain": "acme.cloudflareaccess.com", "session_duration": "1h",
     "login_design": {"background_color": "#fff", "header_text": "h"}, "key_rotation_interval_days": 30,
     "user_seat_expiration_inactive_time": "1460h", "email": "a@example.com", "devices": False},
    configuration_body(),
    {"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "alg": "ES256", "x": "AA", "y": "AA"}]},
    RULE,
    [RULE],
    [{"id": "x", **RULE}],
    OPERATION,
    [OPERATION],
    [{"operation_id": "x"}],
    [{"key": "k", "value": "v", "expiration": 2_000_000_000, "expiration_ttl": 60, "metadata": {"a": 1},
    "base64": False}],
    {"keys": ["k"], "type": "json", "withMetadata": True},
    ["k"],
    {"title": "new"},
]  # fmt: skip
VALUES: list[JSON] = [
    None, True, 0, -1, 2**63, 10**300, 1.5, 1e308, "", "\0", "x\r\ny", SURROGATE, "é" * 300, "x" * 5000, "24h",
    "9" * 400 + "h", "*", "https://[", [], {}, [None], [[]], [SURROGATE], ["\0"], {"": None}, {SURROGATE: SURROGATE},
    [10**30], DEEP, {"a": {"b": {}}}, ["x"] * 300,
]  # fmt: skip
RAW = [
    b"", b"{", b"nul", b"NaN", b'{"a": Infinity}', b"[1e999]", b"[" * 100_000, b'{"a":' * 100_000,
    b"\xff\xfe", b"\xef\xbb\xbf{}",
    b'"\\ud800"', b"9" * 100_000, b"[" + b"9" * 10_000 + b"]",
    b'{"keys":' + b"[" * 5000 + b"]" * 5000 + b"}", b"{}", b"[]", b'""', b"0",
    b"[[" * 400 + b"]]" * 400,
]  # fmt: skip
PARAMETERS = [
    "x",
    "%00",
    "%ED%A0%80",
    "%FF",
    ".",
    "..",
    "%2F",
    "a" * 5000,
    "%0A",
    "0",
    "{",
    "'",
    "id-shop",
    "%F0%9F%98%80",
]
QUERIES = [
    "page=0", "page=99999999999999999999", "per_page=x", "limit=-1", "limit=%00", "cursor=%00",
    "cursor=AAAA", "name=%00",
    "prefix=%ED%A0%80", "expiration=1e400", "expiration_ttl=" + "9" * 500, "order=\0", "%FF=1", "a=%zz",
    "q=" + "x" * 9000,
    "hidden=maybe", "offset=99999999999999999999", "token_type=%00", "rule_id=%00",
    "host=%ED%A0%80&direction=x", "search=%5C",
]  # fmt: skip
_PLACE = re.compile(r"\{([a-z_]+)\+?\}")


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
async def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    # To look for primes is most of the time of an edge with Access, and no body changes that.
    key = _key()
    monkeypatch.setattr(rsa, "generate_private_key", lambda **_: key)
    clock = FakeClock(1_800_000_000)
    store = MemoryStore()
    await store.namespaces.register([Namespace(NAMESPACE, "tokens")])
    config = Config(
        account_id=ACCOUNT,
        zones=(Zone("api.test", ZONE, products=(ShieldConfig(),)), Zone("example.com", "b" * 32)),
        products=(access_of(app("shop", "shop.example.com")),),
    )
    async with SQLiteState(tmp_path / "state", clock) as state:
        yield Client(V4Api(config, store, Authenticator([OneToken(TOKEN)], clock=clock), clock=clock, state=state))


def mutated(body: JSON) -> Iterator[JSON]:
    """`body`, and `body` with each hostile value in each of its places."""
    yield body
    for place in places_of(body):
        for value in VALUES:
            yield replace_at(body, place, value)


def places_of(value: JSON, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield place
    match value:
        case dict():
            for name, item in value.items():
                yield from places_of(item, (*place, name))
        case list():
            for index, item in enumerate(value[:2]):
                yield from places_of(item, (*place, index))
        case _:
            pass


def replace_at(value: JSON, place: tuple[str | int, ...], new: JSON) -> JSON:
    if not place:
        return new
    first, *rest = place
    match value, first:
        case dict(), str():
            return {**value, first: replace_at(value[first], tuple(rest), new)}
        case list(), int():
            return [replace_at(item, tuple(rest), new) if at == first else item for at, item in enumerate(value)]
        case _:
            raise AssertionError(place)


def target_of(endpoint: Endpoint, parameter: str, **known: str) -> str:
    places = {"account": ACCOUNT, "namespace": NAMESPACE, "zone": ZONE, **known}
    return "/client/v4" + _PLACE.sub(lambda place: places.get(place[1], parameter), endpoint.template)


def _name(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.template}"


# Mutations of one body; making keys takes long.
_MANY = 100
_FEW = 3
READING = [endpoint for endpoint in ENDPOINTS if endpoint.method == "GET"]
WRITING = [endpoint for endpoint in ENDPOINTS if endpoint.method != "GET"]


@pytest.mark.parametrize("endpoint", READING + WRITING, ids=_name)
async def test_no_path_and_no_query_breaks_an_endpoint(client: Client, endpoint: Endpoint) -> None:
    for parameter in PARAMETERS:
        for place in _PLACE.findall(endpoint.template):
            await check_answer(client, endpoint, target_of(endpoint, "x", **{place: parameter}), b"{}")
    for query in QUERIES:
        await check_answer(client, endpoint, f"{target_of(endpoint, 'id-shop')}?{query}", b"{}")


@pytest.mark.parametrize("endpoint", WRITING, ids=_name)
async def test_no_body_breaks_an_endpoint(client: Client, endpoint: Endpoint) -> None:
    ids = await _made_ids(client)
    target = target_of(endpoint, "x", **ids)
    for raw in RAW:
        await check_answer(client, endpoint, target, raw)
    for body in BODIES:
        # What an endpoint refuses as a whole is not looked into.
        if await check_answer(client, endpoint, target, json.dumps(body).encode()) in (200, 201):
            candidates = list(mutated(body))
            step = 1 + len(candidates) // (_FEW if "/keys" in target else _MANY)
            for hostile in candidates[WRITING.index(endpoint) % step :: step]:
                await check_answer(client, endpoint, target, json.dumps(hostile).encode())


async def _made_ids(client: Client) -> dict[str, str]:
    """Objects that the paths can name."""
    ids = {"app": "id-shop"}
    access, zone = f"/client/v4/accounts/{ACCOUNT}/access", f"/client/v4/zones/{ZONE}/token_validation"
    objects: list[tuple[str, str, dict[str, JSON]]] = [
        ("group", f"{access}/groups", {"name": "g", "include": INCLUDE[:1]}),
        ("policy", f"{access}/policies", {"name": "p", "decision": "allow", "include": INCLUDE[:1]}),
        ("token", f"{access}/service_tokens", {"name": "t"}),
        ("provider", f"{access}/identity_providers", {"name": "i", "type": "onetimepin", "config": {}}),
        ("app", f"{access}/apps", {"name": "a", "type": "self_hosted", "domain": "made.example.com"}),
        ("config", f"{zone}/config", configuration_body()),
    ]
    for name, path, body in objects:
        answer = await client.call("POST", path, body)
        assert answer.status in (200, 201), (name, answer.content)
        assert isinstance(answer.result, dict)
        ids[name] = str(answer.result["id"])
    return ids


async def check_answer(client: Client, endpoint: Endpoint, target: str, body: bytes) -> int:
    content = None if endpoint.method == "GET" else body
    try:
        answer = await client.call(endpoint.method, target, content)
    except Exception as error:
        raise AssertionError(f"{_name(endpoint)} {target[:200]} {body[:400]!r}") from error
    assert answer.status < 500, (target[:200], body[:400], answer.content)
    if "/values/" not in endpoint.template:
        answer_is_json = json.loads(answer.content, parse_constant=_refuse)
        assert answer_is_json["success"] is (answer.status < 300)
    return answer.status


def _refuse(name: str) -> None:
    raise AssertionError(f"the answer has {name}, which is not JSON")
