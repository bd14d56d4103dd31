"""`request.headers` of a script: an `http.client.HTTPMessage` that is a mapping too.

It is made anew each time it is asked for, and it is a copy: changing it changes no request and no response, as with
Cloudflare's SDK. Look-ups read the core's raw fields; the message behind is built when another of its methods is used.
"""

import logging
from collections.abc import ItemsView, Mapping
from email.message import Message
from http.client import HTTPMessage
from typing import Final, TypeVar

from edgeworker.messages import Headers
from edgeworker.runtime.webapi.data import JsMap
from edgeworker.runtime.webapi.headers import Headers as JSHeaders
from edgeworker.runtime.webapi.headers import to_headers

_T = TypeVar("_T")
_log: Final = logging.getLogger(__name__)
_warned: Final[list[bool]] = []  # once is enough


class HTTPMessageMapping(HTTPMessage, Mapping[str, str]):  # type: ignore[misc]  # as in the SDK; the bases disagree on keys()
    """Names in lower case; a repeated field is joined with ", ", Set-Cookie stays several; a missing one is None."""

    _core: Headers
    _is_built: bool  # the parent's part

    def __init__(self, core: Headers | None = None) -> None:
        # Not the parent's: it sets eight attributes, and most requests are asked for one header.
        self._core = Headers() if core is None else core
        self._is_built = False

    def _build(self) -> None:
        self._is_built = True
        Message.__init__(self)
        self._headers = self._core.entries()

    def get(self, name: str, failobj: _T | None = None) -> str | _T | None:  # type: ignore[override]  # Message is generic
        if self._is_built:
            found: str | _T | None = HTTPMessage.get(self, name, failobj)
            return found
        value = self._core.get(name)
        if value is None:
            return failobj
        return self._core.get_all(name)[0] if len(name) == 10 and name.lower() == "set-cookie" else value

    def items(self) -> list[tuple[str, str]]:  # type: ignore[override]  # as in email: a list, not a view
        # The parent asks its policy about each value, which finds nothing to change in text without surrogates.
        return HTTPMessage.items(self) if self._is_built else self._core.entries()

    def __getitem__(self, name: str) -> str:
        return self.get(name)  # type: ignore[return-value]  # email's way: None for a missing field, no KeyError

    def __contains__(self, name: object) -> bool:
        if self._is_built:
            return isinstance(name, str) and HTTPMessage.__contains__(self, name)
        return isinstance(name, str) and self._core.has(name)


class _Unbuilt:
    """An attribute of the parent, which is missing in an object until one of them is needed.

    Not `__getattr__`: with that, Python looks each attribute up in its slow way.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, headers: HTTPMessageMapping | None, _owner: type[HTTPMessageMapping]) -> object:
        if headers is None:
            raise AttributeError(f"type object 'HTTPMessageMapping' has no attribute {self._name!r}")
        headers._build()
        return vars(headers)[self._name]


for _name in vars(Message()):
    setattr(HTTPMessageMapping, _name, _Unbuilt(_name))


def from_script(headers: object) -> Headers | None:
    """What `headers=` of the SDK takes, as core headers; None for nothing. Raises TypeError for another type."""
    match headers:
        case dict():
            return to_headers(list(headers.items())) if headers else None
        case list():
            return to_headers(headers) if headers else None
        case JSHeaders():
            return headers.core.copy()
        case JsMap() | tuple() | ItemsView():  # what pyodide converts like these
            return to_headers(headers)
        case None:
            return None
        case HTTPMessageMapping():
            # Cloudflare's documentation shows it; its SDK 1.9.5 refuses it.
            if not _warned:
                _warned.append(True)
                _log.warning(
                    "headers= was given a headers object, which some versions of Cloudflare's SDK refuse: "
                    "use list(response.headers.items())"
                )
            return to_headers(headers.items())
        case _:
            raise TypeError(
                f"Received unexpected type for headers argument: {type(headers).__name__}; use a dict or a list"
            )
