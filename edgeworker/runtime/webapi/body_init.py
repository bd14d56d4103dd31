"""From what a script gives to what the core carries: bodies, requests, responses; for both `workers` and `js`.

Texts of errors are workerd's where it has one. Source: https://fetch.spec.whatwg.org/#bodyinit-unions
"""

import re
from collections.abc import AsyncIterable, Iterable, Mapping
from enum import Enum
from typing import Final

from edgeworker import messages
from edgeworker.errors import OriginError
from edgeworker.messages import NULL_BODY_STATUSES, URL, Body, BodyTooLarge, BodyUsed, InvalidURL, Redirect
from edgeworker.runtime.webapi import encodings
from edgeworker.runtime.webapi.base import (
    BodySource,
    BodyWithType,
    JsObject,
    ListIterator,
    is_absent,
    range_error,
    type_error,
)
from edgeworker.runtime.webapi.data import JsMap
from edgeworker.runtime.webapi.ffi import JsDict, JsException
from edgeworker.runtime.webapi.headers import Headers, to_headers
from edgeworker.runtime.webapi.plain_iterators import PlainIterator
from edgeworker.runtime.webapi.plain_objects import PlainObject, as_js
from edgeworker.runtime.webapi.plain_proxy import fields_of
from edgeworker.runtime.webapi.sets import JsSet
from edgeworker.runtime.webapi.streams import stream_from
from edgeworker.runtime.webapi.strings import to_string, to_usv_string
from edgeworker.runtime.webapi.written_url import read_url

TEXT: Final = "text/plain;charset=UTF-8"
BODY_USED: Final = "Body has already been used. It can only be used once. Use tee() first if you need to read it twice."
# What one isolate may hold: https://developers.cloudflare.com/workers/platform/limits/#memory
MAX_READ_BYTES: Final = 128 * 1024 * 1024
USED_REQUEST: Final = "Cannot reconstruct a Request with a used body."
# Those that workerd knows, recorded from it; every other one is a TypeError.
METHODS: Final = frozenset({
    "ACL", "CHECKOUT", "COPY", "DELETE", "GET", "HEAD", "LOCK", "MERGE", "MKACTIVITY", "MKCOL", "MOVE", "MSEARCH",
    "NOTIFY", "OPTIONS", "PATCH", "POST", "PROPFIND", "PROPPATCH", "PURGE", "PUT", "QUERY", "REPORT", "SEARCH",
    "SUBSCRIBE", "TRACE", "UNLOCK", "UNSUBSCRIBE",
})  # fmt: skip
_NO_REDIRECT: Final = (
    'Invalid redirect value, must be one of "follow" or "manual" ("error" won\'t be implemented since it does not make '
    'sense at the edge; use "manual" and check the response status code).'
)
_NO_INTEGRITY: Final = (
    "Subrequest integrity checking is not implemented. The integrity option must be either undefined or an empty "
    "string."
)
_STATUS_RANGE: Final = "Responses may only be constructed with status codes in the range 200 to 599, inclusive."
_NOT_IN_A_STATUS_TEXT: Final = re.compile(r"[\x00-\x1f]")
# These describe a body that is not there any more when a script gives another one.
_BODY_FIELDS: Final = frozenset({b"content-length", b"transfer-encoding", b"content-encoding"})


def extract_body(value: object) -> BodyWithType:
    """Raises JsException (TypeError) for what cannot be a body."""
    match value:
        case str():
            return BodyWithType(Body(value.encode("utf-8", "replace")), TEXT)
        case bytes():
            return BodyWithType(Body(value))
        case bytearray() | memoryview():
            return BodyWithType(Body(bytes(value)))
        case BodySource():
            return value.extract_body()
        case _ if is_absent(value):
            return BodyWithType(None)
        case JsMap() | Headers():  # what JavaScript iterates is a stream, of pairs here, which are not bytes
            return stream_from(value.entries()).extract_body()
        case JsSet() | PlainIterator() | ListIterator():
            return stream_from(value).extract_body()
        case bool() | int() | float():
            return BodyWithType(Body(to_string(value).encode()), TEXT)
        case BaseException():
            return BodyWithType(Body(str(value).encode("utf-8", "replace")), TEXT)  # scripts send what they caught
        case PlainObject():
            return BodyWithType(Body(to_string(value).encode()), TEXT)
        case Mapping() | Enum():  # an object of JavaScript, or one of Python as pyodide's proxy shows it
            text = to_string(value) if isinstance(value, JsDict | Enum) else str(value)
            return BodyWithType(Body(text.encode("utf-8", "replace")), TEXT)
        case AsyncIterable() | Iterable() if not isinstance(value, JsObject):
            return stream_from(value).extract_body()
        case _:
            return BodyWithType(Body(to_string(value).encode("utf-8", "replace")), TEXT)


def make_response(
    body: object,
    *,
    status: int = 200,
    status_text: object = "",
    headers: messages.Headers | None = None,
    switches: bool = False,
) -> tuple[messages.Response, str | None]:
    """The core's response, and the coding that its body is in already: that of a stream of another message.

    `switches` says that a WebSocket comes with it, which status 101 is for. Raises JsException: RangeError for the
    status, TypeError for a status text, and for a body that the status does not allow.
    """
    phrase = to_usv_string(status_text)
    if _NOT_IN_A_STATUS_TEXT.search(phrase):
        raise type_error("Invalid statusText")
    content = extract_body(body)
    if status != 200:
        if not 200 <= status <= 599 and not (switches and status == 101):
            raise range_error(_STATUS_RANGE)
        if status in NULL_BODY_STATUSES and content.body is not None:
            # An empty one is let go, as by workerd: scripts answer preflights with `Response("", status=204)`.
            if status == 101 or not _is_empty(content.body):
                raise type_error("Response with null body status (101, 204, 205, or 304) cannot have a body.")
            content = BodyWithType(None)
    if headers is None:
        kind = content.content_type
        fields = messages.Headers.from_raw([] if kind is None else [(b"content-type", kind.encode())])
    else:
        fields = headers
        if content.content_type is not None and not fields.has("content-type"):
            fields.append("content-type", content.content_type)
    return messages.Response(status, fields, content.body, status_text=phrase), content.encoding


def encode_as_declared(response: messages.Response, encoding: str | None, *, automatic: bool) -> messages.Response:
    """The response as it leaves the script: its body, which is in the coding `encoding`, in that of its headers.

    With `automatic` false (`encodeBody: "manual"`) the script has encoded the body itself.
    """
    declared = encodings.find_coding(response.headers) if automatic else None
    body = response.body
    if declared == encoding or body is None or _is_empty(body):
        return response
    encoded = encodings.encode(encodings.decode(body.stream(), encoding), declared)
    headers = response.headers.without(frozenset({b"content-length"}))
    return messages.Response(response.status, headers, Body(encoded), status_text=response.status_text)


def make_request(
    resource: "messages.Request | str", options: dict[str, object], *, own_headers: bool = False
) -> messages.Request:
    """A request from an URL or another request, changed by Fetch's options (method, headers, body, redirect, cf).

    `own_headers`: core headers in the options belong to the new request, and are not copied.

    A new request follows redirects, one made from another keeps that one's mode: an incoming request's is "manual".
    Raises JsException (TypeError).
    """
    base = resource if isinstance(resource, messages.Request) else None
    if isinstance(resource, str):
        url, written_url = parse_url(resource)
    else:
        url, written_url = resource.url, resource.written_url
    method = _method(options.get("method"), "GET" if base is None else base.method)
    given = options.get("headers")
    if own_headers and isinstance(given, messages.Headers):
        headers = given
    elif given is not None and not can_be_headers(given):
        raise wrong_field("headers", "Headers or Sequence or object")
    else:
        headers = to_headers((None if base is None else base.headers) if given is None else given)
    body = None if base is None else base.body
    if not is_absent(options.get("body")):
        content = extract_body(options["body"])
        body = content.body
        if given is None:
            headers = headers.without(_BODY_FIELDS)
        if content.encoding is not None and body is not None:
            body = Body(encodings.decode(body.stream(), content.encoding))
        if content.content_type is not None and not headers.has("content-type"):
            headers.append("content-type", content.content_type)
    if body is not None and method in ("GET", "HEAD"):
        if base is None or not is_absent(options.get("body")) or not _is_empty(body):
            raise type_error("Request with a GET or HEAD method cannot have a body.")
        body = None
    if body is not None and body.used:
        raise type_error(USED_REQUEST)
    cf = options.get("cf")
    cache_mode = _cache_mode(options, None if base is None else base.cache_mode)
    if options.get("integrity") not in (None, ""):
        raise type_error(_NO_INTEGRITY)
    decoding = options.get("encodeResponseBody")
    if decoding is not None and decoding not in ("automatic", "manual"):
        raise type_error(f"encodeResponseBody: unexpected value: {to_string(decoding)}")
    return messages.Request(
        method,
        url,
        headers,
        body,
        redirect=_redirect(options.get("redirect"), "follow" if base is None else base.redirect),
        cf=_cf(cf) if cf is not None else None if base is None else base.cf,
        cache_mode=cache_mode,
        written_url=written_url,
    )


def _is_empty(body: Body) -> bool:
    return body.complete == b""


def raise_if_used(message: messages.Request | messages.Response) -> None:
    """Raises JsException (TypeError) for a body that was read: it cannot be sent any more."""
    if message.body is not None and message.body.used:
        raise type_error(BODY_USED)


def wrong_field(name: str, kind: str, *, of: str = "RequestInitializerDict") -> JsException:
    return type_error(f"Incorrect type for the '{name}' field on '{of}': the provided value is not of type '{kind}'.")


def can_be_headers(value: object) -> bool:
    return not (is_absent(value) or isinstance(value, str | bytes | int | float))


def parse_url(text: str) -> tuple[URL, str | None]:
    """The URL, and how it is written if it holds more than can be sent."""
    try:
        return read_url(text)
    except InvalidURL as error:
        raise type_error(str(error)) from None


def _method(given: object, otherwise: str) -> str:
    if given is None:
        return otherwise
    method = to_string(given)
    if method.upper() not in METHODS:
        raise type_error(f"Invalid HTTP method string: {method}")
    return method.upper()


def _redirect(given: object, otherwise: Redirect) -> Redirect:
    if given is None:
        return otherwise
    mode = to_string(given).lower()
    if mode == "manual":
        return "manual"
    if mode == "follow":
        return "follow"
    raise type_error(_NO_REDIRECT)


def _cache_mode(options: dict[str, object], otherwise: str | None) -> str | None:
    """workerd has two modes, which tell caches on the way. Others are a TypeError."""
    mode = options.get("cache")
    if mode is None:
        return otherwise
    if mode not in ("no-store", "no-cache"):
        raise type_error(f"Unsupported cache mode: {to_string(mode)}")
    cf = fields_of(options.get("cf"))
    if mode == "no-store" and isinstance(cf, Mapping) and not is_absent(cf.get("cacheTtl")):
        raise type_error(f"CacheTtl: {to_string(cf['cacheTtl'])}, is not compatible with cache: no-store header.")
    return str(mode)


def _cf(given: object) -> Mapping[str, object]:
    given = fields_of(given)
    if not isinstance(given, Mapping):
        raise wrong_field("cf", "Object")
    return {str(name): as_js(value) for name, value in given.items()}


async def read(
    message: messages.Request | messages.Response, encoding: str | None, *, limit: int = MAX_READ_BYTES
) -> bytes:
    """The whole body, decoded from `encoding`.

    Raises JsException for a second read and for more than `limit` bytes (a small compressed body may hold any number),
    OSError where it breaks off.
    """
    if message.body is None:
        return b""
    body = message.body
    try:
        if encoding is not None:
            body = Body(encodings.decode(body.stream(), encoding))
        return await body.read(limit=limit)
    except BodyTooLarge:
        pass
    except BodyUsed:
        raise JsException("TypeError", BODY_USED) from None
    except OriginError as error:
        raise OSError(f"the body broke off: {error}") from error
    await message.body.close()
    raise JsException("TypeError", "Memory limit would be exceeded before EOF.")


def decode_text(content: bytes) -> str:
    """UTF-8 as Fetch decodes it: without a byte order mark, and with U+FFFD for what is not UTF-8."""
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
