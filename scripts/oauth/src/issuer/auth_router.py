"""The paths and methods of the auth worker's pages, and their errors."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from issuer import html_responses, pages, style
from issuer.authorize_endpoint import authorize
from issuer.consent_endpoint import answer_consent
from issuer.endpoint_response import EndpointResponse
from issuer.login_endpoint import login
from issuer.logout_endpoint import logout
from issuer.page_context import PageContext, PageError
from issuer.signup_endpoint import signup
from issuer.store_bindings import Unavailable

_log = logging.getLogger("oauth")

RETRY_SECONDS: Final = 5

Page = Callable[[PageContext], Awaitable[EndpointResponse]]

# Paths are compared whole: neither "/x/authorize-evil" nor "/token/authorize" is one of them.
PAGES: Final[Mapping[str, tuple[Page, tuple[str, ...]]]] = {
    "/authorize": (authorize, ("GET", "POST")),
    "/login": (login, ("GET", "POST")),
    "/code": (answer_consent, ("POST",)),
    "/logout": (logout, ("GET", "POST")),
    "/signup": (signup, ("GET", "POST")),
}


async def answer(context: PageContext) -> EndpointResponse:
    is_head = context.request.method == "HEAD"
    if is_head:
        # HEAD changes nothing (RFC 9110 section 9.2.1): without its cookies it cannot issue a code or end a session.
        context.request = replace(context.request, cookie=None)
    try:
        response = await _answer(context)
    except PageError as error:
        text = pages.message(context.frame, error.title, error.text, details=error.details)
        response = html_responses.page(text, status=error.status)
    except Unavailable as error:
        _log.error("a store does not answer: %s", error)
        text = pages.message(
            context.frame, "Not available just now", "This server cannot reach its data. Please try again in a moment."
        )
        response = html_responses.page(text, status=503, retry_after_seconds=RETRY_SECONDS)
    return response if is_head else response.with_cookies(*context.cookies)


async def _answer(context: PageContext) -> EndpointResponse:
    request = context.request
    base = context.settings.path
    name = request.path.removeprefix(base) if request.path.startswith(base) else ""
    if name == "/style.css":
        return html_responses.stylesheet(style.CSS)
    if name not in PAGES:
        raise PageError(404, "There is nothing here", "Go back to the app that you came from and try again.")
    page, methods = PAGES[name]
    if ("GET" if request.method == "HEAD" else request.method) not in methods:
        text = pages.message(
            context.frame, "This does not work here", "An app opens this page, or the page's own form does."
        )
        allowed = ", ".join(methods) + (", HEAD" if "GET" in methods else "")
        return html_responses.page(text, status=405).with_fields((("allow", allowed),))
    return await page(context)
