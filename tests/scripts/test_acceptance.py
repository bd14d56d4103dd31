"""The acceptance list of the Split Token pattern, point by point, on the wire: real sockets, real publishers.

1 one key for a raw and an encoded path; 2 500 of 500 random tokens; 3 expiry; 4 the code flow of real client libraries,
with `at_hash` over the split token, refresh and revocation: it needs the issuer and is in tests/scripts/oauth
(test_real_clients.py, test_refresh_grant.py); 5 what is no good request; 6 challenges, and what a page needs.
"""

import asyncio
import json
import socket
from urllib.parse import urlsplit

import cloudflare
import pytest
from werkzeug.datastructures import WWWAuthenticate

from edgeworker.cli.demo import wire
from edgeworker.cli.demo.stage import SplitTokenStage, set_up
from edgeworker.cli.demo.tokens import DemoToken, Publisher
from edgeworker.clock import SystemClock
from edgeworker.testing import Edge, KVByName, MovableClock, Origin
from tests.patience import PATIENCE_SECONDS

HOST = "api.example.com"
APP = "https://app.example.com"
TOKENS = 500
WORKERS = 4


@pytest.mark.parametrize("signature", ["sig4616", "sig1"])
async def test_1_a_raw_and_an_sdks_encoded_path_are_one_key(signature: str) -> None:
    async with set_up() as stage:
        whole = stage.issuer.issue(issued_at=SystemClock().now(), ttl_seconds=300)
        token = DemoToken(f"{whole.value}.{signature}", whole.exp)

        def publish_both_ways() -> tuple[int, list[str]]:
            publisher = stage.publisher
            raw = publisher.publish(token).status
            *_, account, _, _, _, namespace = publisher.namespace_path.split("/")
            with cloudflare.Cloudflare(api_token=publisher.api_token, base_url=f"{publisher.api_url}/client/v4") as sdk:
                values = sdk.kv.namespaces.values
                value = token.value.encode()
                values.update(token.key, account_id=account, namespace_id=namespace, value=value, expiration=token.exp)
            return raw, [entry["name"] for entry in json.loads(publisher.keys().body)["result"]]

        assert await asyncio.to_thread(publish_both_ways) == (200, [token.key])
        authorization = {"Authorization": f"Bearer {signature}"}
        answer = await asyncio.to_thread(wire.call, stage.edge_url, "GET", "/orders", authorization)
        # The signature is none of the key's, so the API refuses the JWT: but what it got is what was joined.
        assert answer.status == 401
        assert stage.api.seen == [f"Bearer {token.whole}"]


def _works(stage: SplitTokenStage, token: DemoToken) -> bool:
    published = stage.publisher.publish(token)
    answer = wire.call(stage.edge_url, "GET", "/orders", {"Authorization": f"Bearer {token.signature}"})
    return (published.status, answer.status) == (200, 200) and f"Bearer {token.whole}" in stage.api.seen


async def test_2_500_of_500_random_tokens_that_are_published_as_the_plugin_does_it_work() -> None:
    now = SystemClock().now()
    async with set_up() as stage:
        issued = [stage.issuer.issue(issued_at=now, ttl_seconds=300) for _ in range(TOKENS)]

        def some(start: int) -> list[bool]:
            return [_works(stage, token) for token in issued[start::WORKERS]]

        worked = await asyncio.gather(*(asyncio.to_thread(some, start) for start in range(WORKERS)))

    assert sum(map(sum, worked)) == TOKENS
    # Half of the keys have a "/", and as many a "+": with none of them this test would show nothing.
    assert 100 < sum("/" in token.key for token in issued) < 400
    assert 100 < sum("+" in token.key for token in issued) < 400


@pytest.mark.parametrize(("seconds", "status"), [(30, 400), (61, 200)])
async def test_3_kv_takes_no_entry_that_would_live_for_less_than_a_minute(seconds: int, status: int) -> None:
    now = SystemClock().now()
    async with set_up() as stage:
        token = stage.issuer.issue(issued_at=now, ttl_seconds=seconds)
        publisher: Publisher = stage.publisher

        # Two seconds of a slow machine do not matter to either.
        assert (await asyncio.to_thread(publisher.publish, token, expiration=now + seconds + 2)).status == status


def test_3_a_token_is_refused_after_its_expiry_although_the_entry_is_still_there(
    edge: Edge, clock: MovableClock, kv: KVByName
) -> None:
    token = edge.issuer.token(split=True, ttl_seconds=61)
    kv("TOKENS").put(token.key or "", token.published_value or "")  # without any expiry of its own

    assert exchange(edge, f"Authorization: Bearer {token}").status == 200
    clock.advance(61)
    assert exchange(edge, f"Authorization: Bearer {token}").status == 401
    assert kv("TOKENS").get(token.key or "") == token.published_value


def exchange(edge: Edge, *fields: str, method: str = "GET", path: str = "/orders") -> wire.WireResponse:
    """The request as these lines, byte for byte: no client would send some of them."""
    address = urlsplit(edge.url)
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", "Connection: close", *fields, "", ""]
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall("\r\n".join(lines).encode("latin-1"))
        received = b""
        while piece := connection.recv(65_536):
            received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    status, *rest = head.decode("latin-1").split("\r\n")
    found = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    return wire.WireResponse(int(status.split(" ")[1]), found, body)


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer  ", "bEARER     "])
def test_5_the_scheme_has_no_case_and_may_be_followed_by_spaces(edge: Edge, origin: Origin, scheme: str) -> None:
    token = edge.issuer.token(split=True)

    assert exchange(edge, f"Authorization: {scheme}{token}").status == 200
    assert origin.requests[-1].headers.get("authorization") == f"Bearer {token.jwt}"


def test_5_connection_authorization_joins_nothing_and_takes_no_joined_token_away(edge: Edge, origin: Origin) -> None:
    token = edge.issuer.token(split=True)
    good = f"Authorization: Bearer {token}"

    # The edge drops what Connection names before any script sees it (RFC 9110 section 7.6.1): then there is no token.
    assert exchange(edge, good, "Connection: authorization").status == 401
    assert origin.requests == []
    assert exchange(edge, good, "Connection: x-b3", "X-B3: 1").status == 200
    assert origin.requests[-1].headers.get("authorization") == f"Bearer {token.jwt}"
    assert origin.requests[-1].headers.get("x-b3") is None


def test_5_a_bad_request_does_not_reach_the_api(edge: Edge, origin: Origin) -> None:
    token = edge.issuer.token(split=True)
    good = f"Authorization: Bearer {token}"

    for fields in (
        (good, good),
        (good, "Authorization: Bearer x"),
        (f"Authorization: Bearer {token}, Bearer {token}",),
        (f"Authorization: Bearer {token.jwt}",),
        (f"Authorization: Bearer {token}=",),
        (f"Authorization: Bearer {token}==",),
        (f"Authorization: Bearer\t{token}",),
        (f"Authorization : Bearer {token}",),
        (f"Authorization: Bearer {str(token)[:50]}", f" {str(token)[50:]}"),
        (f"Authorization: {token}",),
    ):
        assert exchange(edge, *fields).status in (400, 401), fields
    assert origin.requests == []


@pytest.mark.parametrize(
    "value",
    ["{value}\r\nX-Admin: 1", "{value}\n", "{value}.{signature}", "{value}.", ".{value}", "{value} "],
)
def test_5_a_poisoned_value_is_neither_joined_nor_sent(edge: Edge, kv: KVByName, origin: Origin, value: str) -> None:
    token = edge.issuer.token(split=True)
    poisoned = value.format(value=token.published_value, signature=token)
    kv("TOKENS").put(token.key or "", poisoned)

    assert exchange(edge, f"Authorization: Bearer {token}").status == 401
    assert origin.requests == []


@pytest.mark.edgeworker(variables={"CORS_ORIGINS": APP})
@pytest.mark.parametrize(("authorization", "error"), [("", None), ("Authorization: Bearer unknown", "invalid_token")])
def test_6_a_refusal_can_be_parsed_is_not_stored_and_can_be_read_by_a_page(
    edge: Edge, authorization: str, error: str | None
) -> None:
    answer = exchange(edge, f"Origin: {APP}", *([authorization] if authorization else []))

    assert answer.status == 401
    challenge = WWWAuthenticate.from_header(answer.headers["www-authenticate"])
    assert challenge is not None
    assert (challenge.type, challenge.token, challenge.parameters.get("realm")) == ("bearer", None, "api")
    assert challenge.parameters.get("error") == error
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == APP
    assert "WWW-Authenticate" in answer.headers["access-control-expose-headers"]


@pytest.mark.edgeworker(variables={"CORS_ORIGINS": APP})
def test_6_a_preflight_passes_for_configured_origins_only(edge: Edge, origin: Origin) -> None:
    asked = ("Access-Control-Request-Method: GET", "Access-Control-Request-Headers: authorization")

    passed = exchange(edge, f"Origin: {APP}", *asked, method="OPTIONS")
    refused = exchange(edge, "Origin: https://evil.example", *asked, method="OPTIONS")

    assert (passed.status, passed.headers["access-control-allow-headers"]) == (204, "authorization")
    assert refused.status == 403
    assert "access-control-allow-origin" not in refused.headers
    assert origin.requests == []
