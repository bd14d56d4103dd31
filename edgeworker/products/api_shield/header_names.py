"""Which header fields a rule may set. Pure."""

import re
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_HOP_BY_HOP: Final = ("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect")
_MEANING: Final = ("host", "content-length", "content-encoding", "authorization", "cookie")
_CLIENT: Final = ("x-forwarded-for", "x-forwarded-proto", "x-real-ip", "true-client-ip", "cdn-loop")
_RESERVED: Final = frozenset((*_HOP_BY_HOP, *_MEANING, *_CLIENT))


def check_header_name(name: str) -> None:
    """Raises ValueError for a name that no rule may set."""
    if _NAME.fullmatch(name) is None:
        raise ValueError(f'"{name[:80]}" is not the name of a header field; write it as "X-User"')
    spelled = name.lower().replace("_", "-")
    if spelled in _RESERVED or spelled.startswith("cf-"):
        raise ValueError(f'the header "{name}" belongs to the edge or to HTTP; choose one of your own, as "X-User"')
