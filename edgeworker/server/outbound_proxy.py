"""Which proxy a fetch goes through: what HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY mean. Pure.

These variables have no standard. As in curl and Go: the lower-case spelling wins, ALL_PROXY is for a scheme
that has no proxy of its own, NO_PROXY lists hosts (with their subdomains), addresses and networks, each with a port if
that matters, or "*"; and requests to this machine never go through a proxy.
"""

import base64
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self
from urllib.parse import unquote_to_bytes, urlsplit

from edgeworker.config import Outbound
from edgeworker.errors import ConfigError

_DEFAULT_PORT: Final = 80


@dataclass(frozen=True, slots=True)
class Proxy:
    """`authorization` is the value of Proxy-Authorization, or None."""

    host: str
    port: int
    authorization: bytes | None = field(default=None, repr=False)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class _NoProxyEntry:
    """One entry of NO_PROXY. `name` covers its subdomains; `network` is what an address is looked up in."""

    name: str
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None
    port: int | None

    def covers(self, host: str, port: int) -> bool:
        if self.port is not None and self.port != port:
            return False
        if self.network is None:
            return host == self.name or host.endswith(f".{self.name}")
        address = _parse_address(host)
        return address is not None and address in self.network


@dataclass(frozen=True, slots=True)
class Proxies:
    """`http` and `https` are about the scheme of what is fetched."""

    http: Proxy | None = None
    https: Proxy | None = None
    exceptions: Sequence[_NoProxyEntry] = ()

    @classmethod
    def from_config(cls, outbound: Outbound) -> Self:
        """Raises ConfigError for a proxy that cannot be used; its text holds no password."""
        entries = [entry.strip() for entry in outbound.no_proxy.split(",")]
        if "*" in entries:
            return cls()
        return cls(
            _parse_proxy(outbound.http_proxy, "HTTP_PROXY"),
            _parse_proxy(outbound.https_proxy, "HTTPS_PROXY"),
            tuple(_parse_no_proxy_entry(entry) for entry in entries if entry),
        )

    def proxy_for(self, scheme: str, host: str, port: int) -> Proxy | None:
        """`host` is canonical and has no brackets."""
        proxy = self.https if scheme == "https" else self.http
        if proxy is None or _is_this_machine(host):
            return None
        name = host.removesuffix(".")
        return None if any(entry.covers(name, port) for entry in self.exceptions) else proxy


def with_environment_proxies(environ: Mapping[str, str], outbound: Outbound) -> Outbound:
    """`outbound` with the proxies that the environment names. Raises ConfigError for one that cannot be used."""
    no_proxy = _read_variable(environ, "NO_PROXY")[0] or ""
    every, every_name = _read_variable(environ, "ALL_PROXY")
    chosen: dict[str, str] = {}
    for scheme in ("http", "https"):
        value, name = _read_variable(environ, f"{scheme.upper()}_PROXY")
        if value is None:
            value, name = every or "", every_name
        if "*" not in (entry.strip() for entry in no_proxy.split(",")):
            _parse_proxy(value, name)
        chosen[scheme] = value
    return replace(outbound, http_proxy=chosen["http"], https_proxy=chosen["https"], no_proxy=no_proxy)


def _read_variable(environ: Mapping[str, str], name: str) -> tuple[str | None, str]:
    """(value, the spelling that holds it). An empty one means: no proxy."""
    if (value := environ.get(name.lower())) is not None:
        return value.strip(), name.lower()
    # Under CGI a client sets HTTP_PROXY: it is its field "Proxy". https://httpoxy.org/
    if name == "HTTP_PROXY" and "REQUEST_METHOD" in environ:
        return None, name
    value = environ.get(name)
    return None if value is None else value.strip(), name


def _parse_proxy(text: str, variable: str) -> Proxy | None:
    if not text:
        return None
    wanted = f"{variable} must be the URL of a proxy such as http://proxy.example:3128, or NO_PROXY be *"
    try:
        url = urlsplit(text if "://" in text else f"http://{text}")
        port = url.port
    except ValueError:
        raise ConfigError(f"{wanted}; its port is not a number") from None
    if url.scheme != "http":
        raise ConfigError(f'{wanted}; a "{url.scheme}" proxy cannot be used')
    if not url.hostname or not url.hostname.isascii() or url.path not in ("", "/") or url.query or url.fragment:
        raise ConfigError(f"{wanted}; it is not such a URL")
    authorization = None
    if url.username is not None:
        credentials = unquote_to_bytes(url.username) + b":" + unquote_to_bytes(url.password or "")
        authorization = b"Basic " + base64.b64encode(credentials)
    return Proxy(url.hostname, _DEFAULT_PORT if port is None else port, authorization)


def _parse_no_proxy_entry(text: str) -> _NoProxyEntry:
    try:
        return _NoProxyEntry("", ipaddress.ip_network(text.strip("[]"), strict=False), None)
    except ValueError:
        pass
    host, colon, number = text.rpartition(":")
    port = int(number) if colon and number.isascii() and number.isdigit() else None
    name = (host if port is not None else text).strip("[]").lower().removeprefix("*").strip(".")
    address = _parse_address(name)
    return _NoProxyEntry(name, None if address is None else ipaddress.ip_network(address), port)


def _is_this_machine(host: str) -> bool:
    address = _parse_address(host)
    if address is None:
        name = host.removesuffix(".")
        return name == "localhost" or name.endswith(".localhost")
    return address.is_loopback


def _parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
