"""The grant type client_credentials (RFC 6749 section 4.4)."""

from issuer import token_response
from issuer.endpoint_response import EndpointResponse
from issuer.json_responses import OAuthError
from issuer.store_bindings import Unavailable
from issuer.token_issuance import AuthorizedAccess
from issuer.token_request import TokenRequest, allowed_scope, effective_audience, effective_scope

# Scopes about a user; this grant involves none.
_USER_SCOPES = frozenset({"openid", "offline_access", "profile", "email"})


async def issue_to_client(request: TokenRequest) -> EndpointResponse:
    client, settings = request.client, request.settings
    if client.is_public:
        raise OAuthError("unauthorized_client", "A public client has no credentials")
    own = tuple(name for name in allowed_scope(client, settings) if name not in _USER_SCOPES)
    access = AuthorizedAccess(
        client=client,
        sub=client.client_id,
        scope=effective_scope(request.parameters.get("scope"), own, client, settings),
        audience=effective_audience(request.parameters.all("resource"), (), client, settings),
        now=request.now,
    )
    issued = await token_response.issue(request, access)
    try:
        await token_response.take_back_if_ended(request, issued)
    except Unavailable:
        await token_response.withdraw(request, issued)
        raise
    return token_response.token_response(request, access, issued)
