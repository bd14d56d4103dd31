"""A client's request as it was parsed, made into the core's Request; strict where the parser is lenient."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edgeworker.admission import Field, Refusal
from edgeworker.config import Limits
from edgeworker.messages import URL, Body, Client, Headers, InvalidURL, Request, Response
from edgeworker.server import proxies
from edgeworker.server.client_body import ClientBody, too_large
from edgeworker.server.http1.request_parser import RequestHead

if TYPE_CHECKING:
    from edgeworker.server.client_connection import ClientConnection

_ABSOLUTE: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]+)(.*)", re.DOTALL)


class ReceivedRequest:
    """A request that is being served, and its progress. `body` is None if it has none.

    `request`, `client` and `response` are there once they are known. `status` is what the client was answered, 0 until
    the response begins; `is_complete` is False if the response was cut or the client has gone.
    """

    __slots__ = (
        "begun",
        "body",
        "client",
        "connection",
        "head",
        "is_complete",
        "request",
        "response",
        "sent_bytes",
        "status",
    )

    def __init__(self, connection: "ClientConnection", head: RequestHead, body: ClientBody | None) -> None:
        self.connection = connection
        self.head = head
        self.body = body
        self.begun = 0.0
        self.client = connection.client
        self.request: Request | None = None
        self.response: Response | None = None
        self.status = 0
        self.sent_bytes = 0
        self.is_complete = True

    @property
    def url(self) -> str:
        """For a log: without the query, which may hold a token."""
        return "-" if self.request is None else f"{self.request.url.origin}{self.request.url.path}"


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """`OPTIONS *`: a question about the server and not about a resource (RFC 9110, section 9.3.7)."""


def build_request(
    head: RequestHead,
    body: ClientBody | None,
    *,
    scheme: str,
    client: Client,
    limits: Limits,
    cf: Mapping[str, object] | None = None,
) -> Request | ServerOptions | Refusal:
    """The core's Request, whose body refuses what `limits` does not allow while it is read."""
    if head.expect is not None and head.expect.lower() != b"100-continue":
        return Refusal(417, 'The only expectation that can be met is "100-continue".')
    if head.coding is not None:
        if head.http10:
            return Refusal(400, "HTTP/1.0 has no Transfer-Encoding.")
        if head.coding.lower() != b"chunked":
            # llhttp reads "gzip, chunked" as chunked, and the next reader would not know that it is compressed.
            return Refusal(501, 'The only Transfer-Encoding that is understood is "chunked".')
    if head.method == "CONNECT":
        return Refusal(405, "The method CONNECT is not allowed: this server is not a proxy.")
    target = head.target.decode("ascii")
    is_about_server = target == "*" and head.method == "OPTIONS"
    url = _build_url(scheme, head, "/" if is_about_server else target)
    if isinstance(url, Refusal):
        return url
    if is_about_server:
        return ServerOptions()
    if head.length is not None and head.length > limits.body_bytes:
        return too_large(limits)
    content: Body | None = None
    if body is not None:
        whole = None if head.length is None else body.take_all()
        content = Body(body, length=head.length) if whole is None else Body(whole)
    elif head.length == 0:
        content = Body(b"")
    return Request(head.method, url, Headers.from_raw(head.fields), content, cf=cf, client=client, raw_target=target)


def resolve_forwarded_client(
    fields: Sequence[Field], peer: Client, scheme: str, trusted: Sequence[proxies.Network]
) -> tuple[Client, str]:
    """Client and scheme as the trusted `peer` tells them."""
    chain = [value.decode("latin-1") for name, value in fields if name.lower() == b"x-forwarded-for"]
    protocol = [value.lower() for name, value in fields if name.lower() == b"x-forwarded-proto"]
    client = proxies.forwarded_client(chain, peer, trusted) if chain else peer
    return client, protocol[0].decode("ascii") if protocol in ([b"http"], [b"https"]) else scheme


def _build_url(scheme: str, head: RequestHead, target: str) -> URL | Refusal:
    if head.hosts != 1 or not head.host:
        return Refusal(400, "A request needs a Host." if head.hosts < 2 else "Host was sent twice.")
    name = head.host.decode("latin-1")
    if not target.startswith("/"):
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None:
            return Refusal(400, "The request target must be a path that begins with a slash.")
        if absolute[1].lower() != scheme or absolute[2].lower() != name.lower():
            return Refusal(421, "The request target names another server than Host.")
        target = absolute[3] if absolute[3].startswith("/") else "/" + absolute[3]
    try:
        return URL.from_target(scheme, name, target)
    except InvalidURL as error:
        return Refusal(400, f"{error}.")
