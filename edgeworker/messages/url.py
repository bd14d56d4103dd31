"""An absolute http(s) URL in WHATWG's canonical form. Pure.

Every decision of the edge (zone, route, product, script, origin) is made on this one form, so that no two parts of it
can read one request target in two ways. Source: https://url.spec.whatwg.org/
"""

import re
from typing import Final, Self

import ada_url

from edgeworker.messages.name_table import NameTable

DEFAULT_PORTS: Final = {"http": 80, "https": 443}

# What WHATWG's parser would give back unchanged: the common case, decided by one regular expression instead of a call
# into a parser. A last label that begins with a letter is not an IPv4 number; "xn--" has rules of its own; a segment
# that begins with "." may be a dot segment; "%" may be "%2e".
_PLAIN_HOST: Final = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z](?:[a-z0-9_-]*[a-z0-9_])?")


def _is_plain_host(host: str) -> bool:
    return _PLAIN_HOST.fullmatch(host) is not None and "xn--" not in host


_IS_PLAIN_HOST: Final = NameTable(_is_plain_host)
_PLAIN_TARGET: Final = re.compile(r"((?:/(?!\.)[A-Za-z0-9_~!$&()*+,;=:@.-]*)+)(\?[A-Za-z0-9_~!$&()*+,;=:@./?%-]+)?")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
# https://www.rfc-editor.org/rfc/rfc3986#section-2.3
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# Only what a name or an address can hold, not all that RFC 3986 allows in a host: readers differ about escapes and
# bytes beyond ASCII, and "a,b" or "*" name no host.
_HOST_AND_PORT: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::([0-9]{1,5}))?")


class InvalidURL(ValueError):
    """Text that is not an absolute http or https URL. The text of the error quotes it."""


class URL:
    """`scheme://hostname[:port]path[query]`, immutable.

    `hostname` is lower case ASCII (punycode, IPv6 in brackets), `port` is always a number, `path` begins with "/",
    `query` is "" or begins with "?". User info and fragment are dropped: a request has neither. `host` is the hostname
    with the port where it is not the scheme's own: what goes into `Host`.
    """

    __slots__ = ("_href", "host", "hostname", "path", "port", "query", "scheme")

    scheme: str
    hostname: str
    port: int
    path: str
    query: str
    host: str

    def __init__(self, scheme: str, hostname: str, port: int, path: str, query: str) -> None:
        """Takes parts that are canonical already; use `parse` or `from_target` for anything else."""
        self.scheme = scheme
        self.hostname = hostname
        self.port = port
        self.path = path
        self.query = query
        # Each request's is asked for again and again.
        self.host = hostname if port == DEFAULT_PORTS.get(scheme) else f"{hostname}:{port}"
        self._href = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InvalidURL for what is not an absolute http(s) URL."""
        try:
            parsed = ada_url.URL(text)
        except ValueError as error:
            raise InvalidURL(f"Invalid URL: {_quoted(text)}") from error
        scheme = parsed.protocol[:-1]
        if scheme not in DEFAULT_PORTS:
            raise InvalidURL(f"Invalid URL: {_quoted(text)}: only http and https can be fetched")
        port = int(parsed.port) if parsed.port else DEFAULT_PORTS[scheme]
        return cls(scheme, parsed.hostname, port, parsed.pathname, parsed.search)

    @classmethod
    def from_target(cls, scheme: str, host: str, target: str) -> Self:
        """The URL of a request that arrived as `METHOD target HTTP/1.1` with `Host: host`.

        `target` is in origin form ("/path?query"). Raises InvalidURL for a Host that is not exactly `name[:port]`:
        "a@b", "a/b" and "a:99999" are not hosts. One trailing dot of the name is dropped. The path is in the form that
        `canonical_path` gives.
        """
        plain = _PLAIN_TARGET.fullmatch(target)
        if plain is not None and _IS_PLAIN_HOST[host]:
            return cls(scheme, host, DEFAULT_PORTS[scheme], plain[1], plain[2] or "")
        if not target.startswith("/"):
            raise InvalidURL(f"Invalid request target: {_quoted(target)}")
        name, port = split_host(host)
        suffix = "" if port is None else f":{port}"
        try:
            return cls.parse(f"{scheme}://{name}{suffix}{target}").canonical()
        except InvalidURL:
            # A name that ends with a number is an IPv4 address or nothing. The query may be a secret, and this a log's.
            raise InvalidURL(f"Invalid Host: {_quoted(host)}") from None

    def canonical(self) -> Self:
        """This URL with its path in the form that `canonical_path` gives."""
        path = canonical_path(self.path)
        return self if path == self.path else type(self)(self.scheme, self.hostname, self.port, path, self.query)

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}"

    @property
    def target(self) -> str:
        """Path and query: what goes into the request line, and what a route pattern is matched against."""
        return self.path + self.query

    @property
    def href(self) -> str:
        if not self._href:
            self._href = f"{self.scheme}://{self.host}{self.path}{self.query}"
        return self._href

    def join(self, reference: str) -> Self:
        """`reference` (a Location, for example) resolved against this URL; raises InvalidURL."""
        try:
            joined: str = ada_url.join_url(self.href, reference)
        except ValueError as error:
            raise InvalidURL(f"Invalid URL: {_quoted(reference)}") from error
        return self.parse(joined)

    def __str__(self) -> str:
        return self.href

    def __repr__(self) -> str:
        return f"URL({self.href!r})"

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return self.href == other.href if isinstance(other, URL) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.href)


def canonical_path(path: str) -> str:
    """The path of a URL with its escapes as RFC 3986 6.2.2 wants them: none of what needs none, the others in capitals.

    WHATWG's parser leaves "/%61dmin" as it is, and a server reads it as "/admin": a route for "/admin*" must see that.
    What has a broken escape ("/%zz") stays as it is, because decoding around it could make a new escape.
    """
    if "%" not in path or _BROKEN_ESCAPE.search(path) is not None:
        return path
    return _ESCAPE.sub(_canonical_escape, path)


def _canonical_escape(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if character in _UNRESERVED else escape[0].upper()


def split_host(host: str) -> tuple[str, int | None]:
    """(name, port or None) of a Host field. Raises InvalidURL for anything but `name[:port]`, port 0 to 65535."""
    match = _HOST_AND_PORT.fullmatch(host)
    if match is None or (match[2] is not None and int(match[2]) > 65535):
        raise InvalidURL(f"Invalid Host: {_describe_host(host)}")
    name = match[1].removesuffix(".")
    if "" in name.split("."):
        raise InvalidURL(f"Invalid Host: {_quoted(host)}: a label is empty")
    return name, None if match[2] is None else int(match[2])


def _describe_host(host: str) -> str:
    """A name that is not ASCII as it was meant, and how it is sent. `host` is read as Latin-1, and UTF-8 mostly.

    What stands before an "@" is not shown: it may be a password, and this text goes to the log.
    """
    if "@" in host:
        return f"{_quoted(host.rpartition('@')[2])} with a user or password before it; send the host alone"
    if host.isascii():
        return _quoted(host)
    try:
        meant = host.encode("latin-1").decode("utf-8")
    except UnicodeError:
        meant = host
    try:
        sent = meant.encode("idna").decode("ascii")
    except UnicodeError:
        return _quoted(meant)
    return f'{_quoted(meant)}: it is sent as "{sent}"'


def _quoted(text: str) -> str:
    shown = text if len(text) <= 200 else text[:200] + "…"
    return ascii(shown) if not shown.isprintable() else f'"{shown}"'
