"""URLs of a script's requests that hold more than a request does: user info, a fragment, a scheme that is not http."""

from typing import Final

import ada_url

from edgeworker import messages
from edgeworker.messages import URL

_FETCHED: Final = ("http", "https")


def read_url(text: str) -> tuple[URL, str | None]:
    """What is sent, and what a script reads if that is more. Raises InvalidURL."""
    try:
        parsed = ada_url.URL(text)
    except ValueError:
        return URL.parse(text), None  # which says what is wrong
    scheme = parsed.protocol[:-1]
    if scheme not in _FETCHED:
        return URL(scheme, "", 0, parsed.pathname, parsed.search), parsed.href
    has_more = parsed.username or parsed.password or "#" in parsed.href
    return URL.parse(text), parsed.href if has_more else None


def as_written(request: messages.Request) -> str:
    return request.written_url or request.url.href


def is_fetched(url: URL) -> bool:
    """Whether a request can be sent to it."""
    return url.scheme in _FETCHED


def with_user_info(url: URL, written: str | None) -> str:
    """`url`, which answered, as `response.url` shows it."""
    if written is None:
        return url.href
    parsed = ada_url.URL(written)
    password = f":{parsed.password}" if parsed.password else ""
    user_info = f"{parsed.username}{password}@" if parsed.username or password else ""
    return f"{url.scheme}://{user_info}{url.host}{url.target}"
