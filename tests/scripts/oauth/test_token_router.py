"""The rest of the token worker: metadata, keys, userinfo, the protected resource, CORS, and what fails."""

import json
from collections.abc import Iterator

import jwt
import pytest

from edgeworker.config import JSON
from edgeworker.errors import ScriptError
from edgeworker.testing import Edge, FaultInjection
from issuer import clients, keys
from tests.scripts.oauth.auth_stage import ISSUER
from tests.scripts.oauth.test_authorization_code_grant import refused
from tests.scripts.oauth.token_stage import (
    API,
    OTHER_API,
    RING,
    SHOP,
    START,
    Stage,
    basic,
    bearer,
    configuration,
    set_up,
    variables,
)

APP = "https://app.example.org"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with set_up() as made:
        yield made


@pytest.mark.parametrize("name", ["oauth-authorization-server", "openid-configuration"])
def test_the_metadata_is_the_issuers_whatever_the_client_says(stage: Stage, name: str) -> None:
    """O18"""
    headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "X-Forwarded-Proto": "http"}
    reply = stage.edge.get(f"{ISSUER}/.well-known/{name}", headers=headers)

    found = reply.json(dict)
    assert found["issuer"] == ISSUER
    assert all(value.startswith(ISSUER) for key, value in found.items() if key.endswith(("_endpoint", "_uri")))
    assert "evil" not in reply.text
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["response_types_supported"] == ["code"]
    assert found["request_uri_parameter_supported"] is False
    assert found["authorization_response_iss_parameter_supported"] is True
    assert found["id_token_signing_alg_values_supported"] == ["RS256", "ES256"]
    assert found["token_endpoint_auth_methods_supported"] == [
        "client_secret_basic",
        "client_secret_post",
        "none",
        "private_key_jwt",
    ]
    assert "none" not in found["introspection_endpoint_auth_methods_supported"]
    # Also without Origin: a cache gives this response to pages of any origin.
    assert reply.headers.get("access-control-allow-origin") == "*"


def test_an_issuer_with_a_path_has_it_behind_the_well_known_name() -> None:
    issuer = f"{ISSUER}/token"  # a path that the worker's routes take
    with set_up(variables(ISSUER=issuer)) as stage:
        paths = [
            "/.well-known/oauth-authorization-server/token",
            "/.well-known/openid-configuration/token",
            "/token/.well-known/openid-configuration",
        ]
        for path in paths:
            assert stage.edge.get(ISSUER + path).json(dict)["token_endpoint"] == f"{issuer}/token", path
        assert stage.edge.get(f"{ISSUER}/.well-known/oauth-authorization-server").status == 404
        assert stage.post("/token/token", {"grant_type": "client_credentials"}, basic("shop")).status == 200
        assert stage.post("/token", {"grant_type": "client_credentials"}, basic("shop")).status == 404
        reply = stage.edge.get(f"{ISSUER}/token/userinfo")
        assert f'{ISSUER}/.well-known/oauth-protected-resource/token/resource"' in (
            reply.headers.get("www-authenticate") or ""
        )


def test_the_resource_says_who_gives_tokens_for_it(stage: Stage) -> None:
    reply = stage.edge.get(f"{ISSUER}/resource/goods")
    challenge = reply.headers.get("www-authenticate") or ""
    assert challenge == (
        f'Bearer realm="{ISSUER}", resource_metadata="{ISSUER}/.well-known/oauth-protected-resource/resource"'
    )

    found = stage.edge.get(f"{ISSUER}/.well-known/oauth-protected-resource/resource").json(dict)
    assert found["resource"] == f"{ISSUER}/resource"
    assert found["authorization_servers"] == [ISSUER]
    assert stage.edge.get(f"{ISSUER}/.well-known/oauth-protected-resource").json(dict)["resource"] == ISSUER


@pytest.mark.parametrize(
    "path", ["/tokens", "/token/", "/token/authorize", "/jwks.json", "/resources", "/userinfo/x", "/.well-known/x"]
)
def test_paths_are_compared_whole(stage: Stage, path: str) -> None:
    assert stage.edge.get(ISSUER + path).status == 404


def test_only_public_keys_are_published_old_ones_while_their_tokens_live() -> None:
    ring = keys.rotate(keys.new(["RS256", "ES256"], now=START - 1000), now=START, overlap_seconds=600)
    with set_up(variables(SIGNING_KEYS=keys.dump(ring))) as stage:
        published = stage.edge.get(f"{ISSUER}/jwks").json(dict)["keys"]
        assert [key["kid"] for key in published] == [key.kid for key in ring.keys]
        assert all(set(key) <= {"kty", "n", "e", "crv", "x", "y", "kid", "alg", "use"} for key in published)

        def signer() -> str:
            return str(jwt.get_unverified_header(str(stage.tokens()["id_token"]))["kid"])

        old, new = (next(key.kid for key in part if key.alg == "RS256") for part in (ring.keys[:2], ring.keys[2:]))
        assert signer() == old
        stage.clock.advance(600)
        assert signer() == new
        stage.clock.advance(keys.KEEP_SECONDS)
        assert [key["kid"] for key in stage.edge.get(f"{ISSUER}/jwks").json(dict)["keys"]] == [
            key.kid for key in ring.keys[2:]
        ]


def test_userinfo_says_what_the_scope_allows(stage: Stage) -> None:
    def told(*scope: str) -> dict[str, JSON]:
        token = stage.tokens(scope=scope)["access_token"]
        return dict(stage.edge.get(f"{ISSUER}/userinfo", headers=bearer(token)).json(dict))

    assert told("openid") == {"sub": stage.ann.id}
    assert told("openid", "email") == {"sub": stage.ann.id, "email": "ann@example.com", "email_verified": True}
    assert told("openid", "profile") == {"sub": stage.ann.id, "name": "Ann Larsson"}
    assert "insufficient_scope" in json.dumps(told("orders.read"))


@pytest.mark.parametrize("path", ["/userinfo", "/resource/goods"])
@pytest.mark.parametrize("credentials", ["Bearer", "Bearer ", "Bearer x y", "Bearer x,y", "Bearer unknown"])
def test_a_token_that_is_none_is_refused_with_a_challenge(stage: Stage, path: str, credentials: str) -> None:
    reply = stage.edge.get(ISSUER + path, headers={"Authorization": credentials})

    assert (reply.status, reply.headers.get("cache-control")) == (401, "no-store")
    assert 'error="invalid_token"' in (reply.headers.get("www-authenticate") or "")


def test_neither_a_cookie_nor_a_query_carries_a_token(stage: Stage) -> None:
    token = stage.tokens()["access_token"]

    for path, headers in (
        ("/resource/goods", {"Cookie": f"token=Bearer {token}"}),
        ("/resource/goods", {"Authorization": f"Basic {token}"}),
        (f"/resource/goods?access_token={token}", {}),
    ):
        reply = stage.edge.get(ISSUER + path, headers=headers)
        assert reply.status == 401
        assert "error=" not in (reply.headers.get("www-authenticate") or "")


def test_the_resource_gives_the_users_own_record(stage: Stage) -> None:
    token = stage.tokens()["access_token"]

    reply = stage.edge.get(f"{ISSUER}/resource/some-goods", headers=bearer(token))

    assert reply.json(dict) == {
        "path": "/resource/some-goods",
        "client_id": "shop",
        "scope": "openid email orders.read",
        "user": {"sub": stage.ann.id, "email": "ann@example.com", "email_verified": True, "created": START},
    }
    assert "argon2" not in reply.text
    assert "scrypt" not in reply.text


def test_a_token_for_another_resource_is_not_for_this_one(stage: Stage) -> None:
    token = stage.tokens(resource=(OTHER_API,))["access_token"]

    assert stage.edge.get(f"{ISSUER}/resource/goods", headers=bearer(token)).status == 401
    assert stage.edge.get(f"{ISSUER}/resource/goods", headers=bearer(stage.tokens(resource=(API,))["access_token"])).ok


def test_pages_of_allowed_origins_read_answers_and_errors() -> None:
    with set_up(variables(CORS_ORIGINS=APP)) as stage:
        asked = {
            "Origin": APP,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        }
        preflight = stage.edge.options(f"{ISSUER}/token", headers=asked)
        assert (preflight.status, preflight.headers.get("access-control-allow-origin")) == (204, APP)
        assert preflight.headers.get("access-control-allow-methods") == "POST, OPTIONS"
        assert preflight.headers.get("access-control-allow-headers") == "authorization"

        for origin, allowed in ((APP, APP), ("https://evil.example", None)):
            reply = stage.post("/token", {}, {"Origin": origin})
            assert reply.headers.get("access-control-allow-origin") == allowed
            assert reply.headers.get("vary") == "Origin"
            reply = stage.edge.options(f"{ISSUER}/token", headers={**asked, "Origin": origin})
            assert reply.headers.get("access-control-allow-origin") == allowed
            reply = stage.edge.get(f"{ISSUER}/jwks", headers={"Origin": origin})
            assert reply.headers.get("access-control-allow-origin") == "*"
        assert reply.headers.get("access-control-allow-credentials") is None


def test_head_and_options_are_answered(stage: Stage) -> None:
    for path in ("/jwks", "/.well-known/openid-configuration"):
        reply = stage.edge.head(ISSUER + path)
        assert (reply.status, reply.content) == (200, b"")
        assert stage.edge.options(ISSUER + path).headers.get("allow") == "GET, HEAD, OPTIONS"
        assert stage.edge.post(ISSUER + path).status == 405


@pytest.mark.parametrize("path", ["/token", "/revoke", "/introspect", "/userinfo", "/resource/x"])
def test_a_store_that_does_not_answer_is_503_and_nothing_gets_through(path: str) -> None:
    with set_up(faults=FaultInjection(seed=1, kv_failures=1.0)) as stage:
        if path in ("/userinfo", "/resource/x"):
            reply = stage.edge.get(ISSUER + path, headers=bearer("x"))
        else:
            fields: dict[str, str | None] = {"token": "x", "grant_type": "client_credentials"}
            reply = stage.post(path, fields, basic("shop"))

        assert refused(reply, "temporarily_unavailable", 503)
        assert reply.headers.get("retry-after") == "5"


def test_with_a_store_that_fails_now_and_then_there_is_never_an_error_of_ours() -> None:
    with set_up(faults=FaultInjection(seed=7, kv_failures=0.15)) as stage:
        statuses = set()
        for _ in range(25):
            code = stage.code()
            for _ in range(8):
                reply = stage.exchange(code)
                statuses.add(reply.status)
                if reply.status != 503:
                    break
            if reply.status == 200:
                statuses.add(stage.refresh(reply.json(dict)["refresh_token"]).status)

        assert statuses <= {200, 400, 503}
        assert 200 in statuses


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"SIGNING_KEYS": ""}, "SIGNING_KEYS: it is missing"),
        ({"SIGNING_KEYS": "{}"}, "SIGNING_KEYS: it is not a JWK set"),
        ({"SIGNING_KEYS": keys.dump(keys.new(["RS256"], now=0))}, "SIGNING_KEYS: no ES256 key signs now"),
        ({"ISSUER": "auth"}, "ISSUER: 'auth'"),
    ],
)
def test_a_setting_that_cannot_be_used_stops_the_worker_before_any_request(changes: dict[str, JSON], text: str) -> None:
    edge = Edge(configuration(variables(**changes)))
    try:
        with pytest.raises(ScriptError, match=text) as error:
            edge.run(edge.start())
    finally:
        edge.close()
    assert str(RING.keys[0].jwk["d"]) not in str(error.value)


def test_split_tokens_without_a_place_to_publish_to_stop_the_worker() -> None:
    edge = Edge(configuration(variables(), split=False))
    try:
        with pytest.raises(ScriptError, match="PUBLISH: split tokens are published by the KV binding SPLIT"):
            edge.run(edge.start())
    finally:
        edge.close()


def test_no_secret_reaches_the_log(stage: Stage) -> None:
    code = stage.code()
    answer = stage.exchange(code).json(dict)
    stage.refresh(answer["refresh_token"])
    stage.exchange(code)
    stage.refresh(answer["refresh_token"])
    stage.post("/token", {"grant_type": "client_credentials"}, basic("shop", "a-wrong-secret"))

    logged = "\n".join(line.text for line in stage.edge.logs)
    assert "used twice" in logged
    for secret in (code, *map(str, (answer["access_token"], answer["refresh_token"])), "a-wrong-secret"):
        assert secret not in logged


def _register(stage: Stage, **changes: JSON) -> None:
    record: dict[str, JSON] = {**SHOP, "client_id": "kept", **changes}
    stage.edge.kv("USERS").put(clients.key("kept"), json.dumps(record))


def test_a_client_in_kv_is_as_good_as_one_in_the_configuration(stage: Stage) -> None:
    _register(stage)

    assert stage.exchange(stage.code("kept"), "kept").status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "shop"},
        {"scope": "openid unknown"},
        {"resources": ["https://unknown.example.com"]},
        {"client_secret": "x"},
        {"disabled": True},
    ],
)
def test_a_record_in_kv_that_does_not_fit_is_not_a_client(stage: Stage, changes: dict[str, JSON]) -> None:
    _register(stage, **changes)

    assert refused(stage.exchange(stage.code("kept"), "kept"), "invalid_client", 401)


def test_a_client_that_no_key_can_sign_for_is_told_to_come_later() -> None:
    with set_up(variables(CLIENTS=[], SIGNING_KEYS=keys.dump(keys.new(["RS256"], now=0)))) as stage:
        _register(stage, access_token_alg="ES256")
        code = stage.code("kept")

        assert refused(stage.exchange(code, "kept"), "temporarily_unavailable", 503)
        _register(stage)
        assert stage.exchange(code, "kept").status == 200
