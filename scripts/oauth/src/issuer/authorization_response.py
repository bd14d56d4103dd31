"""The authorization response: a code or an error for the client, and whom it may be sent to."""

import logging

from issuer import auth_pages, authorization_request, html_responses, redirect_uris
from issuer.authorization_request import (
    AuthorizationError,
    InvalidRequest,
    PendingRequest,
    ResponseTarget,
    UntrustedRedirectError,
)
from issuer.endpoint_response import EndpointResponse
from issuer.form_parameters import Parameters
from issuer.page_context import PageContext, PageError, app

_log = logging.getLogger("oauth")


async def read_pending_request(context: PageContext, parameters: Parameters) -> PendingRequest:
    """The authorization request of a verified client. Raises PageError for any other: nothing may be redirected."""
    try:
        named = authorization_request.client_id(parameters)
        target = authorization_request.find_target(parameters, await context.store.client(named))
    except UntrustedRedirectError as error:
        _log.info("an authorization request was refused: %s", error)
        raise PageError(
            400,
            "This app cannot sign you in",
            f"{error} Go back to the app and try again. If this happens again, tell the people who run the app.",
            details="For your safety you were not sent back to the app.",
        ) from None
    return authorization_request.parse(parameters, target, context.settings)


async def refuse_invalid_request(context: PageContext, request: InvalidRequest) -> EndpointResponse:
    """Sends the error to the client if the user is authenticated, or if the request is silent; else asks for a login
    first (RFC 9700 section 4.11.2)."""
    if request.silent or await context.signed_in() is not None:
        return error_response(context, request.target, request.error)
    status = 303 if context.request.method == "POST" else 302
    return html_responses.redirect(context.path("/login", request.query), status=status)


def error_response(context: PageContext, target: ResponseTarget, error: AuthorizationError) -> EndpointResponse:
    return _send(context, target, {"error": error.error, "error_description": error.description})


def code_response(context: PageContext, target: ResponseTarget, code: str) -> EndpointResponse:
    return _send(context, target, {"code": code})


def _send(context: PageContext, target: ResponseTarget, parameters: dict[str, str]) -> EndpointResponse:
    """By redirect or by form; always with the issuer, so that a client knows who answers (RFC 9207)."""
    if target.state is not None:
        parameters["state"] = target.state
    parameters["iss"] = context.settings.issuer
    if target.response_mode == "form_post":
        text = auth_pages.form_post(
            context.frame,
            app=app(target.client, target.redirect_uri),
            action=target.redirect_uri,
            parameters=parameters,
        )
        return context.page(text, form_source=target.form_sources)
    status = 303 if context.request.method == "POST" else 302
    return html_responses.redirect(redirect_uris.with_parameters(target.redirect_uri, parameters), status=status)
