"""What a value of a configuration file may be, and what a field is made of it. Pure."""

import ipaddress
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.errors import ConfigError
from edgeworker.messages.hosts import canonical_host
from edgeworker.messages.url import URL, InvalidURL


def _as_written(value: object, _folder: Path) -> object:
    return value


@dataclass(frozen=True, slots=True)
class ValueType:
    """What a value may be. `expected` completes "must be ..."; `fits` never raises.

    `convert` makes the value of a field out of one that fits; relative paths start at the folder of the file.
    """

    expected: str
    fits: Callable[[object], bool]
    convert: Callable[[object, Path], object] = _as_written


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_host(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        canonical_host(value)
    except ConfigError:
        return False
    return True


def _are_certified(value: object) -> bool:
    """Names and addresses, "*." before a name allowed."""
    return isinstance(value, list) and all(
        isinstance(item, str) and _is_host(item.removeprefix("*.") if not item.startswith("*.*") else "")
        for item in value
    )


def _is_base_url(value: object) -> bool:
    if not isinstance(value, str) or "@" in value or "#" in value:
        return False
    try:
        return URL.parse(value).target == "/"
    except InvalidURL:
        return False


def _is_https_url(value: object) -> bool:
    if not isinstance(value, str) or "@" in value or "#" in value:
        return False
    try:
        return URL.parse(value).scheme == "https"
    except InvalidURL:
        return False


def _is_base_url_by_host(value: object) -> bool:
    return isinstance(value, dict) and all(
        _is_host(str(host).removeprefix("*.")) and _is_base_url(url) for host, url in value.items()
    )


def split_address(text: str) -> tuple[str, int] | None:
    """`127.0.0.1:8787`, `[::1]:0` or `localhost:80` as host (without brackets) and port; None if it is neither."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        return None
    if host.startswith("[") and host.endswith("]"):
        try:
            return str(ipaddress.IPv6Address(host[1:-1])), int(port)
        except ValueError:
            return None
    return (host, int(port)) if _is_host(host) else None


def _is_address(value: object) -> bool:
    return isinstance(value, str) and split_address(value) is not None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_positive(value: object) -> bool:
    return _is_whole(value) and value != 0


def _is_seconds(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(_is_text(item) for item in value)


def _are_hosts(value: object) -> bool:
    return isinstance(value, list) and all(_is_host(item) for item in value)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _is_text(value) and "/" not in value


def _are_networks(value: object) -> bool:
    return isinstance(value, list) and all(_is_network(item) for item in value)


def _is_network(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return True


def _is_object(value: object) -> bool:
    return isinstance(value, dict) and _is_json(value)


def _is_json(value: object) -> bool:
    match value:
        case dict():
            return all(_is_json(item) for item in value.values())
        case list():
            return all(_is_json(item) for item in value)
        case float():
            return math.isfinite(value)
        case _:
            return isinstance(value, str | int | bool)


def _is_header(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", value) is not None


def _is_target(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"/[!-~]*", value) is not None and "#" not in value


def _are_statuses(value: object) -> bool:
    return isinstance(value, str) and all(
        re.fullmatch(r"[1-5](?:[0-9][0-9]|[xX][xX])", part.strip()) for part in value.split(",")
    )


def _texts(value: object, _folder: Path) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _lower_texts(value: object, folder: Path) -> tuple[str, ...]:
    return tuple(text.lower() for text in _texts(value, folder))


_DURATION: Final = re.compile(r"(?=[0-9])(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,9})s)?")


def duration_seconds(text: str) -> int | None:
    """`24h`, `30m`, `2h45m` or `90s` as seconds; None for anything else."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _is_duration(value: object) -> bool:
    return isinstance(value, str) and bool(duration_seconds(value))


TEXT: Final = ValueType("a text", _is_text)
ANY_TEXT: Final = ValueType("a text", lambda value: isinstance(value, str))
PATH: Final = ValueType("a text", _is_text, lambda value, folder: folder / str(value))
ID: Final = ValueType('a text without "/"', _is_id)
HOST: Final = ValueType('a host name such as "example.com"', _is_host)
SERVER_NAME: Final = ValueType(HOST.expected, _is_host, lambda value, _folder: str(value).lower())
WILDCARD_HOST: Final = ValueType(
    'a host name such as "api.example.com", or "*.example.com"',
    lambda value: isinstance(value, str) and _is_host(value.removeprefix("*.")),
    lambda value, _folder: str(value).lower(),
)
TARGET: Final = ValueType('a path such as "/health"', _is_target)
STATUSES: Final = ValueType('statuses such as "2xx" or "200, 204"', _are_statuses)
HOSTS: Final = ValueType('an array of host names such as ["edge.test"]', _are_hosts, _texts)
CERTIFIED: Final = ValueType(
    'an array of hosts such as ["api.example.com", "*.example.com"]', _are_certified, _lower_texts
)
BASE_URL: Final = ValueType('the base URL of a server, without a path, such as "http://127.0.0.1:3000"', _is_base_url)
HTTPS_URL: Final = ValueType('an https URL such as "https://acme.example.com/directory"', _is_https_url)
BASE_URLS: Final = ValueType(
    'a table of hosts and base URLs such as { "api.example.com" = "http://127.0.0.1:3000" }', _is_base_url_by_host
)
ADDRESS: Final = ValueType('"host:port" such as "127.0.0.1:8787"; port 0 is any free one', _is_address)
BOOLEAN: Final = ValueType("true or false", lambda value: isinstance(value, bool))
WHOLE: Final = ValueType("a whole number, 0 or more", _is_whole)
POSITIVE: Final = ValueType("a whole number, 1 or more", _is_positive)
SECONDS: Final = ValueType("a number of seconds, more than 0", _is_seconds, lambda value, _folder: float(str(value)))
DURATION: Final = ValueType(
    'a duration such as "24h", "30m" or "2h45m"', _is_duration, lambda value, _folder: duration_seconds(str(value))
)
NETWORKS: Final = ValueType('an array of addresses and networks such as ["10.0.0.0/8"]', _are_networks, _texts)
OBJECT: Final = ValueType("a table of values that JSON can say", _is_object)
HEADER: Final = ValueType('the name of a header such as "x-test-cf"', _is_header)
TEXTS: Final = ValueType('an array of texts such as ["a", "b"]', _are_texts, _texts)


def one_of(*words: str) -> ValueType:
    return ValueType(" or ".join(f'"{word}"' for word in words), lambda value: value in words)
