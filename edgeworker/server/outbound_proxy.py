"""Which proxy a fetch goes through: what HTTP_PROXY, HTTPS_PROXY and NO_PROXY mean. Pure.

There is no standard for these variables. As in curl and Go: NO_PROXY lists hosts (with their subdomains), addresses and
networks, each with a port if that matters, or "*"; and what is on this machine is never asked of a proxy.
"""

import base64
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
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
class _Exception:
    """One entry of NO_PROXY. `name` covers its subdomains; `network` is what an address is looked up in."""

    name: str
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None
    port: int | None

    def covers(self, host: str, port: int) -> bool:
        if self.port is not None and self.port != port:
            return False
        if self.network is None:
            return host == self.name or host.endswith(f".{self.name}")
        address = _address(host)
        return address is not None and address in self.network


@dataclass(frozen=True, slots=True)
class Proxies:
    """`http` and `https` are about the scheme of what is fetched."""

    http: Proxy | None = None
    https: Proxy | None = None
    exceptions: Sequence[_Exception] = ()
    nothing: bool = False  # NO_PROXY is "*"

    @classmethod
    def of(cls, outbound: Outbound) -> Self:
        """Raises ConfigError for what is no proxy that can be used; its text holds no password."""
        entries = [entry.strip() for entry in outbound.no_proxy.split(",")]
        return cls(
            _parse(outbound.http_proxy, "HTTP_PROXY"),
            _parse(outbound.https_proxy, "HTTPS_PROXY"),
            tuple(_exception(entry) for entry in entries if entry not in ("", "*")),
            "*" in entries,
        )

    def of_url(self, scheme: str, host: str, port: int) -> Proxy | None:
        """`host` is canonical and has no brackets."""
        proxy = self.https if scheme == "https" else self.http
        if proxy is None or self.nothing or _is_this_machine(host):
            return None
        name = host.removesuffix(".")
        return None if any(entry.covers(name, port) for entry in self.exceptions) else proxy


def _parse(text: str, variable: str) -> Proxy | None:
    if not text:
        return None
    wanted = f"{variable} must be the URL of a proxy such as http://proxy.example:3128"
    try:
        url = urlsplit(text if "://" in text else f"http://{text}")
        port = url.port
    except ValueError:
        raise ConfigError(f"{wanted}; its port is no number") from None
    if url.scheme != "http":
        raise ConfigError(f'{wanted}; a "{url.scheme}" proxy cannot be used')
    if not url.hostname or not url.hostname.isascii() or url.path not in ("", "/") or url.query or url.fragment:
        raise ConfigError(f"{wanted}; it is no such URL")
    authorization = None
    if url.username is not None:
        credentials = unquote_to_bytes(url.username) + b":" + unquote_to_bytes(url.password or "")
        authorization = b"Basic " + base64.b64encode(credentials)
    return Proxy(url.hostname, _DEFAULT_PORT if port is None else port, authorization)


def _exception(text: str) -> _Exception:
    try:
        return _Exception("", ipaddress.ip_network(text.strip("[]"), strict=False), None)
    except ValueError:
        pass
    host, colon, number = text.rpartition(":")
    port = int(number) if colon and number.isascii() and number.isdigit() else None
    name = (host if port is not None else text).strip("[]").lower().removeprefix("*").strip(".")
    address = _address(name)
    return _Exception(name, None if address is None else ipaddress.ip_network(address), port)


def _is_this_machine(host: str) -> bool:
    address = _address(host)
    if address is None:
        name = host.removesuffix(".")
        return name == "localhost" or name.endswith(".localhost")
    return address.is_loopback


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
