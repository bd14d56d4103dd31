"""The split-token gateway: the decision table, the cured defects, the attacks."""

import re

import pytest

from edgeworker.testing import (
    BAD_FORMS,
    BAD_TIMES,
    Edge,
    FaultInjection,
    Headers,
    KVByName,
    MovableClock,
    Origin,
    OriginRequest,
    Reply,
    Response,
)

ORDERS = "https://api.example.com/orders"
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def bearer(token: object) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def challenge(reply: Reply) -> dict[str, str]:
    """The parameters of the Bearer challenge, which is one and well formed."""
    value = reply.headers.get("www-authenticate") or ""
    assert re.fullmatch(r'Bearer \w+="[^"\\]*"(?:, \w+="[^"\\]*")*', value), value
    return dict(re.findall(r'(\w+)="([^"]*)"', value))


def is_refused(reply: Reply, *, error: str | None) -> bool:
    assert reply.status == 401
    assert reply.headers.get("cache-control") == "no-store"
    assert reply.headers.get("content-type") == "application/problem+json"
    assert reply.json(dict)["status"] == 401
    assert challenge(reply)["realm"] == "api"
    return challenge(reply).get("error") == error


def test_the_api_gets_the_whole_token_of_the_signature(edge: Edge, origin: Origin) -> None:
    token = edge.issuer.token(split=True)
    origin.on("/orders", body="fine")

    reply = edge.post(ORDERS, headers=bearer(token), body=b"content")

    assert (reply.status, reply.text) == (200, "fine")
    (asked,) = origin.requests
    assert (asked.method, asked.url, asked.body) == ("POST", ORDERS, b"content")
    assert asked.headers.get("authorization") == f"Bearer {token.jwt}"


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer   "])
def test_the_scheme_has_no_case_and_may_be_followed_by_spaces(edge: Edge, origin: Origin, scheme: str) -> None:
    token = edge.issuer.token(split=True)

    assert edge.get(ORDERS, headers={"Authorization": f"{scheme}{token}"}).status == 200
    assert origin.requests[0].headers.get("authorization") == f"Bearer {token.jwt}"


@pytest.mark.parametrize("authorization", [None, "Basic dXNlcjpwYXNz", "bVklC4cw", "Bearerx"])
def test_without_bearer_credentials_the_challenge_has_no_error(
    edge: Edge, origin: Origin, authorization: str | None
) -> None:
    reply = edge.get(ORDERS, headers={} if authorization is None else {"Authorization": authorization})

    assert is_refused(reply, error=None)
    assert challenge(reply) == {"realm": "api"}
    assert origin.requests == []


@pytest.mark.parametrize(
    "credentials", ["", "unknown", "a b", "a,b", "x" * 2049, "x=", "x==", "a.b", "a.b.c.d", ".", ".."]
)
def test_what_is_not_a_published_token_is_refused(edge: Edge, origin: Origin, credentials: str) -> None:
    assert is_refused(edge.get(ORDERS, headers=bearer(credentials)), error="invalid_token")
    assert origin.requests == []


def test_the_whole_token_is_refused_and_so_is_a_padded_or_respelled_signature(edge: Edge, origin: Origin) -> None:
    token = edge.issuer.token(split=True)
    signature = str(token)
    # The last of 342 characters carries four bits: these spell the same bytes.
    respelled = signature[:-1] + BASE64URL[BASE64URL.index(signature[-1]) ^ 1]

    for credentials in (token.jwt, signature + "==", respelled, signature[:-1], signature + "A"):
        assert is_refused(edge.get(ORDERS, headers=bearer(credentials)), error="invalid_token")
    assert origin.requests == []


def test_two_authorization_fields_never_pass(edge: Edge, origin: Origin) -> None:
    field = ("Authorization", f"Bearer {edge.issuer.token(split=True)}")

    assert edge.get(ORDERS, headers=[field, field]).status in (400, 401)
    assert origin.requests == []


@pytest.mark.parametrize("variant", BAD_TIMES)
def test_an_entry_in_kv_does_not_make_a_token_valid(edge: Edge, origin: Origin, variant: str) -> None:
    reply = edge.get(ORDERS, headers=bearer(edge.issuer.bad(variant, split=True)))

    assert is_refused(reply, error="invalid_token")
    assert origin.requests == []


# "padded" and "spare bits set" are other texts of a good signature, published under that text: a publisher's affair.
@pytest.mark.parametrize("variant", [variant for variant in BAD_FORMS if variant != "spare bits set"])
def test_what_is_not_a_token_does_not_pass_as_one(edge: Edge, origin: Origin, variant: str) -> None:
    reply = edge.get(ORDERS, headers=bearer(str(edge.issuer.bad(variant, split=True)).replace("\n", "")))

    assert is_refused(reply, error="invalid_token")
    assert origin.requests == []


@pytest.mark.parametrize(
    ("claims", "detail"),
    [
        ({"exp": 1}, "expired"),
        ({"exp": None}, "no expiry"),
        ({"exp": "4102444800"}, "not a number"),
        ({"exp": True}, "not a number"),
        ({"nbf": 4102444800}, "not valid yet"),
    ],
)
def test_the_refusal_tells_what_is_wrong_with_the_times(
    edge: Edge, claims: dict[str, int | str | None], detail: str
) -> None:
    reply = edge.get(ORDERS, headers=bearer(edge.issuer.token(split=True, claims=claims)))

    assert detail in str(reply.json(dict)["detail"])


def test_a_token_works_until_the_second_of_its_expiry_and_then_no_more(edge: Edge, clock: MovableClock) -> None:
    token = edge.issuer.token(split=True, ttl_seconds=30)  # the entry itself stays for a minute

    clock.advance(29)
    assert edge.get(ORDERS, headers=bearer(token)).status == 200
    clock.advance(1)
    assert is_refused(edge.get(ORDERS, headers=bearer(token)), error="invalid_token")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a",
        "a.b.c",
        "a.e30\r\nX-Admin: 1",
        " eyJhbGciOiJSUzI1NiJ9.e30",
        "eyJhbGciOiJSUzI1NiJ9.e31",
        "eyJhbGciOiJSUzI1NiJ9.bm90IGpzb24",
        "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjEsImV4cCI6OTk5OTk5OTk5OX0",
        "x" * 20_000,
    ],
)
def test_a_poisoned_entry_is_a_miss_and_an_alarm(edge: Edge, kv: KVByName, origin: Origin, value: str) -> None:
    token = edge.issuer.token(split=True)
    key = token.key or ""
    kv("TOKENS").put(key, value)

    reply = edge.get(ORDERS, headers=bearer(token))

    assert is_refused(reply, error="invalid_token")
    assert reply.json(dict)["detail"] == "The access token is not known"
    assert origin.requests == []
    logged = "\n".join(line.text for line in edge.logs)
    assert "ALARM" in logged
    assert key[:22] in logged
    assert key not in logged
    assert str(token) not in logged


def test_a_revoked_token_is_refused_at_once(edge: Edge, kv: KVByName) -> None:
    token = edge.issuer.token(split=True)
    assert edge.get(ORDERS, headers=bearer(token)).status == 200

    kv("TOKENS").delete(token.key or "")

    assert is_refused(edge.get(ORDERS, headers=bearer(token)), error="invalid_token")


@pytest.mark.edgeworker(faults=FaultInjection(kv_failures=1.0))
def test_without_kv_nothing_passes(edge: Edge, origin: Origin) -> None:
    reply = edge.get(ORDERS, headers=bearer(edge.issuer.token(split=True)))

    assert (reply.status, reply.headers.get("retry-after")) == (503, "1")
    assert "on purpose" not in reply.text
    assert origin.requests == []


@pytest.mark.edgeworker(faults=FaultInjection(kv_eventual_seconds=60, seed=1))
def test_a_token_that_has_not_arrived_yet_is_unknown_and_works_later(edge: Edge, clock: MovableClock) -> None:
    edge.get(ORDERS)
    token = edge.issuer.token(split=True)

    assert is_refused(edge.get(ORDERS, headers=bearer(token)), error="invalid_token")
    clock.advance(120)  # a missing key is remembered for as long as a write may be on its way
    assert edge.get(ORDERS, headers=bearer(token)).status == 200


@pytest.mark.parametrize(
    "name",
    ["Cf-Access-Jwt-Assertion", "X-Auth-User", "X_Auth_User", "X-Forwarded-User", "Forwarded", "TE", "Upgrade"],
)
def test_fields_that_a_client_may_not_set_do_not_reach_the_api(edge: Edge, origin: Origin, name: str) -> None:
    edge.get(ORDERS, headers={**bearer(edge.issuer.token(split=True)), name: "admin"})

    assert not origin.requests[0].headers.has(name)


def test_what_connection_names_goes_no_further(edge: Edge, origin: Origin) -> None:
    token = edge.issuer.token(split=True)

    edge.get(ORDERS, headers={**bearer(token), "Connection": "close, x-b3", "X-B3": "1"})

    assert origin.requests[0].headers.get("authorization") == f"Bearer {token.jwt}"
    assert not origin.requests[0].headers.has("x-b3")


def test_a_connection_field_cannot_make_a_request_pass_without_its_token(edge: Edge, origin: Origin) -> None:
    token = edge.issuer.token(split=True)

    reply = edge.get(ORDERS, headers={**bearer(token), "Connection": "authorization"})

    # The edge in front of the script drops what Connection names already, so the script sees no token.
    passed = [asked.headers.get("authorization") for asked in origin.requests]
    assert (reply.status, passed) in [(401, []), (200, [f"Bearer {token.jwt}"])]


def test_forwarding_fields_are_what_the_edge_knows(edge: Edge, origin: Origin) -> None:
    headers = {**bearer(edge.issuer.token(split=True)), "X-Forwarded-For": "10.0.0.1"}

    edge.get(ORDERS, headers=headers, ip="203.0.113.9")

    sent = origin.requests[0].headers
    assert sent.get("x-forwarded-for") == "203.0.113.9"
    assert (sent.get("x-forwarded-proto"), sent.get("x-forwarded-host")) == ("https", "api.example.com")


def test_a_redirect_of_the_api_goes_to_the_client_unfollowed(edge: Edge, origin: Origin) -> None:
    origin.on("/orders", status=302, headers={"Location": "https://evil.example/"})

    reply = edge.get(ORDERS, headers=bearer(edge.issuer.token(split=True)))

    assert (reply.status, reply.headers.get("location")) == (302, "https://evil.example/")
    assert (len(origin.requests), origin.refused) == (1, [])


def test_the_answer_tells_nothing_of_the_joined_token(edge: Edge, origin: Origin) -> None:
    def refuse(request: OriginRequest) -> Response:
        told = f'Bearer error="invalid_token", error_description="{request.headers.get("authorization")}"'
        return Response(401, Headers({"WWW-Authenticate": told}), b"no")

    origin.on("/orders", refuse)
    token = edge.issuer.token(split=True)

    reply = edge.get(ORDERS, headers=bearer(token))

    assert reply.text == "no"
    assert challenge(reply)["error"] == "invalid_token"
    for part in token.jwt.split("."):
        assert all(part not in value for _, value in reply.headers)
    assert reply.headers.get("cache-control") == "no-store"


def test_a_shared_cache_keeps_the_answers_of_clients_apart(edge: Edge, origin: Origin) -> None:
    kept = [("Cache-Control", "public, max-age=60"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    origin.on("/orders", headers=kept, body="fine")

    reply = edge.get(ORDERS, headers=bearer(edge.issuer.token(split=True)))

    assert reply.headers.get("vary") == "Authorization"
    assert reply.headers.get_set_cookie() == ["a=1", "b=2"]
    assert reply.text == "fine"


def test_an_api_that_is_down_is_told_as_such(edge: Edge, origin: Origin) -> None:
    origin.reset("/orders")

    assert edge.get(ORDERS, headers=bearer(edge.issuer.token(split=True))).status == 520
