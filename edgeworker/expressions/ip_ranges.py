"""Addresses, and the networks and ranges of an `in {...}`. Pure.

A network may leave out octets at its end ("10/8") and have zeros before them, as the engine's CIDR parser takes it; a
single address may not.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from edgeworker.expressions.scanning import Scanner

Address = IPv4Address | IPv6Address

_CHARACTERS: Final = frozenset("0123456789abcdefABCDEF:./")
_LOOSE_V4: Final = re.compile(r"[0-9]+(\.[0-9]+){0,3}")
_NOT_AN_ADDRESS: Final = "couldn't parse address in network: invalid IP address syntax"


@dataclass(frozen=True, slots=True)
class AddressRange:
    """From `first` to `last`, both of one version and both included."""

    first: Address
    last: Address

    def holds(self, address: Address) -> bool:
        return address.version == self.first.version and int(self.first) <= int(address) <= int(self.last)


def read_address(scanner: Scanner, at: int) -> tuple[Address, int]:
    end = _end_of_chunk(scanner, at)
    return _address(scanner, at, end), end


def read_range(scanner: Scanner, at: int) -> tuple[AddressRange, int]:
    """A network, an address, or two addresses with ".." between them."""
    end = _end_of_chunk(scanner, at)
    dots = scanner.text.find("..", at, end)
    if dots < 0:
        return _network(scanner, at, end), end
    first, last = _address(scanner, at, dots), _address(scanner, dots + 2, end)
    if first.version != last.version or int(first) > int(last):
        scanner.fail("incompatible range bounds", at, end)
    return AddressRange(first, last), end


def _end_of_chunk(scanner: Scanner, at: int) -> int:
    end = at
    while end < len(scanner.text) and scanner.text[end] in _CHARACTERS:
        end += 1
    if end == at:
        scanner.fail("expected IP address character", at)
    return end


def _address(scanner: Scanner, start: int, end: int) -> Address:
    try:
        return ip_address(scanner.text[start:end])
    except ValueError:
        scanner.fail(_NOT_AN_ADDRESS, start, end)


def _network(scanner: Scanner, start: int, end: int) -> AddressRange:
    chunk = scanner.text[start:end]
    slash = chunk.rfind("/")
    # The engine's place of a wrong address or length is counted from the first slash, its reading from the last.
    first_slash = chunk.find("/")
    address_end = start + (first_slash if first_slash >= 0 else len(chunk))
    address = _loose_address(chunk if slash < 0 else chunk[:slash])
    if address is None:
        scanner.fail(_NOT_AN_ADDRESS, start, address_end)
    bits = 32 if address.version == 4 else 128
    if slash < 0:
        return AddressRange(address, address)
    digits = chunk[slash + 1 :]
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 64 or int(digits) > 255:
        scanner.fail("couldn't parse length in network", start + first_slash + 1, end)
    if int(digits) > bits:
        scanner.fail(f"invalid length for network: {digits} is more than {bits}", start, end)
    try:
        network = ip_network(f"{address}/{int(digits)}")
    except ValueError:
        scanner.fail("host part of address was not zero", start, address_end)
    return AddressRange(network[0], network[-1])


def _loose_address(text: str) -> Address | None:
    if _LOOSE_V4.fullmatch(text):
        octets = [int(octet) for octet in text.split(".")] if len(text) <= 64 else [256]
        if any(octet > 255 for octet in octets):
            return None
        return IPv4Address(bytes(octets + [0] * (4 - len(octets))))
    try:
        return ip_address(text)
    except ValueError:
        return None
