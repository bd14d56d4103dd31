"""/authorize: sends the user to login or consent, or grants the request."""

import secrets

from issuer import authorization_decision, end_marks, html_responses
from issuer.authorization_decision import AskForConsent, AskForLogin, Decision, GrantCode
from issuer.authorization_request import AuthorizationError, AuthorizationRequest, InvalidRequest
from issuer.authorization_response import (
    code_response,
    error_response,
    read_pending_request,
    refuse_invalid_request,
)
from issuer.consent_page import consent_page
from issuer.digests import digest
from issuer.endpoint_response import EndpointResponse
from issuer.page_context import PageContext, SignedIn
from issuer.records import Code
from issuer.sessions import Consent


async def authorize(context: PageContext) -> EndpointResponse:
    parameters = context.query()
    if context.request.method == "POST":
        request = await read_pending_request(context, parameters.joined_with(await context.body()))
        # A browser sends no Lax cookie with a form of another site, but it does with the GET that follows.
        return html_responses.redirect(context.path("/authorize", request.query))
    request = await read_pending_request(context, parameters)
    if isinstance(request, InvalidRequest):
        return await refuse_invalid_request(context, request)
    signed_in = await context.signed_in()
    try:
        decision = await decide(context, request, signed_in)
    except AuthorizationError as error:
        return error_response(context, request.target, error)
    match decision:
        case AskForConsent() if signed_in is not None:
            return consent_page(context, request, signed_in)
        case GrantCode() if signed_in is not None:
            return await grant_code(context, request, signed_in)
        case _:
            return html_responses.redirect(context.path("/login", request.query), status=302)


async def decide(context: PageContext, request: AuthorizationRequest, signed_in: SignedIn | None) -> Decision:
    """Raises AuthorizationError."""
    if signed_in is None:
        return authorization_decision.decide(request, None, Consent("", ""), None, now=context.now)
    consent = await find_consent(context, request, signed_in)
    hinted = await _hinted_subject(context, request)
    return authorization_decision.decide(request, signed_in.session, consent, hinted, now=context.now)


async def find_consent(context: PageContext, request: AuthorizationRequest, signed_in: SignedIn) -> Consent:
    client = request.target.client
    return await context.sessions.consent(signed_in.user.id, client.client_id, epoch=_epoch(request, signed_in))


def _epoch(request: AuthorizationRequest, signed_in: SignedIn) -> str:
    return end_marks.for_client(signed_in.session.epoch, request.target.client.registration)


async def _hinted_subject(context: PageContext, request: AuthorizationRequest) -> str | None:
    """The `sub` of the id_token_hint; empty if it cannot be verified or was made for another client."""
    if request.id_token_hint is None:
        return None
    hint = await context.server.read_hint(request.id_token_hint)
    is_own = hint.is_verified and hint.client_id == request.target.client.client_id
    return hint.subject if is_own and hint.subject is not None else ""


async def needs_login_or_account(context: PageContext, request: AuthorizationRequest, signed_in: SignedIn) -> bool:
    """Raises AuthorizationError."""
    decision = await decide(context, request, signed_in)
    return isinstance(decision, AskForLogin | authorization_decision.AskForAccount)


async def grant_code(context: PageContext, request: AuthorizationRequest, signed_in: SignedIn) -> EndpointResponse:
    code, session = secrets.token_urlsafe(32), signed_in.session
    record = Code(
        client_id=request.target.client.client_id,
        user_id=signed_in.user.id,
        grant_id=secrets.token_urlsafe(16),
        redirect_uri=request.target.redirect_uri,
        redirect_uri_sent=request.target.redirect_uri_sent,
        scope=request.scope,
        expires_at=context.now + context.settings.code_ttl_seconds,
        auth_time=session.auth_time,
        nonce=request.nonce,
        code_challenge=request.code_challenge,
        resource=request.resource,
        amr=("pwd",),
        session=digest(signed_in.session_id),
        epoch=_epoch(request, signed_in),
    )
    await context.store.put_code(code, record)
    after = authorization_decision.after_use(session, request)
    if after != session:
        await context.sessions.put(signed_in.session_id, after, now=context.now)
    return code_response(context, request.target, code)
