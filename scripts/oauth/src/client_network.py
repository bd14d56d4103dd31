"""Which addresses count as one client where attempts are limited. Pure."""

import ipaddress


def network_of(address: str | None) -> str:
    """The address itself, or the /64 of an IPv6 address: a client chooses freely within its own /64. "" for None."""
    if address is None or ":" not in address:
        return address or ""
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    # "::ffff:198.51.100.7" is the IPv4 client 198.51.100.7; its /64 would be that of every IPv4 client.
    return str(parsed.ipv4_mapped) if parsed.ipv4_mapped is not None else parsed.exploded[:19]
