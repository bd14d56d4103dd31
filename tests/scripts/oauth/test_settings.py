"""The variables of both workers, and what is said of those that cannot be used."""

import json
from types import SimpleNamespace

import pytest

from issuer import clients, settings
from issuer.settings import IssuerSettings, SettingError

ISSUER = "https://auth.example.com"
SHOP = {"client_id": "shop", "secret_hashes": [clients.hash_secret("s")], "redirect_uris": ["https://shop.example/cb"]}


def read(**variables: object) -> IssuerSettings:
    return settings.read(SimpleNamespace(**{"ISSUER": ISSUER, **variables}))


def test_the_issuer_alone_is_enough() -> None:
    found = read()

    assert (found.issuer, found.resources, found.publish) == (ISSUER, (ISSUER,), "binding")
    assert (found.origin, found.path, found.url("/token")) == (ISSUER, "", f"{ISSUER}/token")
    assert found.code_ttl_seconds == 60
    assert set(found.scopes) >= {"openid", "profile", "email"}


def test_an_issuer_may_have_a_path() -> None:
    found = read(ISSUER=f"{ISSUER}/tenant/a")

    assert (found.origin, found.path, found.url("/token")) == (ISSUER, "/tenant/a", f"{ISSUER}/tenant/a/token")


@pytest.mark.parametrize("clients_given", [[SHOP], json.dumps([SHOP])])
def test_clients_are_a_list_or_json(clients_given: object) -> None:
    assert set(read(CLIENTS=clients_given).clients) == {"shop"}


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"ISSUER": None}, "ISSUER: it is missing"),
        ({"ISSUER": "http://auth.example.com"}, "ISSUER: .* must be https"),
        ({"ISSUER": "https://auth.example.com/"}, "ISSUER: .* a slash at its end"),
        ({"ISSUER": "https://auth.example.com?x=1"}, "ISSUER: "),
        ({"ISSUER": "https://AUTH.example.com"}, "ISSUER: .* lower case"),
        ({"ISSUER": "https://auth.example.com/../x"}, "ISSUER: "),
        ({"ISSUER": "https://a@auth.example.com"}, "ISSUER: "),
        ({"CODE_TTL_SECONDS": 601}, "CODE_TTL_SECONDS: 601 is not a whole number from 1 to 600"),
        ({"CODE_TTL_SECONDS": True}, "CODE_TTL_SECONDS: "),
        ({"SIGNUP": "yes"}, "SIGNUP: 'yes' is neither true nor false"),
        ({"SIGNUP": 1}, "SIGNUP: 1 is neither true nor false"),
        ({"COMPAT": "curity"}, 'COMPAT: .* "curity-tutorial"'),
        ({"PUBLISH": "rest"}, "PUBLISH: 'rest' is not one of"),
        ({"PUBLISH": "api", "PUBLISH_ACCOUNT_ID": "a"}, 'PUBLISH_NAMESPACE_ID: PUBLISH = "api" needs it'),
        ({"PUBLISH_API_BASE": "ftp://x"}, "PUBLISH_API_BASE: "),
        ({"PUBLISH_ACCOUNT_ID": "a/b"}, "PUBLISH_ACCOUNT_ID: "),
        ({"TOKEN_HASH": "md5"}, "TOKEN_HASH: "),
        ({"KEY_PREFIX": "x" * 400}, "KEY_PREFIX: longer than"),
        ({"RESOURCES": "api"}, "RESOURCES: 'api' is not an absolute URI"),
        ({"SCOPES": {"a b": "x"}}, "SCOPES: 'a b' is not a scope"),
        ({"SCOPES": "{"}, "SCOPES: it is not JSON"),
        ({"CLIENTS": [{"client_id": "shop"}]}, "CLIENTS: client 1: .*secret_hashes"),
        ({"CLIENTS": [SHOP, SHOP]}, "CLIENTS: two clients have the id 'shop'"),
        ({"CLIENTS": [{**SHOP, "scope": "other"}]}, "CLIENTS: client 'shop' has scope 'other', which SCOPES does not"),
        ({"CLIENTS": [{**SHOP, "resources": ["https://o.example"]}]}, "names resource 'https://o.example'"),
        ({"CLIENTS": [SHOP], "ACCESS_TOKEN_TTL_SECONDS": 60}, "ACCESS_TOKEN_TTL_SECONDS: 60 is too short"),
        ({"REFRESH_IDLE_SECONDS": 9_000_000}, "REFRESH_IDLE_SECONDS: 9000000 is more than"),
        ({"CORS_ORIGINS": "app.example.com"}, "CORS_ORIGINS: 'app.example.com'"),
    ],
)
def test_a_variable_that_cannot_be_used_is_refused_by_name(variables: dict[str, object], text: str) -> None:
    with pytest.raises(SettingError, match=f"^{text}" if text[0].isupper() else text):
        read(**variables)


def test_http_is_for_this_machine() -> None:
    for issuer in ("http://localhost:8787", "http://127.0.0.1:8787", "http://[::1]:8787", "http://auth.localhost:80"):
        assert read(ISSUER=issuer).issuer == issuer


def test_a_secret_is_neither_shown_nor_quoted() -> None:
    api = {"PUBLISH": "api", "PUBLISH_ACCOUNT_ID": "a", "PUBLISH_NAMESPACE_ID": "n"}

    assert "geheim" not in repr(read(**api, PUBLISH_API_TOKEN="geheim"))
    with pytest.raises(SettingError) as refused:
        read(**api, PUBLISH_API_TOKEN="geheim mit Leerzeichen")
    assert "geheim" not in str(refused.value)
