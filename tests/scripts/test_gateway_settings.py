"""The settings of the split-token gateway, each seen from outside."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edgeworker.errors import ScriptError
from edgeworker.testing import Edge, KVByName, MovableClock, Origin, OriginRequest

ORDERS = "https://api.example.com/orders"
APP = "https://app.example.com"
FETCHES_KEYS = pytest.mark.edgeworker(variables={"JWKS_URL": "https://issuer.example.net/.well-known/jwks.json"})


def bearer(token: object) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def to_the_api(origin: Origin) -> list[OriginRequest]:
    """Without what the gateway asked of the internet."""
    return [asked for asked in origin.requests if asked.base is not None]


@pytest.mark.edgeworker(variables={"CLOCK_LEEWAY_SECONDS": 60})
def test_the_leeway_is_a_setting(edge: Edge, clock: MovableClock) -> None:
    token = edge.issuer.token(split=True, ttl_seconds=30)

    clock.advance(59)

    assert edge.get(ORDERS, headers=bearer(token)).status == 200


@pytest.mark.edgeworker(variables={"PUBLIC_PATHS": "/health, /.well-known/*, OPTIONS /*"})
def test_public_paths_pass_without_a_token(edge: Edge, origin: Origin) -> None:
    for method, path in (("GET", "/health"), ("GET", "/.well-known/jwks.json"), ("OPTIONS", "/orders")):
        reply = edge.request(method, f"https://api.example.com{path}", headers={"Authorization": "Basic eDp5"})
        assert reply.status == 200
    assert [asked.headers.get("authorization") for asked in origin.requests] == ["Basic eDp5"] * 3

    for path in ("/orders", "/health/x"):
        assert edge.get(f"https://api.example.com{path}").status == 401
    # The edge in front of the script takes no path that two readers read in two ways.
    for path in ("/.well-known/..%2forders", "/.well-known/..;/orders"):
        assert edge.get(f"https://api.example.com{path}").status == 400
    assert len(origin.requests) == 3


@pytest.mark.edgeworker(variables={"JWT_PATHS": ["/internal/*"]})
def test_whole_tokens_pass_only_on_their_paths_and_only_while_they_are_valid(edge: Edge, origin: Origin) -> None:
    whole, inside = edge.issuer.token(), "https://api.example.com/internal/x"

    assert edge.get(inside, headers=bearer(whole)).status == 200
    assert origin.requests[0].headers.get("authorization") == f"Bearer {whole}"
    assert edge.get(ORDERS, headers=bearer(whole)).status == 401
    assert edge.get(inside, headers=bearer(edge.issuer.bad("expired"))).status == 401
    assert edge.get(inside, headers=bearer("a.b.c")).status == 401
    assert edge.get(inside, headers=bearer(edge.issuer.token(split=True))).status == 200


@pytest.mark.edgeworker(variables={"CORS_ORIGINS": APP})
def test_a_page_can_read_errors_and_its_preflight_passes(edge: Edge) -> None:
    refused = edge.get(ORDERS, headers={"Origin": APP})
    assert refused.status == 401
    assert refused.headers.get("access-control-allow-origin") == APP
    assert "WWW-Authenticate" in (refused.headers.get("access-control-expose-headers") or "")

    asked = {
        "Origin": APP,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization",
    }
    preflight = edge.options(ORDERS, headers=asked)
    assert preflight.status == 204
    assert preflight.headers.get("access-control-allow-methods") == "PUT"
    assert preflight.headers.get("access-control-allow-headers") == "authorization"

    passed = edge.get(ORDERS, headers={**bearer(edge.issuer.token(split=True)), "Origin": APP})
    assert passed.headers.get("access-control-allow-origin") == APP


@pytest.mark.edgeworker(variables={"CORS_ORIGINS": APP})
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_a_page_of_another_origin_can_read_nothing(edge: Edge, method: str) -> None:
    other = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}

    reply = edge.request(method, ORDERS, headers=other)

    assert reply.status in (401, 403)
    assert reply.headers.get("access-control-allow-origin") is None


@pytest.mark.edgeworker(variables={"CORS_ORIGINS": APP, "PUBLIC_PATHS": "/health"})
def test_an_unknown_method_is_not_an_error_of_the_gateway(edge: Edge) -> None:
    headers = {"Origin": APP, "Access-Control-Request-Method": "GET"}

    assert edge.request("BREW", ORDERS, headers=headers).status == 401


@pytest.mark.parametrize(
    ("variables", "key"),
    [
        # printf sig4616 | sha512sum; printf sig4616 | openssl dgst -sha384 -binary | base64 | tr +/ -_
        (
            {"TOKEN_HASH": "SHA-512", "KEY_ENCODING": "hex"},
            "dbb6608c0b8b6f330d30f3f7848a265873e6c4c07f5ad7dfb538adcf446cbd74"
            "dc6fb4a7ffe2eb2bd3458cbcc8e47807506714da170cc0a4539b7b045ca97526",
        ),
        (
            {"TOKEN_HASH": "sha384", "KEY_ENCODING": "base64url", "KEY_PREFIX": "split:"},
            "split:Eed_s6UUjXCmCJxnpuiKjwoHjWdn--Ikhej7iTNJggF9eQhQBEOw3uh-JC6Tx2qg",
        ),
    ],
)
def test_hash_encoding_and_prefix_are_settings(variables: dict[str, str], key: str) -> None:
    with Edge(Path(__file__).parent, variables=variables) as edge:
        value = edge.issuer.token(split=True, publish=False).published_value
        edge.kv("TOKENS").put(key, value or "")

        assert edge.get(ORDERS, headers=bearer("sig4616")).status == 200


@pytest.mark.edgeworker(variables={"MIN_TOKEN_LENGTH": 342, "MAX_TOKEN_LENGTH": 342})
def test_the_length_of_a_token_is_a_setting(edge: Edge, origin: Origin) -> None:
    assert edge.get(ORDERS, headers=bearer(edge.issuer.token(split=True))).status == 200

    assert edge.get(ORDERS, headers=bearer(edge.issuer.token(split=True, algorithm="ES256"))).status == 401
    assert len(origin.requests) == 1


@pytest.mark.edgeworker(variables={"UPSTREAM_HEADER_LIMIT": 1000})
def test_a_token_that_the_api_cannot_take_is_refused_with_the_right_word(edge: Edge) -> None:
    assert edge.get(ORDERS, headers=bearer(edge.issuer.token(split=True))).status == 200

    large = edge.issuer.token(split=True, claims={"roles": ["x" * 20] * 40})
    reply = edge.get(ORDERS, headers=bearer(large))

    assert (reply.status, "1000 bytes" in str(reply.json(dict)["detail"])) == (431, True)


@pytest.mark.edgeworker(
    variables={
        "ISSUER": "https://issuer.example.net",
        "AUDIENCE": ["https://api.example.com"],
        "SCOPE": "read write",
    }
)
def test_issuer_audience_and_scope_are_checked_where_they_are_set(edge: Edge) -> None:
    good = edge.issuer.token(split=True, aud=["https://api.example.com"], scope="write read more")
    assert edge.get(ORDERS, headers=bearer(good)).status == 200

    for variant in ("wrong issuer", "issuer with a slash", "wrong audience", "audience is a part"):
        assert edge.get(ORDERS, headers=bearer(edge.issuer.bad(variant, split=True))).status == 401

    reply = edge.get(ORDERS, headers=bearer(edge.issuer.token(split=True, scope="read")))
    assert (reply.status, reply.headers.get("cache-control")) == (403, "no-store")
    challenge = reply.headers.get("www-authenticate") or ""
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="read write"' in challenge


@pytest.mark.edgeworker(variables={"MISSES_PER_MINUTE": 3})
def test_misses_of_one_client_are_limited_for_a_while(edge: Edge, clock: MovableClock) -> None:
    statuses = [edge.get(ORDERS, headers=bearer(f"x{number}")).status for number in range(4)]
    assert statuses == [401, 401, 401, 429]

    reply = edge.get(ORDERS, headers=bearer("x9"))
    wait = int(reply.headers.get("retry-after") or "0")
    assert 0 < wait <= 60
    assert edge.get(ORDERS, headers=bearer("x9"), ip="192.0.2.2").status == 401
    clock.advance(wait)
    assert edge.get(ORDERS, headers=bearer("x9")).status == 401


@pytest.mark.parametrize(
    ("name", "value"),
    [("KEY_ENCODING", "base32"), ("CLOCK_LEEWAY_SECONDS", "soon"), ("JWKS", {"keys": []}), ("JWKS_URL", "nowhere")],
)
def test_a_wrong_setting_stops_the_script_from_loading_and_is_named(name: str, value: str) -> None:
    with (
        Edge(Path(__file__).parent, variables={name: value}) as edge,
        pytest.raises(ScriptError, match=f"SettingError: {name}: "),
    ):
        edge.get(ORDERS)


def test_with_a_key_set_a_poisoned_payload_does_not_pass(edge: Edge) -> None:
    with Edge(Path(__file__).parent, variables={"JWKS": edge.issuer.jwks()}) as verifying:
        good, other = verifying.issuer.token(split=True), verifying.issuer.token(sub="admin", split=True)
        assert verifying.get(ORDERS, headers=bearer(good)).status == 200

        verifying.kv("TOKENS").put(good.key or "", other.published_value or "")

        assert verifying.get(ORDERS, headers=bearer(good)).status == 401
        assert any("ALARM" in line.text for line in verifying.logs)
        assert len(verifying.origin.requests) == 1


@FETCHES_KEYS
@pytest.mark.parametrize(
    "variant", ["wrong key", "unknown kid", "tampered payload", "tampered signature", "PS256 with an RS256 key"]
)
def test_who_has_the_issuers_keys_sees_a_bad_signature(edge: Edge, origin: Origin, variant: str) -> None:
    edge.issuer.serve()

    assert edge.get(ORDERS, headers=bearer(edge.issuer.bad(variant, split=True))).status == 401
    assert to_the_api(origin) == []


@FETCHES_KEYS
def test_keys_are_fetched_once_and_followed_when_they_change(edge: Edge, origin: Origin) -> None:
    served = edge.issuer.serve()
    token = edge.issuer.token(split=True)
    assert [edge.get(ORDERS, headers=bearer(token)).status for _ in range(3)] == [200] * 3
    assert len(served.requests) == 1
    assert served.requests[0].headers.get("authorization") is None

    rotated = json.loads(json.dumps(edge.issuer.jwks()).replace('"kid": "', '"kid": "new-'))
    changed = origin.on(edge.issuer.jwks_url, json=rotated)
    renamed = edge.issuer.token(split=True, headers={"kid": rotated["keys"][0]["kid"]})
    assert edge.get(ORDERS, headers=bearer(renamed)).status == 200
    for kid in ("three", "four"):
        unknown = edge.issuer.token(split=True, headers={"kid": kid})
        assert edge.get(ORDERS, headers=bearer(unknown)).status == 401
    assert len(changed.requests) == 1


@FETCHES_KEYS
@pytest.mark.parametrize(
    ("status", "location", "body"),
    [(500, "", ""), (302, "https://evil.example/jwks", ""), (200, "", "<html>"), (200, "", '{"keys":[]}')],
)
def test_without_good_keys_nothing_passes(edge: Edge, origin: Origin, status: int, location: str, body: str) -> None:
    origin.on(edge.issuer.jwks_url, status=status, headers={"Location": location} if location else None, body=body)

    reply = edge.get(ORDERS, headers=bearer(edge.issuer.token(split=True)))

    assert (reply.status, reply.headers.get("retry-after")) == (503, "5")
    assert to_the_api(origin) == []
    assert any("keys cannot be used" in line.text for line in edge.logs)


@FETCHES_KEYS
@pytest.mark.parametrize("failure", [520, 521, 522, 523, 524])
def test_an_issuer_that_is_down_is_told_as_such(edge: Edge, origin: Origin, failure: int) -> None:
    origin.fail(edge.issuer.jwks_url, failure)

    assert edge.get(ORDERS, headers=bearer(edge.issuer.token(split=True))).status == 503


@FETCHES_KEYS
def test_an_endless_key_set_is_not_read_to_its_end(edge: Edge, origin: Origin) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b" " * 65_536

    origin.on(edge.issuer.jwks_url, body=endless())

    assert edge.get(ORDERS, headers=bearer(edge.issuer.token(split=True))).status == 503
    assert sent < 1_000_000


def test_nothing_is_stored_but_header_and_payload(edge: Edge, kv: KVByName) -> None:
    token = edge.issuer.token(split=True)
    edge.get(ORDERS, headers=bearer(token))

    assert [kv("TOKENS").get(key) for key in kv("TOKENS")] == [token.published_value]
