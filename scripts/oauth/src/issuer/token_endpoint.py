"""The token endpoint: chooses the grant of a token request."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from issuer.authorization_code_grant import exchange_code
from issuer.client_credentials_grant import issue_to_client
from issuer.endpoint_response import EndpointResponse
from issuer.json_responses import OAuthError
from issuer.refresh_token_grant import refresh
from issuer.token_request import TokenRequest

GrantHandler = Callable[[TokenRequest], Awaitable[EndpointResponse]]

GRANTS: Final[Mapping[str, GrantHandler]] = {
    "authorization_code": exchange_code,
    "refresh_token": refresh,
    "client_credentials": issue_to_client,
}


async def answer(request: TokenRequest) -> EndpointResponse:
    """Raises OAuthError or Unavailable."""
    name = request.required("grant_type")
    grant = GRANTS.get(name)
    if grant is None:
        raise OAuthError("unsupported_grant_type", "This grant type is not offered here")
    if name not in request.client.grant_types:
        raise OAuthError("unauthorized_client", "The client may not use this grant type")
    return await grant(request)
