"""Sets header fields of a request from what its verified tokens claim. Pure.

A field that a client sends under such a name never passes, whether the claim is there or not, and in no spelling:
servers that speak WSGI or CGI read "X_User" as "X-User".
"""

import re
from collections.abc import Sequence
from typing import Final

from edgeworker.expressions import RequestFacts
from edgeworker.messages import Headers
from edgeworker.products.api_shield.compiled import CompiledTransform

MAX_VALUE_BYTES: Final = 4096
_CONTROL: Final = re.compile(rb"[\x00-\x1f\x7f]")


def transform_headers(headers: Headers, transforms: Sequence[CompiledTransform], facts: RequestFacts) -> Headers:
    """A copy with the fields that apply: first deleted, then set if there is a value that a field can hold."""
    applied = [one for one in transforms if one.applies is None or one.applies(facts)]
    if not applied:
        return headers
    names = {one.transform.header.lower().replace("_", "-").encode("ascii") for one in applied}
    kept = Headers.from_raw([field for field in headers.raw if field[0].lower().replace(b"_", b"-") not in names])
    for one in applied:
        value = one.value(facts)
        if value is not None and is_field_value(value):
            kept.set(one.transform.header, value.decode("latin-1"))
    return kept


def is_field_value(value: bytes) -> bool:
    """Whether it is UTF-8 without control characters. A lone surrogate, which JSON can say, is not."""
    if len(value) > MAX_VALUE_BYTES or _CONTROL.search(value) is not None:
        return False
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
