"""JSON as tokens and key sets must be: one reading only. Pure."""

import base64
import binascii
import re
from typing import Final

from edgeworker.strict_json import JSON, InvalidJSON, loads

_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*")


class InvalidText(ValueError):
    """Text that is not what it must be. It holds nothing of the text."""


def read_object(data: bytes, name: str) -> dict[str, JSON]:
    """A JSON object in UTF-8 in which no member comes twice and every number is finite. Raises InvalidText."""
    try:
        value = loads(data, unique_names=True, lone_surrogates=True)
    except InvalidJSON:
        raise InvalidText(f"the {name} is not a JSON object, or not in only one way") from None
    if not isinstance(value, dict):
        raise InvalidText(f"the {name} is not a JSON object")
    return value


def decode_base64url(text: str, name: str) -> bytes:
    """Without padding and without bits after the last byte, so that one value has one text. Raises InvalidText."""
    if _BASE64URL.fullmatch(text) is None or len(text) % 4 == 1:
        raise InvalidText(f"the {name} is not base64url without padding")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise InvalidText(f"the {name} is not base64url without padding") from None
    if encode_base64url(data) != text:
        raise InvalidText(f"the {name} is not base64url in its one form")
    return data


def encode_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
