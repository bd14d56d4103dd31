"""The grant client_credentials: a token of the client's own, without a user and without a refresh token."""

import pytest

from issuer.client_credentials_grant import issue_to_client
from issuer.json_responses import OAuthError
from tests.scripts.oauth.in_memory import Stores, document, token_request
from tests.scripts.oauth.token_stage import API, OTHER_API


async def test_the_client_itself_is_the_subject() -> None:
    stores = Stores()

    found = document(await issue_to_client(token_request(stores, "", "opaque-shop")))

    assert found == {
        "access_token": found["access_token"],
        "token_type": "Bearer",
        "expires_in": 600,
        "scope": "orders.read orders.write",
    }
    record = await token_request(stores, "").storage.access(str(found["access_token"]))
    assert record is not None
    assert (record.sub, record.user_id, record.grant_id) == ("opaque-shop", None, None)
    assert record.audience == (API,)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ("scope=openid", "invalid_scope"),
        ("scope=email%20orders.read", "invalid_scope"),
        ("scope=unknown", "invalid_scope"),
        ("resource=https://evil.example", "invalid_target"),
    ],
)
async def test_what_is_a_users_or_another_resources_is_not_given(fields: str, error: str) -> None:
    with pytest.raises(OAuthError) as raised:
        await issue_to_client(token_request(Stores(), fields))

    assert raised.value.error == error


async def test_less_can_be_asked_for() -> None:
    stores = Stores()
    fields = f"scope=orders.read&resource={OTHER_API}"

    found = document(await issue_to_client(token_request(stores, fields, "opaque-shop")))

    record = await token_request(stores, "").storage.access(str(found["access_token"]))
    assert record is not None
    assert (record.scope, record.audience) == (("orders.read",), (OTHER_API,))


async def test_a_public_client_has_no_credentials() -> None:
    """RFC 6749 section 4.4: only confidential clients."""
    with pytest.raises(OAuthError) as raised:
        await issue_to_client(token_request(Stores(), "", "app"))

    assert raised.value.error == "unauthorized_client"
