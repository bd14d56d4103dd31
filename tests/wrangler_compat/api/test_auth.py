from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edgeworker.config import Config
from edgeworker.kv.store import KVStore
from edgeworker.messages import URL, Headers, Request
from edgeworker.rest.permissions import Need, Principal
from edgeworker.state import ApiTokens, SQLiteState
from tests.kv.clocks import FakeClock
from tests.wrangler_compat.api.client import NAMESPACE, NAMESPACES, TOKEN, VALUES, Client
from wrangler_compat.api import V4Api
from wrangler_compat.api.auth import Authenticator, AuthRefusal, NamedTokens, OneToken

BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def authenticator(clock: FakeClock) -> Authenticator:
    return Authenticator([OneToken(TOKEN)], clock=clock, hosts=["edge.internal"])


def asked(headers: dict[str, str] | list[tuple[str, str]], host: str = "127.0.0.1:8788") -> Request:
    return Request("GET", URL.from_target("http", host, "/client/v4/user"), Headers(headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {TOKEN}"},
        {"authorization": f"bearer  {TOKEN}"},
        {"x-auth-email": "me@example.com", "x-auth-key": TOKEN},
    ],
)
async def test_the_token_opens_the_door(authenticator: Authenticator, headers: dict[str, str]) -> None:
    principal = await authenticator.authorize(asked(headers))

    assert isinstance(principal, Principal)
    assert principal.may(Need.EVERYTHING, None)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("authorization", "Bearer wrong")],
        [("authorization", f"Bearer {TOKEN}x")],
        [("authorization", f"Bearer {TOKEN} x")],
        [("authorization", "Bearer")],
        [("authorization", "Bearer ")],
        [("authorization", TOKEN)],
        [("authorization", f"Basic {TOKEN}")],
        [("authorization", f"Bearer {TOKEN}"), ("authorization", f"Bearer {TOKEN}")],
        [("authorization", f"Bearer {TOKEN}"), ("x-auth-key", TOKEN)],
        [("x-auth-key", TOKEN)],
        [("x-auth-email", "me@example.com")],
        [("cookie", f"token={TOKEN}")],
        [("authorization", "Bearer \xff\xfe")],
    ],
)
async def test_without_the_token_the_answer_is_401(
    authenticator: Authenticator, headers: list[tuple[str, str]]
) -> None:
    refusal = await authenticator.authorize(asked(headers))

    assert isinstance(refusal, AuthRefusal)
    assert refusal.status == 401
    assert TOKEN not in refusal.reason


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8788",
        "LOCALHOST",
        "edge.localhost",
        "127.0.0.1:8788",
        "127.9.9.9",
        "[::1]:8788",
        "192.168.1.7:8788",
        "api.cloudflare.com",
        "edge.internal:8788",
    ],
)
async def test_an_address_and_a_name_of_ours_are_let_in(authenticator: Authenticator, host: str) -> None:
    assert isinstance(await authenticator.authorize(asked(BEARER, host)), Principal)


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example:8788",
        "localhost.attacker.example",
        "127.0.0.1.attacker.example",
        "api.cloudflare.com.evil",
        "notlocalhost",
    ],
)
async def test_a_foreign_name_is_dns_rebinding_and_refused_even_with_the_token(
    authenticator: Authenticator, host: str
) -> None:
    refusal = await authenticator.authorize(asked(BEARER, host))

    assert isinstance(refusal, AuthRefusal)
    assert refusal.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://attacker.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8787"},
        {"origin": "https://127.0.0.1:8788"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_call_from_another_origins_page_is_refused_even_with_the_token(
    authenticator: Authenticator, headers: dict[str, str]
) -> None:
    refusal = await authenticator.authorize(asked({**BEARER, **headers}))

    assert isinstance(refusal, AuthRefusal)
    assert refusal.status == 403


@pytest.mark.parametrize("headers", [{"origin": "http://127.0.0.1:8788"}, {"sec-fetch-site": "none"}])
async def test_a_call_from_the_apis_own_origin_is_let_in(authenticator: Authenticator, headers: dict[str, str]) -> None:
    assert isinstance(await authenticator.authorize(asked({**BEARER, **headers})), Principal)


def test_an_empty_token_is_not_a_token() -> None:
    with pytest.raises(ValueError, match="let anyone in"):
        OneToken("")


async def test_a_refusal_is_code_10000_with_the_reason_beside_it(client: Client) -> None:
    answer = await client.call("GET", f"{VALUES}/k", headers={"authorization": "Bearer wrong"})

    assert (answer.status, answer.code, answer.message) == (401, 10000, "Authentication error")
    assert answer.headers.get("www-authenticate") == 'Bearer realm="edgeworker API"'
    assert answer.json["messages"] == [
        {"code": 10000, "message": "The API token is not known here, has expired or was revoked."}
    ]


async def test_no_answer_has_a_cors_header(client: Client) -> None:
    preflight = await client.call("OPTIONS", f"{VALUES}/k", headers={"origin": "https://attacker.example"})
    allowed = await client.get(NAMESPACES)

    assert preflight.status == 403
    for answer in (preflight, allowed):
        assert not [name for name, _ in answer.headers if name.startswith("access-control-")]


@pytest.fixture
async def tokens(tmp_path: Path, clock: FakeClock) -> AsyncIterator[ApiTokens]:
    async with SQLiteState(tmp_path, clock) as state:
        yield state.api_tokens


async def test_a_named_token_may_do_what_it_was_made_for(tokens: ApiTokens, clock: FakeClock) -> None:
    text = await tokens.create("publisher", ["kv:write:ns"], now=clock.now(), expires_at=clock.now() + 60)
    authenticator = Authenticator([OneToken(TOKEN), NamedTokens(tokens)], clock=clock)

    principal = await authenticator.authorize(asked({"authorization": f"Bearer {text}"}))

    assert isinstance(principal, Principal)
    assert principal.name == "publisher"
    assert principal.may(Need.KV_WRITE, "ns")
    assert not principal.may(Need.KV_READ, "ns")
    clock.advance(60)
    assert isinstance(await authenticator.authorize(asked({"authorization": f"Bearer {text}"})), AuthRefusal)


async def test_a_permission_that_is_not_understood_grants_nothing(tokens: ApiTokens, clock: FakeClock) -> None:
    text = await tokens.create("later", ["d1:write", "kv:read"], now=clock.now(), expires_at=None)

    principal = await Authenticator([NamedTokens(tokens)], clock=clock).authorize(
        asked({"authorization": f"Bearer {text}"})
    )

    assert isinstance(principal, Principal)
    assert [str(permission) for permission in principal.permissions] == ["kv:read"]


async def test_a_publishers_token_can_write_its_namespace_and_do_nothing_else(
    tokens: ApiTokens, store: KVStore, clock: FakeClock
) -> None:
    text = await tokens.create("publisher", [f"kv:write:{NAMESPACE}"], now=clock.now(), expires_at=None)
    api = V4Api(Config(), store, Authenticator([NamedTokens(tokens)], clock=clock), clock=clock)
    publisher = Client(api, {"authorization": f"Bearer {text}"})

    assert (await publisher.call("PUT", f"{VALUES}/k", b"v")).status == 200
    assert (await publisher.get("/client/v4/user/tokens/verify")).status == 200
    for method, target in [
        ("GET", f"{VALUES}/k"),
        ("GET", f"{NAMESPACES}/{NAMESPACE}/keys"),
        ("POST", f"{NAMESPACES}/{NAMESPACE}/bulk/get"),
        ("DELETE", f"{NAMESPACES}/{NAMESPACE}"),
        ("PUT", f"{NAMESPACES}/{NAMESPACE}"),
        ("PUT", f"{NAMESPACES}/{'2' * 32}/values/k"),
        ("GET", NAMESPACES),
        ("POST", NAMESPACES),
        ("GET", "/client/v4/user"),
        ("GET", "/client/v4/accounts"),
        ("GET", "/client/v4/zones"),
    ]:
        answer = await publisher.call(method, target)
        assert (answer.status, answer.code) == (403, 10000), target
    await tokens.revoke("publisher")
    assert (await publisher.call("PUT", f"{VALUES}/k", b"v")).status == 401
