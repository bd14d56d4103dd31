"""Where a library of a script may connect to by itself, past `fetch()`.

The edge gives the rule; the isolate of a language that has sockets holds its scripts to it.
"""

from typing import Protocol


class SocketPolicy(Protocol):
    """Each answers None, or why not: a text that says what would be right."""

    def refuse_name(self, host: str) -> str | None:
        """For a host name that a library of a script wants to look up."""
        ...

    def refuse_address(self, host: str, address: str) -> str | None:
        """For an IP address that it wants to connect to; `host` is the name that was looked up, or the address."""
        ...

    def refuse_extension(self, module: str) -> str | None:
        """For an extension module that opens sockets in C, past this policy."""
        ...

    def refuse_native(self, what: str) -> str | None:
        """For a process, a function of C, a socket that listens: `what` goes past this policy."""
        ...


class NoSockets:
    """Where the edge gave no rule: scripts of unit tests and of `check`."""

    def refuse_name(self, host: str) -> str | None:
        return f"{host}: scripts open no sockets here; use fetch(), requests, urllib, httpx or aiohttp"

    def refuse_address(self, host: str, address: str) -> str | None:
        return self.refuse_name(host)

    def refuse_extension(self, module: str) -> str | None:
        return f"{module} opens sockets by itself, and scripts open no sockets here"

    def refuse_native(self, what: str) -> str | None:
        return f"scripts may not use {what} here: it fails on Cloudflare"
