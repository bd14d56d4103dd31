"""Which addresses scripts may reach: private ones only where the configuration says so. Pure.

A name is resolved once, and the connection goes to an address that was checked: a name that resolves to something else
a moment later (DNS rebinding) gains nothing. Registries: https://www.iana.org/assignments/iana-ipv4-special-registry
and https://www.iana.org/assignments/iana-ipv6-special-registry
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from edgeworker.errors import ConfigError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
# Networks that Python's `is_global` calls public in some of its releases, but that are not, or that hold no servers.
_NOT_PUBLIC: Final[tuple[Network, ...]] = (
    ipaddress.IPv4Network("192.0.0.0/24"),  # IETF protocol assignments; a cloud has its metadata at 192.0.0.192
    ipaddress.IPv4Network("192.88.99.0/24"),  # 6to4 relays
    ipaddress.IPv4Network("168.63.129.16/32"),  # Azure's own services, on each of its machines
    ipaddress.IPv6Network("::/8"),  # but for those with an IPv4 address in them, see `embedded`
    ipaddress.IPv6Network("100::/8"),  # discard-only
    ipaddress.IPv6Network("2001::/23"),  # IETF protocol assignments
    ipaddress.IPv6Network("3fff::/20"),  # documentation
    ipaddress.IPv6Network("5f00::/16"),  # segment routing
    ipaddress.IPv6Network("fec0::/10"),  # site-local, before it was deprecated
)


@dataclass(frozen=True, slots=True)
class OutboundPolicy:
    """`hosts` are names in lower case, `everything` is "*"."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    everything: bool = False

    @classmethod
    def parse(cls, allow_private: Iterable[str]) -> Self:
        """Raises ConfigError for what is neither "*", nor an address or network, nor the name of a host."""
        hosts: set[str] = set()
        networks: list[Network] = []
        everything = False
        for text in allow_private:
            if text == "*":
                everything = True
                continue
            try:
                networks.append(ipaddress.ip_network(text.strip("[]")))
            except ValueError as error:
                name = text.lower().removesuffix(".")
                last = name.rpartition(".")[2]
                if not all(_is_label(label) for label in name.split(".")) or last.isdigit():
                    raise ConfigError(
                        f'outbound.allow_private: "{text}" is neither "*", nor an address, nor a network like '
                        f'"10.0.0.0/8", nor the name of a host: {error}'
                    ) from error
                hosts.add(name)
        return cls(frozenset(hosts), tuple(networks), everything)

    def allows_host(self, host: str) -> bool:
        """Whether `host` may be connected to wherever it is."""
        return self.everything or host.lower().removesuffix(".") in self.hosts

    def allows(self, host: str, address: Address) -> bool:
        """Whether `address`, which `host` resolved to or is, may be connected to."""
        if is_public(address) or self.allows_host(host):
            return True
        return any(candidate in network for candidate in (address, *embedded(address)) for network in self.networks)


def is_public(address: Address) -> bool:
    """Whether the address belongs to the internet at large, and so does each IPv4 address that is hidden in it."""
    hidden = embedded(address)
    if hidden:
        return all(is_public(each) for each in hidden)
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    return not any(address in network for network in _NOT_PUBLIC)


def embedded(address: Address) -> tuple[ipaddress.IPv4Address, ...]:
    """The IPv4 addresses that a packet to this IPv6 address may end at: mapped, 6to4, Teredo, NAT64."""
    match address:
        case ipaddress.IPv6Address(ipv4_mapped=ipaddress.IPv4Address() as mapped):
            return (mapped,)
        case ipaddress.IPv6Address(sixtofour=ipaddress.IPv4Address() as inner):
            return (inner,)
        case ipaddress.IPv6Address(teredo=(server, client)):
            return (server, client)
        case ipaddress.IPv6Address() if address in _NAT64:
            return (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF),)
        case _:
            return ()


def _is_label(label: str) -> bool:
    return bool(label) and len(label) <= 63 and label.replace("-", "").replace("_", "").isalnum() and label.isascii()
