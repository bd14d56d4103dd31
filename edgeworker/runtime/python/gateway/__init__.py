"""ASGI and WSGI applications as workers: the modules `asgi`, `workers.asgi` and `workers.wsgi`."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal

from edgeworker import messages
from edgeworker.runtime.sdk.request import Request
from edgeworker.runtime.webapi.fetch import Request as JSRequest
from edgeworker.runtime.webapi.fetch import Response as JSResponse

EncodeBody = Literal["automatic", "manual"]
_CHOICES: Final = ("automatic", "manual")


@dataclass(frozen=True, kw_only=True)
class Options:
    """`encode_body` "manual": the body is in its Content-Encoding already."""

    encode_body: EncodeBody = "automatic"

    def __post_init__(self) -> None:
        if self.encode_body not in _CHOICES:
            raise ValueError(f"encode_body must be one of {_CHOICES}, got {self.encode_body!r}")


DEFAULT_OPTIONS: Final = Options()


def unwrap_request(request: object) -> messages.Request:
    """Of a request of either kind: examples hand on `request` as well as `request.js_object`."""
    if not isinstance(request, Request | JSRequest):
        raise TypeError(f"a request was expected, not {type(request).__name__}")
    return request.core


def build_response(
    status: int, headers: list[tuple[str, str]], body: messages.Body | None, *, reason: str, options: Options
) -> JSResponse:
    """A response of an application. A status that allows no body gets none."""
    if status in messages.NULL_BODY_STATUSES:
        body = None
    phrase = "" if reason == _standard_phrase(status) else reason
    core = messages.Response(status, messages.Headers(headers), body, status_text=phrase)
    return JSResponse.over(core, automatic=options.encode_body == "automatic")


def decode_value(value: bytes) -> str:
    """A header's value: UTF-8, or latin-1, which frameworks write where they know no better."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _standard_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
