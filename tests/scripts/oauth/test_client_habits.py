"""What strict and careless clients send, one test for each habit."""

import json
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from edgeworker.config import JSON
from edgeworker.testing import Reply
from issuer import records, users
from tests.scripts.oauth import token_stage
from tests.scripts.oauth.auth_stage import (
    ISSUER,
    PASSWORD,
    Stage,
    answered,
    request,
    set_up,
)
from tests.scripts.oauth.test_authorization_code_grant import refused
from tests.scripts.oauth.test_end_marks import code_of, exchange
from tests.scripts.oauth.token_stage import API, START, basic, bearer


@pytest.fixture
def stage() -> Iterator[Stage]:
    with set_up(workers=("auth", "token")) as made:
        yield made


@pytest.fixture
def server() -> Iterator[token_stage.Stage]:
    with token_stage.set_up() as made:
        yield made


def granted(stage: Stage, code: str) -> records.Code:
    record = records.load(records.Code, stage.edge.kv("CODES").get(records.code_key(code)) or "")
    assert record is not None
    return record


# Scope and resource


@pytest.mark.parametrize("scope", ["openid orders.read admin", " openid   orders.read ", "openid orders.read openid"])
def test_unknown_scopes_and_stray_spaces_are_ignored(stage: Stage, scope: str) -> None:
    browser = stage.logged_in(request(scope=scope))
    code = answered(browser.submit(decision="allow"))["code"]

    assert granted(stage, code).scope == ("openid", "orders.read")
    assert exchange(stage, code).json(dict)["scope"] == "openid orders.read"


@pytest.mark.parametrize(
    "resource", ["https://api.example.com", "https://api.example.com/", "HTTPS://API.example.com:443/"]
)
def test_a_resource_may_have_the_slash_of_a_url(stage: Stage, resource: str) -> None:
    browser = stage.logged_in(request(resource=resource))
    code = answered(browser.submit(decision="allow"))["code"]

    assert granted(stage, code).resource == ("https://api.example.com",)


@pytest.mark.parametrize("resource", [f"{API}/", API])
def test_a_token_request_may_have_it_too(server: token_stage.Stage, resource: str) -> None:
    tokens = server.exchange(server.code(resource=(API,)), resource=resource).json(dict)

    assert server.introspect(tokens["access_token"])["aud"] == API
    refreshed = server.refresh(tokens["refresh_token"], resource=resource).json(dict)
    assert server.introspect(refreshed["access_token"])["aud"] == API


@pytest.mark.parametrize("parameter", ["charset=ISO-8859-1", 'charset="utf-8"', "charset=utf8; x=y", ""])
def test_a_page_takes_forms_with_any_charset_parameter(stage: Stage, parameter: str) -> None:
    browser = stage.browser()
    browser.open("/login")
    kind = {"Content-Type": f"application/x-www-form-urlencoded; {parameter}"}

    reply = browser.submit(headers=kind, email="ann@example.com", password=PASSWORD, action="login")
    assert "You are signed in" in reply.text


# Keys of clients

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def public(document: str, **more: JSON) -> dict[str, JSON]:
    member: dict[str, JSON] = json.loads(document)
    member.pop("key_ops", None)
    return {**member, **more}


PUBLIC = {
    "RSA": public(RSAAlgorithm.to_jwk(RSA_KEY.public_key())),
    "EC": public(ECAlgorithm.to_jwk(EC_KEY.public_key())),
    "OKP": public(OKPAlgorithm.to_jwk(ED_KEY.public_key())),
}


@pytest.mark.parametrize(
    ("algorithm", "jwks", "kid", "status"),
    [
        ("PS256", [{**PUBLIC["RSA"], "kid": "1"}], "1", 200),
        ("RS256", [{**PUBLIC["RSA"], "kid": "1"}], "1", 200),
        ("PS256", [{**PUBLIC["RSA"], "kid": "1", "alg": "RS256"}], "1", 401),
        ("Ed25519", [{**PUBLIC["OKP"], "kid": "1"}], "1", 200),
        ("EdDSA", [{**PUBLIC["OKP"], "kid": "1", "alg": "Ed25519"}], "1", 200),
        ("ES256", [PUBLIC["RSA"], PUBLIC["EC"]], None, 200),
        ("RS256", [PUBLIC["RSA"], PUBLIC["EC"]], "any", 200),
    ],
)
def test_a_clients_key_may_lack_alg_and_kid(
    algorithm: str, jwks: list[dict[str, JSON]], kid: str | None, status: int
) -> None:
    listed: list[JSON] = list(jwks)
    signer: dict[str, JSON] = {
        "client_id": "signer",
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["client_credentials"],
        "scope": "orders.read",
        "jwks": {"keys": listed},
    }
    payload = {"iss": "signer", "sub": "signer", "aud": ISSUER, "exp": START + 60, "jti": f"{algorithm}{kid}"}
    jws = jwt.PyJWS()
    jws.register_algorithm("Ed25519", OKPAlgorithm())
    key = {"E": ED_KEY if algorithm.startswith("Ed") else EC_KEY}.get(algorithm[0], RSA_KEY)
    header = {"typ": "JWT", **({} if kid is None else {"kid": kid})}
    assertion = jws.encode(json.dumps(payload).encode(), key, algorithm, headers=header)
    with token_stage.set_up(token_stage.variables(CLIENTS=[signer])) as server:
        fields = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
        }

        assert server.post("/token", fields).status == status


# What is told to clients


@pytest.mark.parametrize(
    "path",
    [
        "/jwks",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource",
    ],
)
@pytest.mark.parametrize("origin", [None, "https://app.example.com"])
def test_metadata_and_keys_may_be_read_by_every_page(server: token_stage.Stage, path: str, origin: str | None) -> None:
    reply = server.edge.get(ISSUER + path, headers={} if origin is None else {"Origin": origin})

    assert (reply.status, reply.headers.get("access-control-allow-origin")) == (200, "*")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/token-introspection+jwt", "application/token-introspection+jwt"),
        ("application/json, application/jwt", "application/jwt"),
        ("application/json, application/jwt;q=0", "application/json"),
        ("application/jwt; q=0.0, */*", "application/json"),
        ("application/json, application/jwt;q=0.5", "application/json"),
        ("application/json;q=0.5, application/jwt", "application/jwt"),
        ("*/*", "application/json"),
        ("text/html", "application/json"),
        ("application/jwt;q=nonsense", "application/json"),
    ],
)
def test_introspection_honours_qualities(server: token_stage.Stage, accept: str, kind: str) -> None:
    token = str(server.tokens()["access_token"])

    reply = server.post("/introspect", {"token": token}, {**basic("shop"), "Accept": accept})
    assert (reply.status, reply.headers.get("content-type")) == (200, kind)


def test_a_name_that_is_empty_is_not_told(server: token_stage.Stage) -> None:
    server.add(users.parse(users.record(server.ann) | {"name": ""}))
    token = server.tokens(scope=("openid", "profile"))["access_token"]

    told = server.edge.get(f"{ISSUER}/userinfo", headers=bearer(token)).json(dict)
    assert told == {"sub": server.ann.id}


def test_claims_of_a_user_are_in_id_tokens_and_userinfo(server: token_stage.Stage) -> None:
    server.add(users.parse(users.record(server.ann) | {"claims": {"team": "red", "groups": ["a"]}}))
    for scope, told in ((("openid", "profile"), True), (("openid",), False)):
        tokens = server.tokens(scope=scope)
        refreshed = server.refresh(tokens["refresh_token"]).json(dict)
        userinfo = server.edge.get(f"{ISSUER}/userinfo", headers=bearer(tokens["access_token"])).json(dict)
        for claims in (
            token_stage.claims(tokens["id_token"]),
            token_stage.claims(refreshed["id_token"]),
            userinfo,
        ):
            assert (claims.get("team") == "red", claims.get("groups") == ["a"]) == (told, told)
            assert claims["sub"] == server.ann.id


# Limits and refusals


def authenticate_wrongly(server: token_stage.Stage, address: str) -> Reply:
    headers = {**token_stage.FORM, **basic("shop", "wrong")}
    body = urlencode({"grant_type": "client_credentials"})
    return server.edge.post(f"{ISSUER}/token", headers=headers, body=body, ip=address)


def test_a_client_cannot_evade_a_limit_within_its_own_64(server: token_stage.Stage) -> None:
    for number in range(30):
        assert refused(authenticate_wrongly(server, f"2001:db8::{number:x}"), "invalid_client", 401)

    reply = authenticate_wrongly(server, "2001:db8::ffff:1")
    assert refused(reply, "temporarily_unavailable", 429)
    assert reply.headers.get("retry-after") == "60"
    assert authenticate_wrongly(server, "2001:db8:0:1::1").status == 401
    assert authenticate_wrongly(server, "::ffff:198.51.100.7").status == 401


def test_the_rate_limit_of_the_token_endpoint_is_for_a_whole_64(server: token_stage.Stage) -> None:
    def send(address: str) -> Reply:
        headers = {"Content-Type": "text/plain"}
        return server.edge.post(f"{ISSUER}/token", headers=headers, body="", ip=address)

    assert {send(f"2001:db8::{number:x}").status for number in range(600)} == {400}

    assert refused(send("2001:db8::ffff:1"), "temporarily_unavailable", 429)
    assert send("2001:db8:0:1::1").status == 400


def test_an_unauthenticated_client_always_gets_a_challenge(server: token_stage.Stage) -> None:
    """RFC 9110 section 15.5.2: a 401 has WWW-Authenticate."""
    fields: list[dict[str, str | None]] = [
        {"grant_type": "client_credentials"},
        {"grant_type": "client_credentials", "client_id": "posting", "client_secret": "wrong"},
        {"grant_type": "client_credentials", "client_id": "unknown"},
    ]
    for sent in fields:
        reply = server.post("/token", sent)
        assert refused(reply, "invalid_client", 401)
        assert (reply.headers.get("www-authenticate") or "").startswith("Basic realm=")


def test_a_request_without_a_token_gets_no_error_code(server: token_stage.Stage) -> None:
    """RFC 6750 section 3.1."""
    reply = server.edge.get(f"{ISSUER}/userinfo")

    assert reply.status == 401
    assert "error" not in reply.json(dict)
    assert "error=" not in (reply.headers.get("www-authenticate") or "")


@pytest.mark.parametrize("path", ["/authorize", "/login", "/logout", "/signup"])
def test_head_changes_nothing(stage: Stage, path: str) -> None:
    browser = stage.logged_in()
    code_of(browser)  # from now on a GET would be answered with a code at once
    before = stage.stored()
    query = urlsplit(request()).query
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())

    reply = stage.edge.request("HEAD", f"{ISSUER}{path}?{query}", headers={"Cookie": cookie})

    assert "code=" not in (reply.headers.get("location") or "")
    assert reply.headers.get_all("set-cookie") == []
    assert stage.stored() == before
    assert answered(browser.open(request(), follow=False))["code"]
