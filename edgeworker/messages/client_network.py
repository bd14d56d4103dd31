"""Which addresses count as one client where clients are counted. Pure."""

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address


@lru_cache(maxsize=1024)
def client_network(ip: str) -> str:
    """The address, or the first 64 bits of an IPv6 address: one client has all of the rest. Other text is itself."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Network((int(address) >> 64 << 64, 64)))
    return ip
