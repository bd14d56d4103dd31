"""A test's request to the edge, and the reply as a test reads it."""

import json as json_text
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, TypedDict, TypeVar, overload

from edgeworker.config import JSON
from edgeworker.messages import URL, Client, Headers, InvalidURL, Request, Response
from edgeworker.suggestions import did_you_mean
from edgeworker.testing.content import MISSING, BodyLike, HeadersLike, Missing, body_of, headers_of
from edgeworker.trace import Trace

T = TypeVar("T")

# "/orders" without a host is for the worker that takes what no route takes, as on `edgeworker dev`.
DEFAULT_ORIGIN: Final = "http://localhost"
# From the block that documents use (RFC 5737), so that a test does not look like it came from this machine.
DEFAULT_IP: Final = "192.0.2.1"


_METHOD: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2


# What httpx, requests and Starlette's test client call it.
_OF_OTHER_CLIENTS: Final = {
    "content": "body=",
    "cookies": 'headers={"Cookie": "name=value"}',
    "data": "body=, and for a form its Content-Type in headers=",
    "params": 'them into the URL: "/orders?id=5"',
}


class CallOptions(TypedDict, total=False):
    """`ip` is the client's address. `cf` is what the script finds in `request.cf`, besides the defaults. A
    `body` of pieces is streamed; `json` sets the content type too.
    """

    headers: HeadersLike | None
    body: BodyLike | None
    json: JSON | Missing
    ip: str
    cf: Mapping[str, JSON]


def request_of(method: str, url: str, options: CallOptions) -> Request:
    """Raises InvalidURL for what is neither an http(s) URL nor a path, TypeError for options that there are not."""
    for name in options:
        if name not in CallOptions.__annotations__:
            known = ", ".join(CallOptions.__annotations__)
            raise TypeError(f"{name}= is not an option of a call{_meant(name)}; there are: {known}")
    _check_text("the URL", url, '"https://example.com/", or a path such as "/orders"')
    _check_text("the method", method, '"PATCH"')
    body, content_type = body_of(options.get("body"), options.get("json", MISSING))
    headers = headers_of(options.get("headers"), content_type)
    if body is not None and body.length is not None and not headers.has("content-length"):
        headers.append("Content-Length", str(body.length))
    if "://" not in url and not url.startswith("/"):
        example = f"https://{url}" if url else "https://example.com/"
        raise InvalidURL(f'"{url}" is not a URL; write "{example}", or a path that begins with "/"')
    target = URL.parse(DEFAULT_ORIGIN + url if url.startswith("/") else url)
    # On the wire it is Host that names the server, whatever address it was sent to.
    host = headers.get("host")
    if host is None:
        headers = Headers.from_raw([(b"Host", target.host.encode("ascii")), *headers.raw])
    else:
        target = URL.from_target(target.scheme, host, target.target)
    if _METHOD.fullmatch(method) is None:
        raise ValueError(f'"{method}" is not a method; write one such as "PATCH"')
    client = Client(_address(options.get("ip", DEFAULT_IP)), 54321)
    return Request(method, target, headers, body, client=client, cf=options.get("cf"))


def _meant(name: str) -> str:
    if (instead := _OF_OTHER_CLIENTS.get(name)) is not None:
        return f"; write {instead}"
    return did_you_mean(f"{name}=", [f"{known}=" for known in CallOptions.__annotations__], before=". ").rstrip("?")


def _check_text(what: str, value: object, example: str) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{what} is {value!r}, which is not text; give {example}")


def _address(text: object) -> str:
    _check_text("ip=", text, f'"{DEFAULT_IP}"')
    try:
        ip_address(str(text))
    except ValueError:
        raise ValueError(f'ip="{text}" is not an address; give one such as "{DEFAULT_IP}"') from None
    return str(text)


@dataclass(frozen=True, slots=True)
class Reply:
    """The whole answer. `trace` is the request's way through the edge."""

    status: int
    headers: Headers
    content: bytes = field(repr=False)
    status_text: str = ""
    url: str = ""
    trace: Trace | None = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status <= 299

    @property
    def text(self) -> str:
        """Read as UTF-8; what is not UTF-8 becomes U+FFFD."""
        return self.content.decode("utf-8", "replace")

    @overload
    def json(self) -> JSON: ...

    @overload
    def json(self, kind: type[T]) -> T: ...

    def json(self, kind: type[T] | None = None) -> T | JSON:
        """The body as JSON; `reply.json(dict)["sub"]` also says which kind of value is expected, to mypy and at run
        time.

        Raises:
            AssertionError: it is not JSON, or of another kind. The text quotes the beginning of the body.
        """
        shown = self.text if len(self.text) <= 300 else self.text[:300] + "…"
        try:
            value: JSON = json_text.loads(self.content)
        except ValueError as error:
            raise AssertionError(f"the response ({self.status}) is not JSON: {error}: {shown!r}") from None
        if kind is None:
            return value
        if not isinstance(value, kind):
            raise AssertionError(
                f"the answer ({self.status}) is not {kind.__name__} but {type(value).__name__}: {shown!r}"
            )
        return value


async def reply_of(response: Response, request: Request) -> Reply:
    """Reads the body to its end."""
    content = b"" if response.body is None else await response.body.read()
    url, trace = request.url.href, request.trace
    return Reply(response.status, response.headers, content, response.status_text, url, trace)


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One request that a test made. `outcome` is the status, or the error that there was instead of an answer."""

    method: str
    place: str  # scheme, host and path: a query may hold a token
    outcome: str
    trace: Trace

    def lines(self) -> Iterator[str]:
        yield f"{self.method} {self.place} -> {self.outcome}"
        yield from self.trace.lines()
