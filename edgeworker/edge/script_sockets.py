"""Where libraries of scripts may connect to by themselves: by the outbound policy, not around this edge. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from edgeworker.server.outbound import OutboundPolicy

_LET_IN: Final = "If scripts may use it here, set outbound.allow_native_sockets = true in edge.toml"


@dataclass(frozen=True, slots=True)
class ScriptSockets:
    """A SocketPolicy. `is_served` says whether a host name belongs to this edge."""

    policy: OutboundPolicy
    is_served: Callable[[str], bool]
    allow_native: bool = False

    def refuse_name(self, host: str) -> str | None:
        if self.is_served(host.lower().removesuffix(".")):
            return (
                f"{host} is served by this edge, and a socket would go around it; "
                "use fetch(), or a library that uses it: requests, urllib, httpx, aiohttp"
            )
        return None

    def refuse_address(self, host: str, address: str) -> str | None:
        # What follows "%" is a network interface of this machine, which no name outside can mean.
        if "%" not in address and self.policy.allows(host, ip_address(address)):
            return None
        place = host if host == address else f"{host} is at {address}, which"
        return f'{place} is not on the public internet; if scripts may reach it, add "{host}" to outbound.allow_private'

    def refuse_extension(self, module: str) -> str | None:
        if self.allow_native:
            return None
        return (
            f"{module} opens sockets by itself, past outbound.allow_private, and Cloudflare has no such module; "
            f"use fetch(), or a library that uses it: requests, urllib, httpx, aiohttp. {_LET_IN}"
        )

    def refuse_native(self, what: str) -> str | None:
        if self.allow_native:
            return None
        return (
            f"scripts may not use {what}: it fails on Cloudflare, and outbound.allow_private would not hold for it. "
            f"{_LET_IN}"
        )
