"""Host names as configuration writes them, in the form that URLs have. Pure."""

import re
from collections.abc import Iterator
from typing import Final

import ada_url

from edgeworker.errors import ConfigError

# What would make WHATWG's parser read something else than a host out of the text, or turn escapes into characters.
_NEVER_IN_A_HOST: Final = re.compile(r"[\x00-\x20\x7f/\\?#@%*]")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_WITH_PORT: Final = re.compile(r"([^:\[\]]+|\[[^\]]*\]):[0-9]*")


def canonical_host(text: str) -> str:
    """`text` in lower case ASCII (punycode; IPv6 in brackets), as `URL.hostname` is.

    Raises:
        ConfigError: it is not a bare host; the text says why, and quotes it.
    """
    if not text:
        raise ConfigError('the host is empty; write one, such as "example.com"')
    found = _NEVER_IN_A_HOST.search(text)
    if found is not None:
        raise ConfigError(f"{_quoted(text)} is not a host name: it contains {_quoted(found[0])}")
    with_port = _WITH_PORT.fullmatch(text)
    if with_port is not None:
        raise ConfigError(f"{_quoted(text)} contains a port; write {_quoted(with_port[1])}")
    try:
        host: str = ada_url.URL(f"https://{text}/").hostname
    except ValueError as error:
        raise ConfigError(f"{_quoted(text)} is not a host name") from error
    if "*" in host:  # IDNA maps look-alikes to it, U+FF0A for one
        raise ConfigError(f"{_quoted(text)} is not a host name: it contains a wildcard in disguise")
    if "" in host.split("."):
        raise ConfigError(f"{_quoted(text)} is not a host name: a label is empty (look at its dots)")
    return host


def is_address(host: str) -> bool:
    """Whether a canonical host is an IPv4 or IPv6 address."""
    return bool(ada_url.URL(f"https://{host}/").host_type != ada_url.HostType.DEFAULT)


def is_loopback(host: str) -> bool:
    """Whether a canonical host is always the machine that asks."""
    return host in _LOOPBACK or host.endswith(".localhost")


def parents(host: str) -> Iterator[str]:
    """`a.b.example.com` gives `b.example.com`, `example.com`, `com`: the nearest first, an address none."""
    dot = -1 if host.startswith("[") else host.find(".")
    while dot >= 0:
        yield host[dot + 1 :]
        dot = host.find(".", dot + 1)


def is_within(host: str, domain: str) -> bool:
    """Whether `host` is `domain` or a name below it."""
    return host == domain or host.endswith(f".{domain}")


def _quoted(text: str) -> str:
    return f'"{text}"' if text.isprintable() else ascii(text)
