"""A request on its way through the edge. Pure."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from edgeworker.messages.body import Body
from edgeworker.messages.headers import Headers
from edgeworker.messages.url import URL
from edgeworker.trace import Trace

Redirect = Literal["follow", "manual", "error"]

MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class Client:
    """Who sent the request, as the edge believes it (after trusted proxies). `ip` is text without brackets."""

    ip: str
    port: int = 0
    tls_version: str | None = None
    tls_cipher: str | None = None


# A tuple: there is one for each request, and a frozen dataclass takes many times as long to make.
class Credentials(NamedTuple):
    """What a client showed, read before the headers that carry it are stripped. Never printed."""

    authorization: str | None = None
    cookie: str | None = None
    access_token: str | None = None  # Cf-Access-Token
    access_assertion: str | None = None  # Cf-Access-Jwt-Assertion
    access_cookie: str | None = None  # the first CF_Authorization cookie
    access_metadata_request: bool = False  # Cf-Access-Metadata-Request: true, as cloudflared asks
    client_id: str | None = None  # CF-Access-Client-Id
    client_secret: str | None = None  # CF-Access-Client-Secret

    def __repr__(self) -> str:
        return "Credentials(...)"


@dataclass(slots=True)  # made for each request behind Access: a frozen one takes three times as long to make
class Access:
    """What Cloudflare Access in front of the worker established: `ctx.access` of a script. Immutable by agreement.

    `identity` is what get-identity answers, or None for a service token; where `load_identity` is given, it is what
    that gives: most workers never ask.
    """

    audience: str
    identity: Mapping[str, object] | None = field(default=None, repr=False)
    load_identity: Callable[[], Awaitable[Mapping[str, object] | None]] | None = field(
        default=None, repr=False, compare=False
    )

    async def find_identity(self) -> Mapping[str, object] | None:
        return self.identity if self.load_identity is None else await self.load_identity()


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A JWT whose signature and times API Shield verified with one of its token configurations."""

    configuration_id: str
    claims: Mapping[str, object] = field(repr=False)


LOOPBACK: Final = Client("127.0.0.1")
NO_CREDENTIALS: Final = Credentials()


class Request:
    """Immutable by agreement: what changes a request makes another with `replace`.

    `cf`, `access` and `verified_tokens` are what the edge learned on the way; they travel here and never in a global.
    `hops` counts how often this request went from a worker back into an edge. `trace` collects the way (see
    edgeworker.trace), or is None, which costs nothing.

    `cache_mode` is Fetch's option of that name, and `written_url` the URL with user info and fragment, which are not
    sent; both are of a script's own request only.

    `visible_origin` is scheme, host and port as the client's browser shows them, where they are others than the URL's
    ("http://api.example.com.localhost:8787"); None where they are the same.

    `raw_target` is what stood between the method and the version of the request line, read as UTF-8 with
    "surrogateescape" for other bytes; None where the request did not come over a socket. No decision of the edge is
    made on it. It exists for the REST API, whose KV keys may hold what a canonical URL resolves away (".."), and for
    origins that want the path as it was received (`normalize_to_origin = false`).
    """

    __slots__ = (
        "access",
        "body",
        "cache_mode",
        "cf",
        "client",
        "credentials",
        "headers",
        "hops",
        "method",
        "raw_target",
        "redirect",
        "trace",
        "url",
        "verified_tokens",
        "visible_origin",
        "written_url",
    )

    def __init__(
        self,
        method: str,
        url: URL,
        headers: Headers | None = None,
        body: Body | None = None,
        *,
        redirect: Redirect = "manual",
        cf: Mapping[str, object] | None = None,
        client: Client = LOOPBACK,
        credentials: Credentials = NO_CREDENTIALS,
        access: Access | None = None,
        verified_tokens: tuple[VerifiedToken, ...] = (),
        hops: int = 0,
        trace: Trace | None = None,
        raw_target: str | None = None,
        visible_origin: str | None = None,
        cache_mode: str | None = None,
        written_url: str | None = None,
    ) -> None:
        self.method = method
        self.url = url
        self.headers = Headers() if headers is None else headers
        self.body = body
        self.redirect: Redirect = redirect
        self.cf = cf
        self.client = client
        self.credentials = credentials
        self.access = access
        self.verified_tokens = verified_tokens
        self.hops = hops
        self.trace = trace
        self.raw_target = raw_target
        self.visible_origin = visible_origin
        self.cache_mode = cache_mode
        self.written_url = written_url

    def replace(
        self,
        *,
        method: str | None = None,
        url: URL | None = None,
        headers: Headers | None = None,
        body: Body | object | None = MISSING,
        redirect: Redirect | None = None,
        cf: Mapping[str, object] | None = None,
        client: Client | None = None,
        credentials: Credentials | None = None,
        access: Access | None = None,
        verified_tokens: tuple[VerifiedToken, ...] | None = None,
        hops: int | None = None,
        trace: Trace | None = None,
        raw_target: str | None = None,
        visible_origin: str | None = None,
    ) -> "Request":
        """A copy with these changes. Shares what is not named, the body included (it can still be read only once).

        `raw_target` stays unless another is given: it says what was received.
        """
        assert body is MISSING or body is None or isinstance(body, Body)
        return Request(
            self.method if method is None else method,
            self.url if url is None else url,
            self.headers if headers is None else headers,
            self.body if body is MISSING else body,  # type: ignore[arg-type]  # narrowed by the assertion above
            redirect=self.redirect if redirect is None else redirect,
            cf=self.cf if cf is None else cf,
            client=self.client if client is None else client,
            credentials=self.credentials if credentials is None else credentials,
            access=self.access if access is None else access,
            verified_tokens=self.verified_tokens if verified_tokens is None else verified_tokens,
            hops=self.hops if hops is None else hops,
            trace=self.trace if trace is None else trace,
            raw_target=self.raw_target if raw_target is None else raw_target,
            visible_origin=self.visible_origin if visible_origin is None else visible_origin,
            cache_mode=self.cache_mode,
            written_url=self.written_url if url is None else None,
        )

    def let_in(self, headers: Headers, access: Access) -> "Request":
        """A copy with these two, in less time than `replace`: Access makes one of each request."""
        made = Request(self.method, self.url, headers, self.body)
        made.redirect = self.redirect
        made.cf = self.cf
        made.client = self.client
        made.credentials = self.credentials
        made.access = access
        made.verified_tokens = self.verified_tokens
        made.hops = self.hops
        made.trace = self.trace
        made.raw_target = self.raw_target
        made.visible_origin = self.visible_origin
        made.cache_mode = self.cache_mode
        made.written_url = self.written_url
        return made

    def __repr__(self) -> str:
        return f"Request({self.method} {self.url.origin}{self.url.path})"
