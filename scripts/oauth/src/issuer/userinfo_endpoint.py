"""/userinfo (OpenID Connect Core section 5.3)."""

from issuer.bearer_token import require_user
from issuer.endpoint_context import EndpointContext
from issuer.endpoint_response import EndpointResponse
from issuer.json_responses import json_response
from issuer.users import User


async def userinfo(context: EndpointContext) -> EndpointResponse:
    record, user = await require_user(context, "openid")
    return json_response(claims_of(user, record.scope))


def claims_of(user: User, scope: tuple[str, ...]) -> dict[str, object]:
    """The claims of a user that a scope covers (OpenID Connect Core section 5.4); one without a value is left out."""
    claims: dict[str, object] = {"sub": user.id}
    if "profile" in scope:
        claims |= {**user.claims, "sub": user.id}
        if user.name:
            claims["name"] = user.name
    if "email" in scope:
        claims |= {"email": user.email, "email_verified": user.email_verified}
    return claims
