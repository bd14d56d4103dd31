"""Between the SDK's Python options and JavaScript's, and JavaScript's exceptions as Python's."""

from collections.abc import Awaitable
from http import HTTPMethod
from typing import TypeVar

from edgeworker.messages import Headers
from edgeworker.runtime.sdk import headers as sdk_headers
from edgeworker.runtime.sdk.blob import Blob
from edgeworker.runtime.sdk.formdata import FormData
from edgeworker.runtime.webapi.ffi import JsException

_T = TypeVar("_T")


def convert_options(given: dict[str, object]) -> dict[str, object]:
    """The keywords of `fetch` and `Request`, made JavaScript's options: with headers that no one else has.

    Raises TypeError for an unusable `headers`.
    """
    if "headers" in given:
        given["headers"] = _read_headers(given["headers"])
    method = given.get("method")
    if method is not None and isinstance(method, HTTPMethod):
        given["method"] = method.value
    body = given.get("body")
    if body is not None and isinstance(body, (FormData, Blob)):  # to join the two is dearer than to ask
        given["body"] = body.js_object
    return given


def _read_headers(headers: object) -> Headers | None:
    if type(headers) is list and headers:
        for pair in headers:
            if type(pair) is not tuple:
                return sdk_headers.from_script(headers)
        try:  # what nearly every script gives
            return Headers(headers)
        except (TypeError, ValueError, AttributeError):
            pass  # it is said below what is wrong, or what is not text is converted
    return sdk_headers.from_script(headers)


def to_python_exception(error: JsException) -> Exception:
    """As the SDK maps them: RangeError is ValueError, TypeError is TypeError, others stay."""
    match error.name:
        case "RangeError":
            return ValueError(error.message)
        case "TypeError":
            return TypeError(error.message)
        case _:
            return error


async def raise_python_errors(work: Awaitable[_T]) -> _T:
    try:
        return await work
    except JsException as error:
        raise to_python_exception(error) from error
