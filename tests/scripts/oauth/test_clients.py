"""Which records describe a client, and how secrets are compared."""

import pytest

from issuer import clients
from issuer.clients import BadClient, RegisteredClient

SHOP: dict[str, object] = {
    "client_id": "shop",
    "secret_hashes": [clients.hash_secret("one"), clients.hash_secret("two")],
    "redirect_uris": ["https://shop.example.com/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid orders.read",
}


def test_a_client_is_what_its_record_says_and_the_rest_is_default() -> None:
    client = clients.parse(SHOP)

    assert client.scope == ("openid", "orders.read")
    assert (client.token_endpoint_auth_method, client.token_format, client.require_pkce) == (
        "client_secret_basic",
        "split",
        True,
    )
    assert clients.parse(clients.record(client)) == client
    assert clients.record(client) == SHOP


def test_each_hash_of_a_secret_fits_and_nothing_else() -> None:
    client = clients.parse(SHOP)

    assert clients.secret_matches(client, "one")
    assert clients.secret_matches(client, "two")
    assert not clients.secret_matches(client, "three")
    assert not clients.secret_matches(client, clients.hash_secret("one"))
    assert not clients.secret_matches(client, "")
    assert not clients.secret_matches(RegisteredClient("public", token_endpoint_auth_method="none"), "")
    assert clients.hash_secret("one") not in repr(client)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"client_id": "u_0123456789012345678901"}, 'begins with "u_"'),
        ({"client_id": "with space"}, "client_id: 'with space' is not"),
        ({"client_secret": "x"}, "secrets are not stored"),
        ({"secret_hashes": ["plain-secret"]}, "an item is not a hash"),
        ({"redirect_uri": "https://a.example"}, "did you mean redirect_uris?"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "redirect_uris: "),
        ({"redirect_uris": ["https://shop.example.com/*"]}, "wildcard"),
        ({"redirect_uris": ["http://localhost/cb"]}, "redirect_uris: "),
        ({"redirect_uris": []}, "needs at least one"),
        ({"post_logout_redirect_uris": ["https://a@b.example/"]}, "user information"),
        ({"secret_hashes": []}, "needs at least one hash"),
        ({"token_endpoint_auth_method": "none"}, "has no secret"),
        ({"token_endpoint_auth_method": "private_key_jwt", "secret_hashes": []}, "needs the client's public keys"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "is not one of"),
        ({"grant_types": ["password"]}, "'password' is not one of"),
        ({"grant_types": ["client_credentials", "refresh_token"]}, "comes with authorization_code only"),
        ({"scope": 'a"b'}, "is not a scope"),
        ({"scope": "a  b"}, "is not a scope"),
        ({"resources": ["api"]}, "not an absolute URI"),
        ({"resources": ["https://api.example.com/#x"]}, "not an absolute URI"),
        ({"require_pkce": "yes"}, "neither true nor false"),
        ({"client_name": "two\nlines"}, "in one line"),
        ({"jwks": {"keys": [{"kty": "RSA", "d": "x"}]}}, "private or symmetric"),
    ],
)
def test_a_record_that_describes_no_client_is_refused(changes: dict[str, object], fault: str) -> None:
    with pytest.raises(BadClient) as refused:
        clients.parse({**SHOP, **changes})

    assert fault in str(refused.value)
    assert "plain-secret" not in str(refused.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadClient) as refused:
        clients.parse({"client_id": "", "scope": 5, "disabled": 1})

    assert [fault.partition(":")[0] for fault in refused.value.faults] == ["client_id", "scope", "disabled"]


def test_a_public_client_keeps_pkce_and_cannot_have_tokens_of_its_own() -> None:
    public: dict[str, object] = {
        "client_id": "app",
        "token_endpoint_auth_method": "none",
        "redirect_uris": ["http://127.0.0.1/cb"],
    }

    assert clients.parse(public).is_public
    with pytest.raises(BadClient, match="PKCE"):
        clients.parse({**public, "require_pkce": False})
    with pytest.raises(BadClient, match="client_credentials"):
        clients.parse({**public, "grant_types": ["client_credentials"], "redirect_uris": []})


def test_localhost_is_a_redirect_only_where_the_client_says_so() -> None:
    local = {**SHOP, "redirect_uris": ["http://localhost:8080/cb"], "localhost_redirects": True}

    assert clients.parse(local).redirect_uris == ("http://localhost:8080/cb",)
