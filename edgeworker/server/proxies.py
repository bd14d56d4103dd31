"""Who the client is behind proxies that the operator trusts: the PROXY protocol and X-Forwarded-For. Pure.

Source: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from edgeworker.errors import ConfigError
from edgeworker.messages import Client

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_V2_SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
_V2_HEAD: Final = 16
_V1_LIMIT: Final = 107  # the longest line that version 1 can have, with its CRLF
_V2_LIMIT: Final = 4096  # of what follows the head: addresses and TLVs
# An address, with its port where a proxy tells it. No zone ("%eth0"): it means something to the proxy's machine only.
_FORWARDED: Final = re.compile(r"([0-9.]+)(?::[0-9]{1,5})?|\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9A-Fa-f:.]+)")
_V1_LINE: Final = re.compile(r"PROXY (TCP4|TCP6) (\S+) (\S+) ([0-9]{1,5}) ([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """`client` None: the proxy speaks for itself (a health check). `rest` is what followed the header."""

    client: Client | None
    rest: bytes


@dataclass(frozen=True, slots=True)
class NeedMoreData:
    """More bytes are needed."""


@dataclass(frozen=True, slots=True)
class InvalidProxyHeader:
    """This is not a header of the PROXY protocol."""


def parse_networks(texts: Iterable[str], *, source: str) -> tuple[Network, ...]:
    """Addresses ("192.0.2.1") and networks ("10.0.0.0/8"). Raises ConfigError naming `source`."""
    networks: list[Network] = []
    for text in texts:
        try:
            networks.append(ipaddress.ip_network(text))
        except ValueError as error:
            raise ConfigError(
                f'{source}: "{text}" is not an address or network; use one such as "10.0.0.0/8" ({error})'
            ) from error
    return tuple(networks)


def is_trusted(ip: str, trusted: Sequence[Network]) -> bool:
    try:
        address = _unmap(ipaddress.ip_address(ip))
    except ValueError:
        return False
    return any(address in network for network in trusted)


def forwarded_client(values: Sequence[str], peer: Client, trusted: Sequence[Network]) -> Client:
    """The last address of X-Forwarded-For that is not a trusted proxy: the client may have written what stands before.

    `values` are the fields in order, of a request that came from the trusted `peer`.
    """
    client = peer
    for entry in reversed(",".join(values).split(",")):
        match = _FORWARDED.fullmatch(entry.strip(" \t"))
        try:
            address = _unmap(ipaddress.ip_address("" if match is None else match[1] or match[2] or match[3]))
        except ValueError:
            return client
        client = Client(str(address))
        if not any(address in network for network in trusted):
            return client
    return client


def read_proxy_header(data: bytes) -> ProxyHeader | NeedMoreData | InvalidProxyHeader:
    """The PROXY header, version 1 or 2, that `data` begins with."""
    if data.startswith(_V2_SIGNATURE):
        return _read_v2(data)
    if _V2_SIGNATURE.startswith(data[: len(_V2_SIGNATURE)]) or b"PROXY ".startswith(data):
        return NeedMoreData()
    if data.startswith(b"PROXY "):
        return _read_v1(data)
    return InvalidProxyHeader()


def _read_v1(data: bytes) -> ProxyHeader | NeedMoreData | InvalidProxyHeader:
    line, end, rest = data.partition(b"\r\n")
    if not end:
        return NeedMoreData() if len(data) < _V1_LIMIT else InvalidProxyHeader()
    if len(line) + 2 > _V1_LIMIT or not line.isascii():
        return InvalidProxyHeader()
    text = line.decode("ascii")
    if text == "PROXY UNKNOWN" or text.startswith("PROXY UNKNOWN "):
        return ProxyHeader(None, rest)
    match = _V1_LINE.fullmatch(text)
    if match is None:
        return InvalidProxyHeader()
    family, source, target, *ports = match.groups()
    kind = ipaddress.IPv4Address if family == "TCP4" else ipaddress.IPv6Address
    try:
        address, _ = kind(source), kind(target)
    except ValueError:
        return InvalidProxyHeader()
    if "%" in source + target or any(int(port) > 65535 for port in ports):
        return InvalidProxyHeader()
    return ProxyHeader(Client(str(_unmap(address)), int(ports[0])), rest)


def _read_v2(data: bytes) -> ProxyHeader | NeedMoreData | InvalidProxyHeader:
    if len(data) < _V2_HEAD:
        return NeedMoreData()
    version, command = data[12] >> 4, data[12] & 0x0F
    length = int.from_bytes(data[14:16], "big")
    if version != 2 or command > 1 or length > _V2_LIMIT:
        return InvalidProxyHeader()
    if len(data) < _V2_HEAD + length:
        return NeedMoreData()
    content, rest = data[_V2_HEAD : _V2_HEAD + length], data[_V2_HEAD + length :]
    if command == 0:  # LOCAL
        return ProxyHeader(None, rest)
    match data[13]:
        case 0x11 if length >= 12:
            return ProxyHeader(
                Client(str(ipaddress.IPv4Address(content[:4])), int.from_bytes(content[8:10], "big")), rest
            )
        case 0x21 if length >= 36:
            address = _unmap(ipaddress.IPv6Address(content[:16]))
            return ProxyHeader(Client(str(address), int.from_bytes(content[32:34], "big")), rest)
        case 0x11 | 0x21:
            return InvalidProxyHeader()
        case _:
            return ProxyHeader(None, rest)


def _unmap(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """::ffff:192.0.2.1 is 192.0.2.1."""
    match address:
        case ipaddress.IPv6Address(ipv4_mapped=ipaddress.IPv4Address() as mapped):
            return mapped
        case _:
            return address
