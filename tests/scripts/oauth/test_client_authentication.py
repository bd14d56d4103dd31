"""Which requests are a client's: one method, the registered one (O6). And what is no token request at all (O12)."""

import json
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from edgeworker.config import JSON
from edgeworker.testing import Reply
from tests.scripts.oauth.auth_stage import ISSUER
from tests.scripts.oauth.test_authorization_code_grant import refused
from tests.scripts.oauth.token_stage import (
    FORM,
    OTHERS,
    SECRET,
    SHOP,
    START,
    Stage,
    basic,
    exchanged,
    set_up,
    variables,
)

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
JWKS: dict[str, JSON] = {
    "keys": [
        {**json.loads(ECAlgorithm.to_jwk(KEY.public_key())), "kid": "1", "alg": "ES256"},
        {**json.loads(RSAAlgorithm.to_jwk(RSA_KEY.public_key())), "kid": "2"},
    ]
}
SIGNER: dict[str, JSON] = {
    "client_id": "signer",
    "token_endpoint_auth_method": "private_key_jwt",
    "grant_types": ["client_credentials"],
    "scope": "orders.read",
    "jwks": JWKS,
}
OWN = {"grant_type": "client_credentials"}


@pytest.fixture
def stage() -> Iterator[Stage]:
    listed: list[JSON] = [SHOP, *OTHERS, SIGNER, {**SHOP, "client_id": "gone", "disabled": True}]
    with set_up(variables(CLIENTS=listed)) as made:
        yield made


def test_basic_is_form_decoded_so_a_secret_may_hold_colon_and_percent(stage: Stage) -> None:
    assert {":", "%", "+", " ", "/"} <= set(SECRET)
    assert stage.post("/token", OWN, basic("shop")).status == 200


def test_post_is_for_clients_that_are_registered_so(stage: Stage) -> None:
    fields = {**OWN, "client_secret": SECRET}

    assert stage.post("/token", {**fields, "client_id": "posting"}).status == 200
    assert refused(stage.post("/token", {**fields, "client_id": "shop"}), "invalid_client", 401)
    assert refused(stage.post("/token", OWN, basic("posting")), "invalid_client", 401)


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic",
        "Basic !",
        "Basic c2hvcA==",
        "Basic " + "c2hvcDp4",  # shop:x
        "Basic c2hvcDp4, Basic c2hvcDp4",
        "Basic JWZmOng=",  # %ff:x
        "Bearer abc",
        "Basic Onh5eg==",  # :xyz
        "Digest x",
    ],
)
def test_malformed_or_wrong_basic_is_challenged(stage: Stage, authorization: str) -> None:
    reply = stage.post("/token", OWN, {"Authorization": authorization})

    assert refused(reply, "invalid_client", 401)
    assert (reply.headers.get("www-authenticate") or "").startswith(f'Basic realm="{ISSUER}"')


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({"client_id": "shop", "client_secret": SECRET}, basic("shop")),
        ({"client_assertion": "a.b.c", "client_assertion_type": ASSERTION}, basic("shop")),
        ({"client_assertion": "a.b.c", "client_assertion_type": ASSERTION, "client_secret": SECRET}, {}),
        ({"client_id": "posting"}, basic("shop")),
        ({"client_assertion": "a.b.c", "client_assertion_type": "other"}, {}),
    ],
)
def test_two_methods_or_two_clients_in_one_request_are_refused(
    stage: Stage, fields: dict[str, str], headers: Mapping[str, str]
) -> None:
    assert refused(stage.post("/token", {**OWN, **fields}, headers), "invalid_request")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"client_id": "shop"},
        {"client_id": "nobody"},
        {"client_id": "app", "client_secret": "x"},
        {"client_id": "gone"},
    ],
)
def test_without_the_registered_method_no_one_is_a_client(stage: Stage, fields: dict[str, str]) -> None:
    assert refused(stage.post("/token", {**OWN, **fields}), "invalid_client", 401)


def test_a_disabled_client_and_an_unknown_one_look_alike(stage: Stage) -> None:
    replies = [stage.post("/token", OWN, basic(name)) for name in ("gone", "nobody")]

    assert {(reply.status, reply.text) for reply in replies} == {(replies[0].status, replies[0].text)}
    assert refused(replies[0], "invalid_client", 401)


@pytest.mark.parametrize("name", ["client_secret", "code", "refresh_token", "token", "code_verifier"])
def test_credentials_in_the_url_are_refused(stage: Stage, name: str) -> None:
    assert refused(stage.post(f"/token?{name}=x", OWN, basic("shop")), "invalid_request")


def test_a_client_that_only_guesses_has_to_wait(stage: Stage) -> None:
    for _ in range(30):
        assert stage.post("/token", OWN, basic("shop", "wrong")).status == 401

    reply = stage.post("/token", OWN, basic("shop"))
    assert (reply.status, reply.headers.get("retry-after")) == (429, "60")
    assert stage.post("/token", OWN, basic("api")).status == 200

    stage.clock.advance(60)
    assert stage.post("/token", OWN, basic("shop")).status == 200


def test_the_rate_limit_comes_before_anything_else(stage: Stage) -> None:
    for _ in range(600):
        last = stage.post("/token", "", {"Content-Type": "text/plain"})
        assert last.status == 400
    reply = stage.post("/token", OWN, basic("shop"))

    assert (reply.status, reply.headers.get("retry-after")) == (429, "60")


# private_key_jwt


def assertion(
    changes: dict[str, JSON] | None = None, key: object = KEY, kid: str = "1", alg: str = "ES256"
) -> dict[str, str]:
    claims: dict[str, JSON] = {
        "iss": "signer",
        "sub": "signer",
        "aud": ISSUER,
        "exp": START + 60,
        "iat": START,
        "jti": "j-1",
    }
    made = {name: value for name, value in (claims | (changes or {})).items() if value is not None}
    token = jwt.encode(made, key, algorithm=alg, headers={"kid": kid})  # type: ignore[arg-type]  # also wrong keys
    return {**OWN, "client_assertion": token, "client_assertion_type": ASSERTION}


def test_an_assertion_is_good_once(stage: Stage) -> None:
    fields = assertion()

    assert stage.post("/token", fields).status == 200
    assert refused(stage.post("/token", fields), "invalid_client", 401)
    assert stage.post("/token", assertion({"jti": "j-2"}, RSA_KEY, "2", "RS256")).status == 200
    assert stage.post("/token", assertion({"aud": f"{ISSUER}/token", "jti": "j-3"})).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [ISSUER]},
        {"aud": [ISSUER, "https://other.example"]},
        {"aud": ISSUER + "/"},
        {"aud": None},
        {"iss": "shop"},
        {"exp": None},
        {"exp": START},
        {"exp": START + 601},
        {"exp": "1900000000"},
        {"exp": True},
        {"iat": START + 31},
        {"nbf": START + 31},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
    ],
)
def test_an_assertion_that_is_not_exactly_right_is_refused(stage: Stage, changes: dict[str, JSON]) -> None:
    assert refused(stage.post("/token", assertion(changes)), "invalid_client", 401)
    assert stage.post("/token", assertion()).status == 200


@pytest.mark.parametrize(
    ("key", "kid", "alg"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "1", "ES256"),
        (KEY, "3", "ES256"),
        (RSA_KEY, "1", "RS256"),
        ("x" * 64, "1", "HS256"),
        (None, "1", "none"),
        (RSA_KEY, "2", "RS512"),
    ],
)
def test_an_assertion_of_another_key_or_algorithm_is_refused(stage: Stage, key: object, kid: str, alg: str) -> None:
    assert refused(stage.post("/token", assertion(None, key, kid, alg)), "invalid_client", 401)


# Requests that are none


@pytest.mark.parametrize("path", ["/token", "/revoke", "/introspect"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_405_with_allow(stage: Stage, path: str, method: str) -> None:
    reply = stage.edge.request(method, ISSUER + path)

    assert (reply.status, reply.headers.get("allow")) == (405, "POST, OPTIONS")


def _posted(stage: Stage, content_type: str | None, body: str | bytes) -> Reply:
    headers = {} if content_type is None else {"Content-Type": content_type}
    return stage.edge.post(f"{ISSUER}/token", body=body, headers={**headers, **basic("shop")})


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "multipart/form-data; boundary=x",
        "a, application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded, a",
        "text/plain",
        "",
    ],
)
def test_another_media_type_is_refused(stage: Stage, content_type: str) -> None:
    assert refused(_posted(stage, content_type, urlencode(OWN)), "invalid_request")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded;charset=UTF-8",
        "Application/X-WWW-Form-Urlencoded; charset=utf-8",
        'application/x-www-form-urlencoded; charset="UTF-8"',
        "application/x-www-form-urlencoded; charset=ISO-8859-1",
        "application/x-www-form-urlencoded ; charset=utf8; boundary=x",
        "application/x-www-form-urlencoded;",
    ],
)
def test_a_form_is_utf_8_whatever_charset_is_named(stage: Stage, content_type: str) -> None:
    assert _posted(stage, content_type, urlencode(OWN)).status == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("grant_type=client_credentials&grant_type=client_credentials", 400),
        ("grant_type=client_credentials&scope=a&scope=", 400),
        ("&".join(f"f{number}=x" for number in range(1001)), 400),
        ("x=" + "y" * 70_000, 413),
        (b"grant_type=\xff\xfe", 400),
        (b"grant_type=%ff", 400),
        ("", 400),
        ("%00=%00&grant_type=%00", 400),
        ("grant_type=client_credentials&scope=%F0%9F%98%80", 400),
    ],
)
def test_what_is_not_a_form_is_refused_and_never_an_error_of_ours(stage: Stage, body: str | bytes, status: int) -> None:
    assert _posted(stage, FORM["Content-Type"], body).status == status


def test_unknown_parameters_are_ignored(stage: Stage) -> None:
    """O20: none of them becomes a member of anything."""
    fields = {**exchanged(stage.code()), "sub": "u_admin", "user_id": "x", "token_format": "opaque", "t": "family"}

    answer = stage.post("/token", fields, basic("shop")).json(dict)
    assert stage.introspect(answer["access_token"])["sub"] == stage.ann.id
