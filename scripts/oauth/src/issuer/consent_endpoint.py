"""/code: the consent form. The request is parsed again, and the form's token proves that it was displayed."""

from typing import Final

from issuer import authorization_decision, html_responses
from issuer.authorization_decision import AskForConsent
from issuer.authorization_request import AuthorizationError, AuthorizationRequest, InvalidRequest
from issuer.authorization_response import error_response, read_pending_request, refuse_invalid_request
from issuer.authorize_endpoint import decide, find_consent, grant_code, needs_login_or_account
from issuer.consent_page import consent_page
from issuer.endpoint_response import EndpointResponse
from issuer.page_context import PageContext, PageError, SignedIn

OUTDATED: Final = "The page that you used was too old, so nothing was allowed. Please decide once more."


async def answer_consent(context: PageContext) -> EndpointResponse:
    request = await read_pending_request(context, context.query())
    if isinstance(request, InvalidRequest):
        return await refuse_invalid_request(context, request)
    signed_in = await context.signed_in()
    if signed_in is None:
        return html_responses.redirect(context.path("/login", request.query))
    try:
        if not await context.is_own_form(signed_in.session_id, "consent", request.query):
            return await _ask_again(context, request, signed_in)
        decision = (await context.body()).get("decision")
        if decision not in ("allow", "deny"):
            raise PageError(400, "This request cannot be read", "The form says neither to allow nor to deny.")
        if decision == "deny":
            raise AuthorizationError("access_denied", "the user did not allow it")
        if await needs_login_or_account(context, request, signed_in):
            return html_responses.redirect(context.path("/authorize", request.query))
        if authorization_decision.is_remembered(request):
            consent = await find_consent(context, request, signed_in)
            await context.sessions.remember(consent.with_more(request.scope, request.resource), now=context.now)
        return await grant_code(context, request, signed_in)
    except AuthorizationError as error:
        return error_response(context, request.target, error)


async def _ask_again(context: PageContext, request: AuthorizationRequest, signed_in: SignedIn) -> EndpointResponse:
    """For a form of another session: the user logged in again in another tab, or another site made the form.

    Raises AuthorizationError.
    """
    if isinstance(await decide(context, request, signed_in), AskForConsent):
        return consent_page(context, request, signed_in, notice=OUTDATED, status=403)
    raise PageError(
        403,
        "This page was too old",
        "Nothing was allowed. Go back to the app and begin again. If no app brought you here, close this page.",
    )
