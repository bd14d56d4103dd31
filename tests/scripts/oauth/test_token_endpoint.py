"""The token endpoint: one grant for each grant_type, if the client may use it."""

import pytest

from issuer import token_endpoint
from issuer.clients import GRANT_TYPES
from issuer.json_responses import OAuthError
from tests.scripts.oauth.in_memory import Stores, document, token_request


@pytest.mark.parametrize(
    ("fields", "client_id", "error"),
    [
        # RFC 6749 section 5.2
        ("", "shop", "invalid_request"),
        ("grant_type=", "shop", "invalid_request"),
        ("grant_type=password", "shop", "unsupported_grant_type"),
        ("grant_type=implicit", "shop", "unsupported_grant_type"),
        ("grant_type=Client_Credentials", "shop", "unsupported_grant_type"),
        ("grant_type=client_credentials", "app", "unauthorized_client"),
        ("grant_type=refresh_token&refresh_token=a", "api", "unauthorized_client"),
        ("grant_type=authorization_code", "shop", "invalid_request"),  # its own error: the code is missing
    ],
)
async def test_what_cannot_be_granted_is_told_apart(fields: str, client_id: str, error: str) -> None:
    request = token_request(Stores(), fields, client_id)

    with pytest.raises(OAuthError) as raised:
        await token_endpoint.answer(request)

    assert raised.value.error == error


async def test_a_grant_that_the_client_has_is_used() -> None:
    response = await token_endpoint.answer(token_request(Stores(), "grant_type=client_credentials"))

    assert document(response)["token_type"] == "Bearer"


def test_each_grant_type_that_can_be_registered_has_its_grant() -> None:
    assert set(token_endpoint.GRANTS) == set(GRANT_TYPES)
