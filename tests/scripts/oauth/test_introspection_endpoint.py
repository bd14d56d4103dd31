"""Revocation, introspection, and which kind of token is good where (J23, O16)."""

from collections.abc import Iterator

import jwt
import pytest

from edgeworker.config import JSON
from issuer import records, users
from tests.scripts.oauth.auth_stage import HASH, ISSUER
from tests.scripts.oauth.test_authorization_code_grant import refused
from tests.scripts.oauth.token_stage import API, OTHER_API, SHOP, START, Stage, basic, bearer, claims, set_up, variables


@pytest.fixture
def stage() -> Iterator[Stage]:
    with set_up() as made:
        yield made


def revoke(stage: Stage, token: object, client_id: str = "shop", **more: str) -> int:
    return stage.post("/revoke", {"token": str(token), **more}, basic(client_id)).status


def test_revoking_an_access_token_stops_it_at_the_gateway_at_once(stage: Stage) -> None:
    answer, other = stage.tokens(), stage.tokens()

    assert revoke(stage, answer["access_token"]) == 200

    assert stage.gateway(answer["access_token"]) == 401
    assert stage.introspect(answer["access_token"]) == {"active": False}
    assert stage.gateway(other["access_token"]) == 200
    assert stage.refresh(answer["refresh_token"]).status == 200


@pytest.mark.parametrize("hint", [{}, {"token_type_hint": "access_token"}, {"token_type_hint": "nonsense"}])
def test_revoking_a_refresh_token_ends_the_grant(stage: Stage, hint: dict[str, str]) -> None:
    first = stage.tokens()
    second = stage.refresh(first["refresh_token"]).json(dict)

    assert revoke(stage, second["refresh_token"], **hint) == 200

    for answer in (first, second):
        assert stage.gateway(answer["access_token"]) == 401
        assert stage.introspect(answer["access_token"]) == {"active": False}
    assert refused(stage.refresh(second["refresh_token"]), "invalid_grant")
    assert stage.edge.kv("SPLIT").keys() == []


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_another_clients_token_and_an_unknown_one_are_200_without_effect(stage: Stage, kind: str) -> None:
    answer = stage.tokens()

    assert revoke(stage, answer[kind], "jwt-shop") == 200
    assert revoke(stage, "unknown") == 200
    assert revoke(stage, "x" * 9000) == 200

    assert stage.gateway(answer["access_token"]) == 200
    assert stage.refresh(answer["refresh_token"]).status == 200


@pytest.mark.parametrize("path", ["/revoke", "/introspect"])
def test_without_a_client_nothing_is_revoked_or_told(stage: Stage, path: str) -> None:
    token = str(stage.tokens()["access_token"])

    assert refused(stage.post(path, {"token": token}), "invalid_client", 401)
    assert refused(stage.post(path, {"token": token}, basic("shop", "wrong")), "invalid_client", 401)
    assert refused(stage.post(path, {"token": token}, bearer(token)), "invalid_client", 401)
    assert refused(stage.post(path, {}, basic("shop")), "invalid_request")
    assert stage.gateway(token) == 200


def test_a_public_client_revokes_its_own_and_introspects_nothing(stage: Stage) -> None:
    token = str(stage.tokens()["access_token"])

    assert stage.post("/revoke", {"token": token, "client_id": "app"}).status == 200
    assert stage.gateway(token) == 200
    assert refused(stage.post("/introspect", {"token": token, "client_id": "app"}), "invalid_client", 401)


@pytest.mark.parametrize("client_id", ["shop", "jwt-shop", "opaque-shop"])
def test_an_active_token_is_described(stage: Stage, client_id: str) -> None:
    token = stage.tokens(client_id)["access_token"]

    found = stage.introspect(token, client_id)
    assert found.pop("jti")
    assert found == {
        "active": True,
        "scope": "openid email orders.read",
        "client_id": client_id,
        "username": "ann@example.com",
        "token_type": "Bearer",
        "exp": START + 600,
        "iat": START,
        "nbf": START,
        "sub": stage.ann.id,
        "aud": API,
        "iss": ISSUER,
    }


def test_the_api_sees_what_is_meant_for_it_and_others_see_nothing(stage: Stage) -> None:
    token = stage.tokens()["access_token"]
    elsewhere = stage.tokens(resource=(OTHER_API,))["access_token"]

    assert stage.introspect(token, "api")["active"] is True
    assert stage.introspect(elsewhere, "api") == {"active": False}
    assert stage.introspect(token, "jwt-shop") == {"active": False}


def test_an_expired_token_is_not_active(stage: Stage) -> None:
    token = stage.tokens()["access_token"]

    stage.clock.advance(599)
    assert stage.introspect(token)["active"] is True
    stage.clock.advance(1)
    assert stage.introspect(token) == {"active": False}
    assert stage.gateway(token) == 401


def test_a_refresh_token_is_known_to_its_client_alone(stage: Stage) -> None:
    token = stage.tokens()["refresh_token"]

    assert stage.introspect(token)["active"] is True
    assert stage.introspect(token, "api") == {"active": False}
    stage.refresh(token)
    assert stage.introspect(token) == {"active": False}


@pytest.mark.parametrize("accept", ["application/token-introspection+jwt", "text/html, application/jwt;q=0.9"])
def test_introspection_is_a_signed_jwt_for_who_wants_one(stage: Stage, accept: str) -> None:
    token = str(stage.tokens()["access_token"])

    reply = stage.post("/introspect", {"token": token}, {**basic("shop"), "Accept": accept})

    assert reply.headers.get("content-type") == accept.split(", ")[-1].partition(";")[0]
    assert jwt.get_unverified_header(reply.text)["typ"] == "token-introspection+jwt"
    found = claims(reply.text)
    assert (found["iss"], found["aud"], found["iat"]) == (ISSUER, "shop", START)
    told = found["token_introspection"]
    assert isinstance(told, dict)
    assert told == stage.introspect(token)


def test_a_user_who_is_disabled_has_no_active_token(stage: Stage) -> None:
    answer = stage.tokens()
    record: dict[str, JSON] = {**users.record(stage.ann), "disabled": True}  # type: ignore[dict-item]  # JSON values
    stage.add(users.parse(record))

    assert stage.introspect(answer["access_token"]) == {"active": False}
    assert stage.edge.get(f"{ISSUER}/userinfo", headers=bearer(answer["access_token"])).status == 401
    assert refused(stage.refresh(answer["refresh_token"]), "invalid_grant")


def test_each_kind_of_token_is_good_for_its_own_purpose_only(stage: Stage) -> None:
    """J23: the matrix of what we issue and where it is shown."""
    code = stage.code()
    split = stage.tokens()
    stage.gateway(split["access_token"])
    whole = (stage.edge.origin.requests[-1].headers.get("authorization") or "").removeprefix("Bearer ")
    told = stage.post(
        "/introspect",
        {"token": str(split["access_token"])},
        {**basic("shop"), "Accept": "application/token-introspection+jwt"},
    ).text
    plain = stage.tokens("jwt-shop")

    not_access = {
        "code": code,
        "refresh token": split["refresh_token"],
        "id token": split["id_token"],
        "whole jwt of a split token": whole,
        "introspection": told,
        "id token of a jwt client": plain["id_token"],
    }
    for kind, token in not_access.items():
        for path in ("/userinfo", "/resource/goods"):
            assert stage.edge.get(ISSUER + path, headers=bearer(token)).status == 401, (kind, path)
        if kind != "whole jwt of a split token":  # the gateway's own rule
            assert stage.gateway(token) == 401, kind
        if kind != "refresh token":
            assert refused(stage.refresh(token), "invalid_grant")
            assert stage.introspect(token) == {"active": False}, kind
        if kind != "code":
            assert refused(stage.exchange(str(token)), "invalid_grant")
    assert jwt.get_unverified_header(whole)["typ"] == "at+jwt"
    assert jwt.get_unverified_header(str(plain["access_token"]))["typ"] == "at+jwt"
    assert jwt.get_unverified_header(str(split["id_token"]))["typ"] == "JWT"
    assert claims(split["id_token"])["aud"] != claims(whole)["aud"]


def test_a_poisoned_record_gives_no_one_anything(stage: Stage) -> None:
    """K1: what lies under a token's key must be a token's record."""
    code, answer = stage.code(), stage.tokens()
    token = str(answer["access_token"])
    kv = stage.edge.kv("00000000000000000000000000000003")
    family = kv.get("r:" + str(answer["refresh_token"]).partition(".")[0])

    for poison in (family or "", "{}", "[]", "null", "x"):
        kv.put(records.access_key(token), poison)
        assert stage.introspect(token) == {"active": False}
        stage.edge.kv("CODES").put(records.code_key(code), poison)
        assert refused(stage.exchange(code), "invalid_grant")
    assert HASH not in stage.edge.get(f"{ISSUER}/userinfo", headers=bearer(token)).text


def test_a_token_that_lives_shorter_than_kv_keeps_its_record_ends_in_time() -> None:
    listed: list[JSON] = [{**SHOP, "token_format": "opaque"}]
    with set_up(variables(CLIENTS=listed, ACCESS_TOKEN_TTL_SECONDS=30)) as stage:
        token = stage.tokens()["access_token"]

        stage.clock.advance(29)
        assert stage.introspect(token)["active"] is True
        stage.clock.advance(1)
        assert stage.introspect(token) == {"active": False}
        assert stage.edge.get(f"{ISSUER}/userinfo", headers=bearer(token)).status == 401
