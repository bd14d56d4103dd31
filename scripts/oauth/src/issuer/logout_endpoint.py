"""/logout: OpenID Connect RP-Initiated Logout 1.0, and the same for a user who opens the page."""

import logging
from dataclasses import dataclass
from typing import Final

from issuer import auth_pages, cookies, csrf, html_responses, pages, redirect_uris
from issuer.clients import RegisteredClient
from issuer.endpoint_response import EndpointResponse
from issuer.form_parameters import Parameters
from issuer.page_context import PageContext, PageError, app, person

_log = logging.getLogger("oauth")

PARAMETERS: Final = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """`subject` is the user of a verified id_token_hint. Without one the user is asked."""

    query: str
    client: RegisteredClient | None
    subject: str | None
    redirect_uri: str | None
    state: str | None


async def logout(context: PageContext) -> EndpointResponse:
    parameters = context.query()
    if context.request.method == "POST":
        body = await context.body()
        if body.get("csrf") is None:
            # Another site may post a logout request. Its browser sends our session with the GET that follows.
            request = await _parse(context, parameters.joined_with(body))
            return html_responses.redirect(context.path("/logout", request.query))
        return await _answer_form(context, await _parse(context, parameters))
    request = await _parse(context, parameters)
    signed_in = await context.signed_in()
    if signed_in is None:
        return _signed_out(context, request)
    if request.subject == signed_in.user.id:
        await context.sessions.end(signed_in.session_id)
        return _signed_out(context, request)
    text = auth_pages.confirm_logout(
        context.frame,
        pages.PostForm(
            context.path("/logout", request.query), csrf.token(signed_in.session_id, "logout", request.query)
        ),
        who=person(signed_in.user),
        app=None if request.client is None else app(request.client, request.redirect_uri or ""),
    )
    return context.page(text, form_source=_form_source(request))


async def _answer_form(context: PageContext, request: LogoutRequest) -> EndpointResponse:
    signed_in = await context.signed_in()
    if signed_in is None:
        return _signed_out(context, request)
    if not await context.is_own_form(signed_in.session_id, "logout", request.query):
        raise PageError(
            403,
            "This page was too old",
            "You are still signed in. Open the page to sign out again, and try once more.",
        )
    body = await context.body()
    if body.get("action") == "stay":
        return html_responses.redirect(context.path("/login"))
    if body.get("action") != "logout":
        raise PageError(400, "This request cannot be read", "The form does not say what to do.")
    if body.get("everywhere") == "yes":
        await context.store.end_all(signed_in.user.id, now=context.now)
        _log.info("user %s ended all sessions and grants", signed_in.user.id)
    await context.sessions.end(signed_in.session_id)
    return _signed_out(context, request)


async def _parse(context: PageContext, parameters: Parameters) -> LogoutRequest:
    """Raises PageError for a repeated parameter, and for an unregistered address: nothing is redirected there."""
    if repeated := parameters.repeated(PARAMETERS):
        raise PageError(400, "You are still signed in", f"The request has {repeated[0]} more than once.")
    named, hint_text = parameters.get("client_id"), parameters.get("id_token_hint")
    hint = None if hint_text is None else await context.server.read_hint(hint_text)
    if hint is not None and hint.is_verified and named not in (None, hint.client_id):
        raise PageError(400, "You are still signed in", "The request names one app, and its id_token_hint another one.")
    # A hint that no key verifies (it may be older than the last key rotation) proves no more than client_id does: it
    # says which registered addresses are possible, and the user is asked.
    client_id = hint.client_id if hint is not None and hint.is_verified else named or (hint and hint.client_id) or None
    client = None if client_id is None else await context.store.client(client_id)
    if client is not None and client.disabled:
        client = None
    uri = parameters.get("post_logout_redirect_uri")
    if uri is not None and not (client is not None and _is_registered(uri, client)):
        raise PageError(
            400,
            "You are still signed in",
            "The address to go to afterwards (post_logout_redirect_uri) is not registered for an app that the request "
            "names. Open this page without it to sign out.",
            details="For your safety you were not sent there.",
        )
    is_proven = client is not None and hint is not None and hint.is_verified
    return LogoutRequest(
        query=parameters.query(PARAMETERS),
        client=client,
        subject=hint.subject if is_proven and hint is not None else None,
        redirect_uri=uri,
        state=parameters.get("state"),
    )


def _is_registered(uri: str, client: RegisteredClient) -> bool:
    return uri in client.post_logout_redirect_uris and redirect_uris.match(uri, (uri,))


def _form_source(request: LogoutRequest) -> str | None:
    if request.redirect_uri is None or request.client is None:
        return None
    registered = (*request.client.redirect_uris, *request.client.post_logout_redirect_uris)
    return redirect_uris.form_sources(request.redirect_uri, registered)


def _signed_out(context: PageContext, request: LogoutRequest) -> EndpointResponse:
    """The response once this browser has no session any more."""
    if context.session_id is not None:
        context.cookies.append(cookies.remove(cookies.SESSION, context.settings.issuer))
    if request.redirect_uri is None:
        text = pages.message(
            context.frame,
            "You are signed out",
            "Your session in this browser has ended. Apps that you use may keep sessions of their own.",
            link=(context.path("/login"), "Sign in again"),
        )
        return context.page(text)
    parameters = {} if request.state is None else {"state": request.state}
    location = redirect_uris.with_parameters(request.redirect_uri, parameters) if parameters else request.redirect_uri
    return html_responses.redirect(location, status=303 if context.request.method == "POST" else 302)
