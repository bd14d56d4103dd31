"""Form bodies of the token worker's endpoints: what is not exactly a form is refused. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

from issuer.refusals import Refused

MAX_BYTES: Final = 65_536
MAX_FIELDS: Final = 100
_REPEATABLE: Final = frozenset({"resource"})  # RFC 8707 section 2
_TYPE: Final = re.compile(r'application/x-www-form-urlencoded[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Form:
    values: Mapping[str, tuple[str, ...]] = field(repr=False)

    def get(self, name: str) -> str | None:
        """None also for an empty one (RFC 6749 section 3.2)."""
        return next((value for value in self.values.get(name, ()) if value), None)

    def required(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise Refused("invalid_request", f"The parameter {name} is missing")
        return value

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for value in self.values.get(name, ()) if value)


def parse(content_type: str | None, content: bytes) -> Form:
    """The form's fields. Raises Refused (400, or 413 for a body that is too large)."""
    if len(content) > MAX_BYTES:
        raise Refused("invalid_request", f"The body is larger than {MAX_BYTES} bytes", status=413)
    if content_type is None or not _TYPE.fullmatch(content_type.strip()):
        raise Refused("invalid_request", "The content type must be application/x-www-form-urlencoded")
    pairs = content.split(b"&") if content else []
    if len(pairs) > MAX_FIELDS:
        raise Refused("invalid_request", f"The form has more than {MAX_FIELDS} fields")
    values: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        if not pair:
            continue
        name, _, value = pair.partition(b"=")
        key = decoded(name)
        if key in values and key not in _REPEATABLE:
            raise Refused("invalid_request", "A parameter is there twice")
        values[key] = (*values.get(key, ()), decoded(value))
    return Form(values)


def decoded(part: bytes) -> str:
    """One name or value of a form. Raises Refused for what is not UTF-8."""
    try:
        return unquote_to_bytes(part.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("invalid_request", "The form is not UTF-8") from None
