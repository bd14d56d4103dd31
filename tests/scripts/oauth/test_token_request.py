"""What a grant gives at most: what was granted, asked for, and what its client may still have now."""

import json
from collections.abc import Mapping

import pytest

from edgeworker.config import JSON
from issuer import clients, end_marks, users
from issuer.clients import RegisteredClient
from issuer.json_responses import OAuthError
from issuer.settings import IssuerSettings
from issuer.token_request import effective_audience, effective_scope
from tests.scripts.oauth.auth_stage import CALLBACK
from tests.scripts.oauth.token_stage import API, OTHER_API, SHOP, Stage, set_up, variables

SETTINGS = IssuerSettings(
    issuer="https://auth.example.com",
    resources=("https://api.example.com", "https://other.example.com/v1"),
    scopes={"openid": "", "email": "", "read": "", "write": ""},
)


def client(**changes: object) -> RegisteredClient:
    made: dict[str, object] = {"client_id": "shop", "token_endpoint_auth_method": "none", "redirect_uris": [CALLBACK]}
    return clients.parse({**made, "scope": "openid email read", **changes})


@pytest.mark.parametrize(
    ("requested", "granted", "expected"),
    [
        (None, ("openid", "read"), ("openid", "read")),
        ("read", ("openid", "read"), ("read",)),
        ("  read   openid ", ("openid", "read"), ("read", "openid")),
        (" ", ("read",), ("read",)),
        ("read unknown", ("openid", "read"), ("read",)),  # OpenID Connect Core section 3.1.2.1
        ("read write", ("read", "write"), ("read",)),  # write was withdrawn from the client
        (None, ("read", "write"), ("read",)),
        (None, (), ()),
        ("unknown", ("read",), None),
        ("email", ("read",), None),
        ("write", ("read",), None),
        ("write", ("write",), None),
        (None, ("write",), None),
    ],
)
def test_scope(requested: str | None, granted: tuple[str, ...], expected: tuple[str, ...] | None) -> None:
    if expected is None:
        with pytest.raises(OAuthError) as raised:
            effective_scope(requested, granted, client(), SETTINGS)
        assert raised.value.error == "invalid_scope"
    else:
        assert effective_scope(requested, granted, client(), SETTINGS) == expected


API_URL, OTHER_URL = SETTINGS.resources


@pytest.mark.parametrize(
    ("requested", "granted", "may", "expected"),
    [
        ((), (), (), (API_URL,)),
        ((), (), (OTHER_URL,), (OTHER_URL,)),
        ((), (API_URL, OTHER_URL), (), (API_URL, OTHER_URL)),
        ((), (API_URL, OTHER_URL), (OTHER_URL,), (OTHER_URL,)),  # one was withdrawn
        ((), (API_URL,), (OTHER_URL,), None),
        ((API_URL,), (API_URL, OTHER_URL), (OTHER_URL,), None),
        ((OTHER_URL,), (API_URL,), (), None),
        # What URL classes make of the registered text.
        (("https://api.example.com/",), (), (), (API_URL,)),
        (("HTTPS://API.example.com:443",), (), (), (API_URL,)),
        (("https://api.example.com//",), (), (), None),
        (("https://other.example.com/v1/",), (), (), None),
        (("https://api.example.com/?x",), (), (), None),
        (("https://api.example.com@evil.example/",), (), (), None),
    ],
)
def test_audience(
    requested: tuple[str, ...], granted: tuple[str, ...], may: tuple[str, ...], expected: tuple[str, ...] | None
) -> None:
    shop = client(resources=list(may))
    if expected is None:
        with pytest.raises(OAuthError) as raised:
            effective_audience(requested, granted, shop, SETTINGS)
        assert raised.value.error == "invalid_target"
    else:
        assert effective_audience(requested, granted, shop, SETTINGS) == expected


def register(stage: Stage, **changes: JSON) -> None:
    """The client "kv-shop" in USERS, as `oauth clients import --replace` writes it."""
    record: Mapping[str, JSON] = {**SHOP, "client_id": "kv-shop", **changes}
    stage.edge.kv("USERS").put(clients.key("kv-shop"), json.dumps(record))


def test_a_scope_that_was_withdrawn_is_not_issued_any_more() -> None:
    with set_up(variables()) as stage:
        register(stage)
        first = stage.tokens("kv-shop")
        code = stage.code("kv-shop")
        register(stage, scope="openid email")

        exchanged = stage.exchange(code, "kv-shop").json(dict)
        refreshed = stage.refresh(first["refresh_token"], "kv-shop").json(dict)
        assert exchanged["scope"] == refreshed["scope"] == "openid email"
        assert stage.introspect(first["access_token"], "kv-shop")["scope"] == "openid email"
        found = stage.introspect(refreshed["refresh_token"], "kv-shop")
        assert (found["active"], found["scope"]) == (True, "openid email")

        # Clients that always send the whole scope are not stuck.
        reply = stage.refresh(refreshed["refresh_token"], "kv-shop", scope="openid email orders.read")
        assert (reply.status, reply.json(dict)["scope"]) == (200, "openid email")
        register(stage)
        assert "orders.read" in str(stage.refresh(reply.json(dict)["refresh_token"], "kv-shop").json(dict)["scope"])


def test_a_grant_of_which_no_scope_remains_gives_nothing() -> None:
    with set_up(variables()) as stage:
        register(stage)
        first = stage.tokens("kv-shop", scope=("orders.read",))
        code = stage.code("kv-shop", scope=("orders.read",))
        register(stage, scope="openid")

        assert stage.exchange(code, "kv-shop").json(dict)["error"] == "invalid_scope"
        assert stage.refresh(first["refresh_token"], "kv-shop").json(dict)["error"] == "invalid_scope"
        assert stage.introspect(first["refresh_token"], "kv-shop") == {"active": False}


def test_a_resource_that_was_withdrawn_is_not_issued_any_more() -> None:
    with set_up(variables()) as stage:
        register(stage)
        both = stage.tokens("kv-shop", resource=(API, OTHER_API))
        one = stage.tokens("kv-shop", resource=(API,))
        code = stage.code("kv-shop", resource=(API,))
        register(stage, resources=[OTHER_API])

        refreshed = stage.refresh(both["refresh_token"], "kv-shop").json(dict)
        assert stage.introspect(refreshed["access_token"], "kv-shop")["aud"] == OTHER_API
        for reply in (stage.refresh(one["refresh_token"], "kv-shop"), stage.exchange(code, "kv-shop")):
            assert reply.json(dict)["error"] == "invalid_target"
        assert stage.introspect(one["access_token"], "kv-shop") == {"active": False}


def test_a_redirect_uri_that_was_withdrawn_ends_its_grants_and_codes() -> None:
    with set_up(variables()) as stage:
        register(stage)
        first = stage.tokens("kv-shop")
        code = stage.code("kv-shop")
        register(stage, redirect_uris=["https://shop.example.net/new"])

        for reply in (stage.refresh(first["refresh_token"], "kv-shop"), stage.exchange(code, "kv-shop")):
            assert reply.json(dict)["error"] == "invalid_grant"
        assert stage.introspect(first["refresh_token"], "kv-shop") == {"active": False}
        register(stage)
        assert stage.refresh(first["refresh_token"], "kv-shop").status == 200


def test_a_grant_type_that_was_withdrawn_ends_its_use() -> None:
    with set_up(variables()) as stage:
        register(stage)
        first = stage.tokens("kv-shop")
        register(stage, grant_types=["authorization_code"])

        assert stage.refresh(first["refresh_token"], "kv-shop").json(dict)["error"] == "unauthorized_client"
        assert stage.introspect(first["refresh_token"], "kv-shop") == {"active": False}
        assert "refresh_token" not in stage.tokens("kv-shop")


@pytest.mark.parametrize("end", ["disabled", "deleted"])
def test_introspection_tells_that_a_users_refresh_token_is_over(end: str) -> None:
    with set_up(variables()) as stage:
        first = stage.tokens()
        assert stage.introspect(first["refresh_token"])["active"] is True
        if end == "disabled":
            stage.add(users.parse(users.record(stage.ann) | {"disabled": True}))
        else:
            stage.edge.kv("USERS").delete(users.key(stage.ann.email))

        assert stage.introspect(first["refresh_token"]) == {"active": False}
        assert stage.introspect(first["access_token"]) == {"active": False}


def test_a_client_that_is_registered_again_under_its_id_has_nothing_of_the_one_before() -> None:
    with set_up(variables()) as stage:
        register(stage, registration="first")
        began = end_marks.for_client("", "first")
        first, code = stage.tokens("kv-shop", epoch=began), stage.code("kv-shop", epoch=began)
        stage.edge.kv("USERS").delete(clients.key("kv-shop"))
        register(stage, registration="second-_")

        for reply in (stage.refresh(first["refresh_token"], "kv-shop"), stage.exchange(code, "kv-shop")):
            assert reply.json(dict)["error"] == "invalid_grant"
        for token in (first["refresh_token"], first["access_token"]):
            assert stage.introspect(token, "kv-shop") == {"active": False}
        after = stage.tokens("kv-shop", epoch=end_marks.for_client("", "second-_"))
        assert stage.introspect(after["access_token"], "kv-shop")["active"] is True
        assert stage.refresh(after["refresh_token"], "kv-shop").status == 200

        register(stage, registration="first")  # a change of the client of before would have kept it
        assert stage.refresh(first["refresh_token"], "kv-shop").status == 200


@pytest.mark.parametrize("registrations", [("", "new"), ("old", "")], ids=["of an older version", "of CLIENTS"])
def test_a_client_without_a_registration_is_another_one_too(registrations: tuple[str, str]) -> None:
    with set_up(variables()) as stage:
        before, after = ({"registration": each} if each else {} for each in registrations)
        register(stage, **before)
        first = stage.tokens("kv-shop", epoch=end_marks.for_client("", registrations[0]))
        assert stage.introspect(first["access_token"], "kv-shop")["active"] is True
        register(stage, **after)

        assert stage.introspect(first["access_token"], "kv-shop") == {"active": False}
