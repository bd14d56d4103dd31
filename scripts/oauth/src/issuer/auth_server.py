"""What the auth worker answers: which page a path is, and what becomes of errors. The worker itself only translates."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from issuer import authorizing, logging_in, logging_out, pages, replies, style
from issuer.replies import Reply
from issuer.unavailable import Unavailable
from issuer.visits import Failed, Visit

_log = logging.getLogger("oauth")

RETRY_SECONDS: Final = 5


Page = Callable[[Visit], Awaitable[Reply]]

# Paths are compared whole: neither "/x/authorize-evil" nor "/token/authorize" is one of them.
PAGES: Final[Mapping[str, tuple[Page, tuple[str, ...]]]] = {
    "/authorize": (authorizing.authorize, ("GET", "POST")),
    "/login": (logging_in.login, ("GET", "POST")),
    "/code": (authorizing.code, ("POST",)),
    "/logout": (logging_out.logout, ("GET", "POST")),
    "/signup": (logging_in.signup, ("GET", "POST")),
}


async def answer(visit: Visit) -> Reply:
    try:
        reply = await _answer(visit)
    except Failed as failed:
        text = pages.message(visit.frame, failed.title, failed.text, details=failed.details)
        reply = replies.page(text, status=failed.status)
    except Unavailable as error:
        _log.error("a store does not answer: %s", error)
        text = pages.message(
            visit.frame, "Not available just now", "This server cannot reach its data. Please try again in a moment."
        )
        reply = replies.page(text, status=503, retry_after_seconds=RETRY_SECONDS)
    return reply.with_cookies(*visit.cookies)


async def _answer(visit: Visit) -> Reply:
    asked = visit.asked
    base = visit.settings.path
    name = asked.path.removeprefix(base) if asked.path.startswith(base) else ""
    if name == "/style.css":
        return replies.stylesheet(style.CSS)
    if name not in PAGES:
        raise Failed(404, "There is nothing here", "Go back to the app that you came from and try again.")
    page, methods = PAGES[name]
    if ("GET" if asked.method == "HEAD" else asked.method) not in methods:
        text = pages.message(
            visit.frame, "Not like this", "This page is opened by the app that you came from, or by its own form."
        )
        reply = replies.page(text, status=405)
        allowed = ", ".join(methods) + (", HEAD" if "GET" in methods else "")
        return Reply(reply.status, reply.text, (*reply.fields, ("allow", allowed)))
    return await page(visit)
