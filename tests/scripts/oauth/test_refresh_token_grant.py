"""The grant refresh_token: rotation, reuse, and what a refresh cannot do. And client_credentials."""

import asyncio
from collections.abc import Iterator

import pytest

from edgeworker.config import JSON
from edgeworker.testing import Reply
from issuer import refresh_tokens
from tests.scripts.oauth.auth_stage import ISSUER
from tests.scripts.oauth.test_authorization_code_grant import refused
from tests.scripts.oauth.token_stage import (
    API,
    FORM,
    OTHER_API,
    SHOP,
    Stage,
    basic,
    claims,
    exchanged,
    form,
    set_up,
    variables,
)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with set_up() as made:
        yield made


def test_a_refresh_gives_a_new_pair_and_a_split_token_again(stage: Stage) -> None:
    first = stage.tokens()
    stage.clock.advance(10)

    second = stage.refresh(first["refresh_token"]).json(dict)

    assert second["refresh_token"] != first["refresh_token"]
    assert "." not in second["access_token"]
    assert stage.gateway(second["access_token"]) == 200
    assert stage.gateway(first["access_token"]) == 200  # it lives until it expires or is revoked
    found = claims(second["id_token"])
    assert found["auth_time"] == claims(first["id_token"])["auth_time"]
    assert "nonce" not in found  # OpenID Connect Core 12.2


def test_reuse_revokes_the_whole_grant_however_old_the_token_is(stage: Stage) -> None:
    first = stage.tokens()
    second = stage.refresh(first["refresh_token"]).json(dict)
    third = stage.refresh(second["refresh_token"]).json(dict)

    assert refused(stage.refresh(first["refresh_token"]), "invalid_grant")

    assert refused(stage.refresh(third["refresh_token"]), "invalid_grant")
    for answer in (first, second, third):
        assert stage.gateway(answer["access_token"]) == 401
        assert stage.introspect(answer["access_token"]) == {"active": False}
    assert stage.edge.kv("SPLIT").keys() == []


def test_fifty_refreshes_at_once_have_one_success_and_end_the_grant(stage: Stage) -> None:
    token = str(stage.tokens()["refresh_token"])

    async def all_at_once() -> list[Reply]:
        body = form({"grant_type": "refresh_token", "refresh_token": token})
        asked = [
            stage.edge.fetch(f"{ISSUER}/token", method="POST", body=body, headers={**FORM, **basic("shop")})
            for _ in range(50)
        ]
        return list(await asyncio.gather(*asked))

    replies = stage.edge.run(all_at_once())

    statuses = [reply.status for reply in replies]
    assert (statuses.count(200), statuses.count(400)) == (1, 49)
    answer = next(reply for reply in replies if reply.status == 200).json(dict)
    assert refused(stage.refresh(answer["refresh_token"]), "invalid_grant")
    assert stage.edge.kv("SPLIT").keys() == []


def test_an_answer_that_was_lost_is_given_again_within_the_grace() -> None:
    with set_up(variables(REUSE_GRACE_SECONDS=10)) as stage:
        first = stage.tokens()["refresh_token"]
        assert stage.refresh(first).status == 200
        stage.clock.advance(9)

        again = stage.refresh(first).json(dict)
        assert stage.refresh(again["refresh_token"]).status == 200
        # The newer one was used, so the first is reuse, grace or not.
        assert refused(stage.refresh(first), "invalid_grant")


def test_after_the_grace_it_is_reuse() -> None:
    with set_up(variables(REUSE_GRACE_SECONDS=10)) as stage:
        first = stage.tokens()["refresh_token"]
        second = stage.refresh(first).json(dict)["refresh_token"]
        stage.clock.advance(10)

        assert refused(stage.refresh(first), "invalid_grant")
        assert refused(stage.refresh(second), "invalid_grant")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "openid orders.write"}, "invalid_scope"),
        ({"scope": "unknown"}, "invalid_scope"),
        ({"resource": OTHER_API}, "invalid_target"),
        ({"refresh_token": None}, "invalid_request"),
    ],
)
def test_a_check_that_fails_does_not_use_up_the_token(stage: Stage, changes: dict[str, str | None], error: str) -> None:
    token = stage.tokens(resource=(API,))["refresh_token"]

    assert refused(stage.refresh(token, **changes), error)
    assert stage.refresh(token).status == 200


def test_the_scope_can_shrink_for_one_token_and_stays_for_the_next(stage: Stage) -> None:
    token = stage.tokens()["refresh_token"]

    narrow = stage.refresh(token, scope="orders.read").json(dict)
    assert narrow["scope"] == "orders.read"
    assert "id_token" not in narrow
    assert stage.refresh(narrow["refresh_token"]).json(dict)["scope"] == "openid email orders.read"


def test_another_clients_token_is_not_affected(stage: Stage) -> None:
    token = stage.tokens()["refresh_token"]

    assert refused(stage.refresh(token, "jwt-shop"), "invalid_grant")
    assert stage.refresh(token).status == 200


def test_who_knows_a_grants_id_cannot_end_it(stage: Stage) -> None:
    token = str(stage.tokens()["refresh_token"])
    grant_id = token.partition(".")[0]

    for invented in (
        grant_id,
        grant_id + ".",
        f"{grant_id}.{'A' * 64}",
        refresh_tokens.new_token(grant_id, "seal"),
        "x" * 9000,
    ):
        assert refused(stage.refresh(invented), "invalid_grant")
        assert stage.post("/revoke", {"token": invented}, basic("shop")).status == 200
    assert stage.refresh(token).status == 200


def test_a_grant_ends_when_it_is_idle_and_at_last_in_any_case() -> None:
    with set_up(variables(REFRESH_IDLE_SECONDS=600, REFRESH_ABSOLUTE_SECONDS=1000)) as stage:
        idle = stage.tokens()["refresh_token"]
        used = stage.tokens()["refresh_token"]
        stage.clock.advance(599)
        used = stage.refresh(used).json(dict)["refresh_token"]
        stage.clock.advance(1)
        assert refused(stage.refresh(idle), "invalid_grant")
        used = stage.refresh(used).json(dict)["refresh_token"]
        stage.clock.advance(400)
        assert refused(stage.refresh(used), "invalid_grant")


def test_without_atomic_rotation_and_reuse_still_work_one_after_the_other() -> None:
    with set_up(atomic=False) as stage:
        first = stage.tokens()["refresh_token"]
        second = stage.refresh(first).json(dict)["refresh_token"]

        assert refused(stage.refresh(first), "invalid_grant")
        assert refused(stage.refresh(second), "invalid_grant")


def test_a_public_client_rotates_too(stage: Stage) -> None:
    reply = stage.post("/token", {**exchanged(stage.code("app")), "client_id": "app"})
    token = reply.json(dict)["refresh_token"]
    fields = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "app"}

    assert stage.post("/token", fields).status == 200
    assert refused(stage.post("/token", fields), "invalid_grant")


def test_a_client_has_a_token_of_its_own_without_refresh_and_id_token(stage: Stage) -> None:
    answer = stage.post("/token", {"grant_type": "client_credentials"}, basic("shop")).json(dict)

    assert set(answer) == {"access_token", "token_type", "expires_in", "scope"}
    assert answer["scope"] == "orders.read orders.write"
    assert stage.gateway(answer["access_token"]) == 200
    found = stage.introspect(answer["access_token"])
    assert (found["sub"], found["client_id"], found["aud"]) == ("shop", "shop", API)


@pytest.mark.parametrize("scope", ["openid", "admin", "orders.read openid"])
def test_a_client_cannot_have_more_than_is_registered_nor_a_users_scopes(stage: Stage, scope: str) -> None:
    fields = {"grant_type": "client_credentials", "scope": scope}

    assert refused(stage.post("/token", fields, basic("shop")), "invalid_scope")


def test_a_client_is_not_a_user(stage: Stage) -> None:
    """O15: its id is its `sub`, and never a user's."""
    token = stage.post("/token", {"grant_type": "client_credentials"}, basic("shop")).json(dict)["access_token"]

    for path, status in (("/userinfo", 403), ("/resource/goods", 403)):
        reply = stage.edge.get(ISSUER + path, headers={"Authorization": f"Bearer {token}"})
        assert reply.status == status
        assert 'error="insufficient_scope"' in (reply.headers.get("www-authenticate") or "")


def test_a_client_without_any_scope_has_a_token_that_says_so() -> None:
    listed: list[JSON] = [{**SHOP, "scope": ""}]
    with set_up(variables(CLIENTS=listed)) as stage:
        answer = stage.post("/token", {"grant_type": "client_credentials"}, basic("shop")).json(dict)

        assert "scope" not in answer
        assert "scope" not in stage.introspect(answer["access_token"])
        assert stage.gateway(answer["access_token"]) == 200
