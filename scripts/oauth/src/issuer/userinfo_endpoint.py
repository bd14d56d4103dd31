"""/userinfo (OpenID Connect Core section 5.3)."""

from issuer.bearer_token import require_user
from issuer.endpoint_context import EndpointContext
from issuer.endpoint_response import EndpointResponse
from issuer.json_responses import json_response
from issuer.userinfo_claims import claims_of


async def userinfo(context: EndpointContext) -> EndpointResponse:
    record, user = await require_user(context, "openid")
    return json_response(claims_of(user, record.scope))
