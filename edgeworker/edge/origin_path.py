"""A request for an origin that wants the path as the client wrote it. Pure."""

import re
from typing import Final
from urllib.parse import quote

from edgeworker.messages import URL, Request

_AUTHORITY: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
# Every visible ASCII character; what else there is cannot stand in a request line.
_VISIBLE: Final = "".join(map(chr, range(0x21, 0x7F)))


def as_sent_by_client(request: Request) -> Request:
    """`request` with a URL whose path and query stand as they were received; as it is if it came over no socket.

    Only an origin may be given it, when nothing is left to decide. "http://host/path" as a target becomes "/path", a
    fragment is dropped, and bytes that a request line cannot hold are escaped.
    """
    target = request.raw_target
    if target is None:
        return request
    target = target.partition("#")[0]
    absolute = _AUTHORITY.match(target)
    if absolute is not None:
        target = target[absolute.end() :]
    if not target.startswith("/"):
        target = f"/{target}"
    target = quote(target.encode("utf-8", "surrogateescape"), safe=_VISIBLE)
    path, mark, query = target.partition("?")
    url = request.url
    return request.replace(url=URL(url.scheme, url.hostname, url.port, path, mark + query))
