"""How the functions of the language are computed. Pure.

Each gets its arguments in order, of the types that the parser has checked; `None` is a value that the request lacks.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import unquote_to_bytes

from edgeworker.expressions.value_types import Value
from edgeworker.expressions.wildcards import Wildcard, read_wildcard

Arguments = Sequence[Value | None]

_SPACES: Final = b" \t\r\n\v\f"


def _text(arguments: Arguments, index: int) -> bytes:
    value = arguments[index]
    assert isinstance(value, bytes)
    return value


def _number(arguments: Arguments, index: int) -> int:
    value = arguments[index]
    assert isinstance(value, int)
    return value


def _address(arguments: Arguments, index: int) -> IPv4Address | IPv6Address:
    value = arguments[index]
    assert isinstance(value, IPv4Address | IPv6Address)
    return value


def _texts(arguments: Arguments, index: int) -> list[bytes]:
    value = arguments[index]
    assert isinstance(value, Sequence)
    return [item for item in value if isinstance(item, bytes)]


def concat(arguments: Arguments) -> Value | None:
    known = [argument for argument in arguments if argument is not None]
    if not known:
        return None
    if isinstance(known[0], bytes):
        return b"".join(item for item in known if isinstance(item, bytes))
    return [element for item in known if isinstance(item, Sequence) for element in item]


def coalesce(arguments: Arguments) -> Value | None:
    return next((argument for argument in arguments if argument is not None), None)


def lower(arguments: Arguments) -> Value:
    return _text(arguments, 0).lower()


def upper(arguments: Arguments) -> Value:
    return _text(arguments, 0).upper()


def url_decode(arguments: Arguments) -> Value:
    return unquote_to_bytes(_text(arguments, 0).replace(b"+", b" "))


def starts_with(arguments: Arguments) -> Value:
    return _text(arguments, 0).startswith(_text(arguments, 1))


def ends_with(arguments: Arguments) -> Value:
    return _text(arguments, 0).endswith(_text(arguments, 1))


def contains(arguments: Arguments) -> Value:
    return _text(arguments, 1) in _text(arguments, 0)


def length(arguments: Arguments) -> Value:
    return len(_text(arguments, 0))


def substring(arguments: Arguments) -> Value:
    return _text(arguments, 0)[_number(arguments, 1) : _number(arguments, 2)]


def remove_bytes(arguments: Arguments) -> Value:
    return _text(arguments, 0).translate(None, delete=_text(arguments, 1))


def to_string(arguments: Arguments) -> Value:
    return str(_number(arguments, 0)).encode()


def sha256(arguments: Arguments) -> Value:
    return hashlib.sha256(_text(arguments, 0)).digest()


def sha512(arguments: Arguments) -> Value:
    return hashlib.sha512(_text(arguments, 0)).digest()


def ip_in_range(arguments: Arguments) -> Value | None:
    try:
        network = ip_network(_text(arguments, 1).decode("ascii"))
    except ValueError:
        return None
    return _address(arguments, 0) in network


def wildcard(arguments: Arguments) -> Value | None:
    pattern = read_wildcard(_text(arguments, 1), strict=False)
    return pattern.matches(_text(arguments, 0)) if isinstance(pattern, Wildcard) else None


def encode_base64(arguments: Arguments) -> Value:
    options = _text(arguments, 1) if len(arguments) > 1 else b""
    encode = base64.urlsafe_b64encode if b"u" in options else base64.b64encode
    encoded = encode(_text(arguments, 0))
    return encoded if b"p" in options else encoded.rstrip(b"=")


def decode_base64(arguments: Arguments) -> Value | None:
    content = _text(arguments, 0).rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(content + b"=" * (-len(content) % 4), validate=True)
    except binascii.Error:
        return None


def cidr(arguments: Arguments) -> Value | None:
    address = _address(arguments, 0)
    return _network_of(address, _number(arguments, 1 if address.version == 4 else 2))


def cidr6(arguments: Arguments) -> Value | None:
    address = _address(arguments, 0)
    return _network_of(address, _number(arguments, 1) if address.version == 6 else 32)


def _network_of(address: IPv4Address | IPv6Address, bits: int) -> Value | None:
    if not 0 <= bits <= address.max_prefixlen:
        return None
    return ip_address(ip_network(f"{address}/{bits}", strict=False).network_address)


def join(arguments: Arguments) -> Value:
    return _text(arguments, 1).join(_texts(arguments, 0))


def split(arguments: Arguments) -> Value | None:
    separator, limit = _text(arguments, 1), _number(arguments, 2)
    if not separator or not 1 <= limit <= 128:
        return None
    return _text(arguments, 0).split(separator, limit - 1)


def has_key(arguments: Arguments) -> Value:
    value = arguments[0]
    assert isinstance(value, Mapping)
    return _text(arguments, 1).decode("utf-8", "replace") in value


def has_value(arguments: Arguments) -> Value:
    return _text(arguments, 1) in _texts(arguments, 0)


def remove_query_args(arguments: Arguments) -> Value:
    names = {_text(arguments, index) for index in range(1, len(arguments))}
    pairs = _text(arguments, 0).split(b"&")
    return b"&".join(pair for pair in pairs if pair.partition(b"=")[0] not in names)


def trim(arguments: Arguments) -> Value:
    return _text(arguments, 0).strip(_trimmed_characters(arguments))


def trim_start(arguments: Arguments) -> Value:
    return _text(arguments, 0).lstrip(_trimmed_characters(arguments))


def trim_end(arguments: Arguments) -> Value:
    return _text(arguments, 0).rstrip(_trimmed_characters(arguments))


def _trimmed_characters(arguments: Arguments) -> bytes:
    return _text(arguments, 1) if len(arguments) > 1 else _SPACES


def lookup_json_string(arguments: Arguments) -> Value | None:
    found = _lookup(arguments)
    # A lone surrogate has no UTF-8 form; it is kept apart from every text that has one.
    return found.encode("utf-8", "surrogatepass") if isinstance(found, str) else None


def lookup_json_integer(arguments: Arguments) -> Value | None:
    found = _lookup(arguments)
    if isinstance(found, bool) or not isinstance(found, int) or not -(2**63) <= found < 2**63:
        return None
    return found


def _lookup(arguments: Arguments) -> object:
    """What stands at the path of keys and indices, or None."""
    try:
        found: object = json.loads(_text(arguments, 0))
    except (ValueError, RecursionError):
        return None
    for key in arguments[1:]:
        if isinstance(key, bytes) and isinstance(found, dict):
            found = found.get(key.decode("utf-8", "replace"))
        elif isinstance(key, int) and isinstance(found, list) and 0 <= key < len(found):
            found = found[key]
        else:
            return None
    return found
