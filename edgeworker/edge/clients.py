"""Where a client is: on the internet, or near this machine."""

from functools import lru_cache
from ipaddress import ip_address

from edgeworker.messages import Client
from edgeworker.server.outbound import is_public


def is_public_client(client: Client) -> bool:
    """Whether it has an address of the internet. One without an address counts as near: it came over no network."""
    return _is_public(client.ip)


@lru_cache(maxsize=1024)
def _is_public(ip: str) -> bool:
    try:
        return is_public(ip_address(ip))
    except ValueError:
        return False
