"""scripts/protected_api from outside: who may do what with records, and what it says of itself."""

import json
from collections.abc import AsyncIterator

import pytest
from werkzeug.datastructures import WWWAuthenticate

from edgeworker.config import JSON
from edgeworker.errors import ScriptError
from edgeworker.host.bundled import script
from edgeworker.testing import Edge, FaultInjection, KVByName, MovableClock, Origin, Reply, single_worker
from edgeworker.testing.issuer import DEFAULT_AUDIENCE, DEFAULT_URL, TokenIssuer, signing_key
from tests.cycles import no_error_keeps_itself

API = "https://api.example.com"
APP = "https://app.example.com"
WORKER = script("protected_api") / "worker.py"
NAMES: dict[str, JSON] = {"ISSUER": DEFAULT_URL, "AUDIENCE": DEFAULT_AUDIENCE}
FIXED: dict[str, JSON] = {
    **NAMES,
    "JWKS": {"keys": [dict(signing_key("RS256").public), dict(signing_key("ES256").public)]},
}
ROUTES = ["api.example.com/*"]
pytestmark = pytest.mark.edgeworker(config=single_worker(WORKER, kv=["RECORDS"], routes=ROUTES, variables=FIXED))
FETCHES = pytest.mark.edgeworker(
    config=single_worker(
        WORKER, kv=["RECORDS"], routes=ROUTES, variables={**NAMES, "JWKS_URL": f"{DEFAULT_URL}/.well-known/jwks.json"}
    )
)

BOTH = "records.read records.write"


def bearer(issuer: TokenIssuer, scope: str | None = BOTH, sub: str = "alice") -> dict[str, str]:
    return {"Authorization": f"Bearer {issuer.token(scope=scope, sub=sub)}"}


def challenge(reply: Reply) -> dict[str, str]:
    parsed = WWWAuthenticate.from_header(reply.headers.get("www-authenticate") or "")
    assert parsed is not None
    assert parsed.type == "bearer"
    return {name: value or "" for name, value in parsed.parameters.items()}


def test_a_record_is_made_read_replaced_listed_and_removed(edge: Edge, clock: MovableClock) -> None:
    headers = bearer(edge.issuer)

    made = edge.post(f"{API}/records", headers=headers, json={"a": 1})
    assert made.status == 201
    name = str(made.json(dict)["id"])
    assert made.headers.get("location") == f"/records/{name}"
    read = edge.get(f"{API}/records/{name}", headers=headers)
    assert (read.status, read.json(dict)["content"]) == (200, {"a": 1})
    assert read.headers.get("cache-control") == "no-store"
    assert edge.put(f"{API}/records/mine", headers=headers, json={"b": "ä"}).status == 200
    assert sorted(edge.get(f"{API}/records", headers=headers).json(dict)["records"]) == sorted([name, "mine"])
    assert edge.delete(f"{API}/records/mine", headers=headers).status == 204
    assert edge.get(f"{API}/records/mine", headers=headers).status == 404
    assert edge.delete(f"{API}/records/mine", headers=headers).status == 404


def test_a_list_is_read_in_pages(edge: Edge) -> None:
    headers = bearer(edge.issuer)
    for number in range(5):
        edge.put(f"{API}/records/r{number}", headers=headers, json={})

    first = edge.get(f"{API}/records?limit=3", headers=headers).json(dict)
    rest = edge.get(f"{API}/records?limit=3&cursor={first['cursor']}", headers=headers).json(dict)

    assert first["records"] + rest["records"] == [f"r{number}" for number in range(5)]
    assert rest["cursor"] is None


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "limit=-1", "cursor=%00", "cursor=" + "x" * 2000]
)
def test_a_page_that_cannot_be_is_a_bad_request(edge: Edge, query: str) -> None:
    assert edge.get(f"{API}/records?{query}", headers=bearer(edge.issuer)).status == 400


def test_no_one_sees_or_touches_the_records_of_another_subject(edge: Edge, kv: KVByName) -> None:
    edge.put(f"{API}/records/r", headers=bearer(edge.issuer), json={"secret": 1})
    other = bearer(edge.issuer, sub="bob")

    assert edge.get(f"{API}/records", headers=other).json(dict)["records"] == []
    assert edge.get(f"{API}/records/r", headers=other).status == 404
    assert edge.delete(f"{API}/records/r", headers=other).status == 404
    assert edge.put(f"{API}/records/r", headers=other, json={}).status == 200
    assert edge.get(f"{API}/records/r", headers=bearer(edge.issuer)).json(dict)["content"] == {"secret": 1}
    assert len(kv("RECORDS").keys()) == 2
    assert not any("alice" in key for key in kv("RECORDS"))


def test_what_another_writer_put_into_the_namespace_is_not_told(edge: Edge, kv: KVByName) -> None:
    edge.put(f"{API}/records/r", headers=bearer(edge.issuer), json={})
    (key,) = kv("RECORDS").keys()
    kv("RECORDS").put(key, '{"t":"code","content":{"secret":1}}')

    reply = edge.get(f"{API}/records/r", headers=bearer(edge.issuer))

    assert (reply.status, "secret" in reply.text) == (404, False)


@pytest.mark.parametrize(
    ("method", "path", "scope", "status"),
    [
        ("GET", "/records", "records.read", 200),
        ("HEAD", "/records", "records.read", 200),
        ("GET", "/records", "records.write", 403),
        ("HEAD", "/records", "records.write", 403),
        ("GET", "/records/x", "records.write", 403),
        ("GET", "/records", "recordsXread records.reads", 403),
        ("GET", "/records", None, 403),
        ("POST", "/records", "records.read", 403),
        ("PUT", "/records/x", "records.read", 403),
        ("DELETE", "/records/x", "records.read", 403),
        ("DELETE", "/records/x", "records.write", 404),
        ("GET", "/claims", None, 200),
    ],
)
def test_each_request_needs_its_scope(edge: Edge, method: str, path: str, scope: str | None, status: int) -> None:
    reply = edge.request(method, API + path, headers=bearer(edge.issuer, scope))

    assert reply.status == status
    if status == 403:
        told = challenge(reply)
        assert told["error"] == "insufficient_scope"
        assert told["scope"] == ("records.read" if method in ("GET", "HEAD") else "records.write")


def test_scopes_are_a_setting(edge: Edge) -> None:
    table: dict[str, JSON] = {"/claims": "profile", "GET /claims": "openid email", "/*": ""}
    config = single_worker(WORKER, kv=["RECORDS"], routes=ROUTES, variables={**FIXED, "SCOPES": table})
    with Edge(config) as other:
        enough = other.get(f"{API}/claims", headers=bearer(other.issuer, "openid profile email"))
        missing = other.get(f"{API}/claims", headers=bearer(other.issuer, "openid profile"))

    assert (enough.status, missing.status) == (200, 403)
    assert challenge(missing)["scope"] == "email openid profile"


def test_without_a_token_the_challenge_tells_where_to_get_one(edge: Edge) -> None:
    refused = edge.get(f"{API}/claims")

    assert refused.status == 401
    metadata_url = "https://api.example.com/.well-known/oauth-protected-resource"
    assert challenge(refused) == {"realm": "api", "resource_metadata": metadata_url}
    assert edge.get(metadata_url).json(dict) == {
        "resource": DEFAULT_AUDIENCE,
        "authorization_servers": [DEFAULT_URL],
        "scopes_supported": ["records.read", "records.write"],
        "bearer_methods_supported": ["header"],
    }


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer a.b.c"}], ids=["none", "malformed"])
def test_a_refused_request_leaves_no_cycle(edge: Edge, headers: dict[str, str]) -> None:
    with no_error_keeps_itself():
        assert edge.get(f"{API}/claims", headers=headers).status == 401


@pytest.mark.edgeworker(variables={"RESOURCE": "https://api.example.com/v1/"})
def test_the_metadata_of_a_resource_with_a_path_lies_between_host_and_path(edge: Edge) -> None:
    url = challenge(edge.get(f"{API}/claims"))["resource_metadata"]

    assert url == "https://api.example.com/.well-known/oauth-protected-resource/v1"
    assert edge.get(url).json(dict)["resource"] == "https://api.example.com/v1/"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"{}", "application/json; charset=utf-8", 201),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"a":1,"a":2}', "application/json", 400),
        (b'{"a":NaN}', "application/json", 400),
        (b'{"a":1e999}', "application/json", 400),
        (b'{"a":"\\ud800"}', "application/json", 400),
        (b'{"a":"\xff"}', "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b'{"a":"' + b"x" * 65_536 + b'"}', "application/json", 413),
    ],
)
def test_a_body_that_is_not_a_record_is_refused(edge: Edge, body: bytes, kind: str, status: int) -> None:
    headers = {**bearer(edge.issuer), **({"Content-Type": kind} if kind else {})}

    assert edge.post(f"{API}/records", headers=headers, body=body).status == status


def test_an_endless_body_is_not_read_to_its_end(edge: Edge) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 50_000_000:
            sent += 65_536
            yield b" " * 65_536

    headers = {**bearer(edge.issuer), "Content-Type": "application/json"}

    assert edge.run(edge.fetch(f"{API}/records", method="POST", headers=headers, body=endless())).status == 413
    assert sent < 1_000_000


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PATCH", "/records/x", 405),
        ("DELETE", "/records", 405),
        ("BREW", "/records", 405),
        ("POST", "/claims", 405),
        ("GET", "/", 404),
        ("GET", "/records/" + "x" * 65, 404),
        ("GET", "/records/a.b", 404),
        ("GET", "/records/a/b", 404),
        ("GET", "/records/", 404),
        ("GET", "//records/x", 400),
        ("GET", "/records/%2fx", 400),
        ("GET", "/records;x=1", 400),
    ],
)
def test_there_is_nothing_else(edge: Edge, method: str, path: str, status: int) -> None:
    reply = edge.request(method, API + path, headers=bearer(edge.issuer))

    assert reply.status == status
    assert (reply.headers.get("allow") is not None) is (status == 405)


@pytest.mark.parametrize("path", ["/", "/claims", "/records", "/nothing", "/.well-known/other"])
def test_no_path_answers_without_a_token(edge: Edge, path: str) -> None:
    assert edge.get(API + path).status == 401


@pytest.mark.edgeworker(variables={"CORS_ORIGINS": APP})
def test_a_page_can_call_and_read(edge: Edge) -> None:
    asked = {"Origin": APP, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}
    assert edge.options(f"{API}/records/x", headers=asked).status == 204
    for headers in ({}, bearer(edge.issuer)):
        reply = edge.get(f"{API}/claims", headers={**headers, "Origin": APP})
        assert reply.headers.get("access-control-allow-origin") == APP


def test_claims_are_told_in_ascii(edge: Edge) -> None:
    token = edge.issuer.token(claims={"name": "\r\nX: 1\u202e\0"})

    reply = edge.get(f"{API}/claims", headers={"Authorization": f"Bearer {token}"})

    assert reply.json(dict)["name"] == "\r\nX: 1\u202e\0"
    assert reply.text.strip().isprintable()
    assert reply.text.isascii()


@pytest.mark.edgeworker(faults=FaultInjection(kv_failures=1.0))
def test_without_kv_records_cannot_be_had(edge: Edge) -> None:
    reply = edge.get(f"{API}/records", headers=bearer(edge.issuer))

    assert (reply.status, reply.headers.get("retry-after")) == (503, "1")
    assert "on purpose" not in reply.text


@FETCHES
def test_keys_are_fetched_once_and_a_rotated_one_is_found(edge: Edge, origin: Origin) -> None:
    served = edge.issuer.serve()
    for _ in range(3):
        assert edge.get(f"{API}/claims", headers=bearer(edge.issuer)).status == 200
    assert len(served.requests) == 1

    rotated = json.loads(json.dumps(edge.issuer.jwks()).replace('"kid": "', '"kid": "new-'))
    changed = origin.on(edge.issuer.jwks_url, json=rotated)
    token = edge.issuer.token(headers={"kid": rotated["keys"][0]["kid"]})
    assert edge.get(f"{API}/claims", headers={"Authorization": f"Bearer {token}"}).status == 200
    assert len(changed.requests) == 1


@FETCHES
def test_without_keys_nothing_passes_and_with_old_ones_it_does(edge: Edge, origin: Origin, clock: MovableClock) -> None:
    origin.on(edge.issuer.jwks_url, status=500)
    reply = edge.get(f"{API}/claims", headers=bearer(edge.issuer))
    assert (reply.status, reply.headers.get("retry-after")) == (503, "5")

    clock.advance(5)
    edge.issuer.serve()
    assert edge.get(f"{API}/claims", headers=bearer(edge.issuer)).status == 200
    clock.advance(3600)
    origin.on(edge.issuer.jwks_url, status=500)
    assert edge.get(f"{API}/claims", headers=bearer(edge.issuer)).status == 200


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({**FIXED, "ISSUER": ""}, "ISSUER"),
        ({**FIXED, "AUDIENCE": []}, "AUDIENCE"),
        (NAMES, "JWKS_URL"),
        ({**FIXED, "JWKS_URL": "https://issuer/jwks"}, "JWKS_URL"),
        ({**NAMES, "JWKS_URL": "file:///etc/passwd"}, "JWKS_URL"),
        ({**NAMES, "JWKS": {"keys": []}}, "JWKS"),
        ({**NAMES, "JWKS": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}, "JWKS"),
        ({**FIXED, "ALGORITHMS": "HS256"}, "ALGORITHMS"),
        ({**FIXED, "SCOPES": {"records": "a"}}, "SCOPES"),
        ({**FIXED, "SCOPES": {"/records": 'a"b'}}, "SCOPES"),
        ({**FIXED, "SCOPES": {"/records": ["a"]}}, "SCOPES"),
        ({**FIXED, "RESOURCE": "https://api/?x"}, "RESOURCE"),
        ({**FIXED, "TOKEN_TYPE": "a b"}, "TOKEN_TYPE"),
        ({**FIXED, "CLOCK_LEEWAY_SECONDS": 301}, "CLOCK_LEEWAY_SECONDS"),
    ],
)
def test_a_wrong_setting_is_named_before_any_request(variables: dict[str, JSON], named: str) -> None:
    with (
        Edge(single_worker(WORKER, kv=["RECORDS"], routes=ROUTES, variables=variables)) as edge,
        pytest.raises(ScriptError, match=f"SettingError: {named}: "),
    ):
        edge.get(f"{API}/claims")


def test_without_its_namespace_it_does_not_start() -> None:
    with (
        Edge(single_worker(WORKER, routes=ROUTES, variables=FIXED)) as edge,
        pytest.raises(ScriptError, match="SettingError: RECORDS: "),
    ):
        edge.get(f"{API}/claims")
