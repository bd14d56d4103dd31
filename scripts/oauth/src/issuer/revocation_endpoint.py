"""/revoke (RFC 7009)."""

from issuer.clients import RegisteredClient
from issuer.endpoint_context import EndpointContext
from issuer.endpoint_response import EndpointResponse
from issuer.form_parameters import Parameters
from issuer.introspection_endpoint import MAX_TOKEN_LENGTH, find_family
from issuer.json_responses import json_response
from issuer.token_request import require


async def revoke(context: EndpointContext, parameters: Parameters, client: RegisteredClient) -> EndpointResponse:
    """200 also for a token that is unknown or another client's; then nothing happens."""
    token = require(parameters, "token")
    storage = context.storage
    if len(token) <= MAX_TOKEN_LENGTH:
        family = await find_family(context, token)
        record = None if family is not None else await storage.access(token)
        if family is not None and family.client_id == client.client_id:
            await storage.revoke(family.grant_id, family.user_id)
        elif record is not None and record.client_id == client.client_id:
            await storage.drop_access(token, record)
    return json_response({})
