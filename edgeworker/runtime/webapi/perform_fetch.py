"""A script's `fetch()`: sends a request out of the current invocation and follows redirects.

Source: https://fetch.spec.whatwg.org/#http-redirect-fetch
"""

import re
from typing import Final

from edgeworker import messages
from edgeworker.errors import EdgeworkerError, with_cause
from edgeworker.handler import Context, Handler
from edgeworker.messages import URL, Body, InvalidURL
from edgeworker.runtime.webapi.base import type_error
from edgeworker.runtime.webapi.data_url import answer_data_url
from edgeworker.runtime.webapi.fetch_failure import FetchFailed
from edgeworker.runtime.webapi.written_url import is_fetched, with_user_info

MAX_REDIRECTS: Final = 20
_NOT_ASCII: Final = re.compile(rb"[\x80-\xff]")
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# Credentials must not reach another origin; the standard requires it of the first of these only.
_CREDENTIALS: Final = frozenset({b"authorization", b"cookie", b"proxy-authorization", b"host"})
_BODY_FIELDS: Final = frozenset(
    {b"content-length", b"content-type", b"content-encoding", b"content-language", b"content-location"}
)


_ONE_TIME_BODY: Final = (
    "A request with a one-time-use body (it was initialized from a stream, not a buffer) encountered a redirect "
    "requiring the body to be retransmitted. To avoid this error in the future, construct this request from a "
    "buffer-like body initializer."
)
_NO_LOCATION: Final = "Invalid Location header; unable to follow redirect."


class Fetched:
    """A response and how it came: from the URL that answered at last, or from none, and whether that was another one
    than asked for."""

    __slots__ = ("_from", "_written", "redirected", "response")

    def __init__(
        self, response: messages.Response, answered: URL | None, written: str | None, *, redirected: bool
    ) -> None:
        """`written` is how the script wrote the URL, where that is more than can be sent."""
        self.response = response
        self.redirected = redirected
        self._from = answered
        self._written = written

    @property
    def url(self) -> str:
        """As a script reads it; "" if there is none."""
        return "" if self._from is None else with_user_info(self._from, self._written)


async def perform(request: messages.Request, context: Context, target: Handler | None = None) -> Fetched:
    """Raises FetchFailed, and JsException (TypeError) for a redirect that wants a stream again.

    `target` is where it goes; the default is where this invocation's subrequests go."""
    url, written = request.url, request.written_url
    if written is not None and not is_fetched(url):
        return Fetched(_answer_at_once(written, request.method), None, written, redirected=False)
    handler = context.subrequest if target is None else target
    incoming = context.request
    outgoing, headers = request, request.headers
    if request.cache_mode is not None:
        headers = _with_cache_fields(headers)
    if url is not incoming.url and headers.get("host") not in (None, url.host):
        headers = headers.without(frozenset({b"host"}))
    # Subrequests make their own copy of what is sent, and see to its Host.
    if target is not None or headers is not request.headers or written is not None:
        outgoing = messages.Request(
            request.method,
            url,
            headers,
            request.body,
            redirect=request.redirect,
            cf=request.cf,
            client=incoming.client,
            hops=incoming.hops,
            trace=incoming.trace,
        )
    for count in range(MAX_REDIRECTS + 1):
        # A follower may need the body again; bytes can be sent twice, a stream cannot.
        content = None if outgoing.body is None or outgoing.body.one_time else outgoing.body.complete
        try:
            response = await handler.fetch(outgoing)
        except EdgeworkerError as error:
            text = f"{outgoing.method} {_describe_place(outgoing.url)}: {error}"
            raise with_cause(FetchFailed(text), error) from error
        location = _read_location(response) if response.status in _REDIRECTS else None
        if location is None or request.redirect == "manual":
            return Fetched(response, outgoing.url, written, redirected=count > 0)
        await response.close()
        outgoing = _next(outgoing, response.status, location, content)
    raise FetchFailed(f"Too many redirects ({MAX_REDIRECTS}), the last one from {_describe_place(outgoing.url)}")


def _answer_at_once(url: str, method: str) -> messages.Response:
    """Raises JsException (TypeError) for a scheme that nothing answers."""
    answer = answer_data_url(url, method)
    if answer is None:
        raise type_error(f"Fetch API cannot load: {url}")
    return answer


def _with_cache_fields(headers: messages.Headers) -> messages.Headers:
    sent = headers.copy()
    for name in ("Cache-Control", "Pragma"):
        if not sent.has(name):
            sent.append(name, "no-cache")
    return sent


def _read_location(response: messages.Response) -> str | None:
    """Percent-encoded where it is not ASCII, whatever encoding its bytes are in. An empty one leads nowhere."""
    raw = response.headers.get_bytes("location")
    return None if not raw else _NOT_ASCII.sub(lambda found: b"%%%02X" % found[0][0], raw).decode("ascii")


def _next(request: messages.Request, status: int, location: str, content: bytes | None) -> messages.Request:
    try:
        url = request.url.join(location)
    except InvalidURL as error:
        place = _describe_place(request.url)
        raise type_error(f"{_NO_LOCATION} {place} redirects to what is not an http(s) URL: {error}") from error
    headers, method, body = request.headers, request.method, request.body
    becomes_get = (status in (301, 302) and method == "POST") or (status == 303 and method not in ("GET", "HEAD"))
    if becomes_get:
        method, body, headers = "GET", None, headers.without(_BODY_FIELDS)
    elif body is not None:
        if content is None:
            raise type_error(_ONE_TIME_BODY)
        body = Body(content)
    if url.origin != request.url.origin:
        headers = headers.without(_CREDENTIALS)
    return messages.Request(
        method,
        url,
        headers,
        body,
        redirect=request.redirect,
        cf=request.cf,
        client=request.client,
        hops=request.hops,
        trace=request.trace,
    )


def _describe_place(url: URL) -> str:
    """Without the query: it may hold a secret, and the text ends up in logs."""
    return url.origin + url.path
