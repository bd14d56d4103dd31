"""/resource/: the protected resource of Cloudflare's article: the user's record, as far as the scope goes."""

from issuer.bearer_token import require_user
from issuer.endpoint_context import EndpointContext
from issuer.endpoint_response import EndpointResponse
from issuer.json_responses import OAuthError, json_response
from issuer.userinfo_endpoint import claims_of


async def resource(context: EndpointContext) -> EndpointResponse:
    record, user = await require_user(context, None)
    settings = context.settings
    if not {settings.issuer, settings.url("/resource"), settings.resources[0]} & set(record.audience):
        raise OAuthError(
            "invalid_token", "The access token is meant for another resource", status=401, challenge="Bearer"
        )
    return json_response(
        {
            "path": context.request.path,
            "client_id": record.client_id,
            "scope": " ".join(record.scope),
            "user": {**claims_of(user, record.scope), "created": user.created},
        }
    )
