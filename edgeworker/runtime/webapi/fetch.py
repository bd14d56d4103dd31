"""JavaScript's `Request`, `Response` and `fetch`: views of the core's messages.

`Request.over(core)` and `Response.over(core)` cost one object; headers and bodies stay as they are until touched.
"""

import math
import re
from collections.abc import Mapping
from typing import Final

from edgeworker import messages
from edgeworker.runtime.contract import current_invocation, portability_warnings
from edgeworker.runtime.webapi import body_init, encodings, perform_fetch
from edgeworker.runtime.webapi import json as js_json
from edgeworker.runtime.webapi import url as js_url
from edgeworker.runtime.webapi.abort import AbortSignal, run_unless_aborted, stream_unless_aborted
from edgeworker.runtime.webapi.base import JsObject, is_absent, options, range_error, type_error
from edgeworker.runtime.webapi.blob import Blob
from edgeworker.runtime.webapi.buffers import ArrayBuffer, Uint8Array
from edgeworker.runtime.webapi.data import as_objects
from edgeworker.runtime.webapi.fetch_failure import FetchFailed
from edgeworker.runtime.webapi.ffi import JsException, JsNull
from edgeworker.runtime.webapi.formdata import FormData
from edgeworker.runtime.webapi.global_scope import refuse_in_global_scope
from edgeworker.runtime.webapi.headers import Headers, to_headers
from edgeworker.runtime.webapi.plain_objects import null
from edgeworker.runtime.webapi.streams import ReadableStream
from edgeworker.runtime.webapi.strings import to_string
from edgeworker.runtime.webapi.tasks import Promise
from edgeworker.runtime.webapi.websocket import WebSocket, take_for_response
from edgeworker.runtime.webapi.written_url import as_written

_REDIRECTS: Final = (301, 302, 303, 307, 308)
_NUMBER: Final = re.compile(r"[0-9]+")


class _Message(JsObject):
    """What requests and responses share: headers, and a body that can be read once."""

    core: messages.Request | messages.Response
    _immutable = False
    encoding: str | None = None  # which Content-Encoding a reader has to undo

    @property
    def headers(self) -> Headers:
        return Headers.over(self.core.headers, immutable=self._immutable)

    @property
    def body(self) -> ReadableStream | JsNull | None:
        return null() if self.core.body is None else ReadableStream.of_body(self.core.body, self.encoding)

    @property
    def bodyUsed(self) -> bool:
        return self.core.body is not None and self.core.body.used

    def __str__(self) -> str:
        return f"[object {self.constructor.name}]"

    async def bytes(self) -> Uint8Array:
        return Uint8Array(await body_init.read(self.core, self.encoding))

    async def arrayBuffer(self) -> ArrayBuffer:
        return ArrayBuffer(await body_init.read(self.core, self.encoding))

    async def text(self) -> str:
        return body_init.decode_text(await body_init.read(self.core, self.encoding))

    async def json(self) -> object:
        return js_json.parse(await self.text())

    async def blob(self) -> Blob:
        return Blob.of(await body_init.read(self.core, self.encoding), self.core.headers.get("content-type") or "")

    async def formData(self) -> FormData:
        content_type = self.core.headers.get("content-type")
        return FormData.parse(await body_init.read(self.core, self.encoding), content_type)


class Request(_Message):
    """`Request.new(url or request, {"method": ..., ...})`; options as keyword arguments too."""

    core: messages.Request
    _signal: AbortSignal | None = None
    passes_signal = True  # an incoming request's signal does not abort the fetch() that it is given to

    def __init__(self, resource: object, init: object = None, /, **keywords: object) -> None:
        given = request_options(init, keywords)
        refuse_bytes(given.get("body"))
        self.core = body_init.make_request(read_request_info(resource), given)
        self._signal = choose_signal(resource, given)

    @classmethod
    def over(cls, core: messages.Request, *, immutable: bool = False, signal: AbortSignal | None = None) -> "Request":
        view = cls.__new__(cls)
        view.core = core
        view._immutable = immutable
        view._signal = signal
        return view

    @classmethod
    def over_incoming(cls, core: messages.Request) -> "Request":
        """What a handler is given."""
        view = cls.over(core, immutable=True)
        view.passes_signal = False
        return view

    @property
    def url(self) -> str:
        return as_written(self.core)

    @property
    def method(self) -> str:
        return self.core.method

    @property
    def redirect(self) -> str:
        return self.core.redirect

    @property
    def cf(self) -> object:
        return null() if self.core.cf is None else as_objects(self.core.cf)

    @property
    def cache(self) -> str | None:
        return self.core.cache_mode

    # What workerd has of the rest of Fetch's options; others are undefined there.
    credentials = destination = isHistoryNavigation = mode = referrer = referrerPolicy = None
    integrity = ""
    keepalive = False

    @property
    def signal(self) -> AbortSignal:
        if self._signal is None:
            self._signal = AbortSignal()
        return self._signal

    def clone(self) -> "Request":
        """Both can be read. Raises JsException (TypeError) after the body was read."""
        ours, theirs = _tee(self.core.body)
        self.core.body = ours
        core = self.core.replace(body=theirs, headers=self.core.headers.copy())
        view = Request.over(core, immutable=self._immutable)
        view._signal, view.passes_signal = self.signal, self.passes_signal
        return view

    def __repr__(self) -> str:
        return f"Request(method={self.method!r}, url={self.url!r})"


class Response(_Message):
    """`Response.new(body, {"status": ..., "headers": ...})`; options as keyword arguments too."""

    core: messages.Response
    automatic = True  # the runtime encodes the body as Content-Encoding says; `encodeBody: "manual"` is not
    type = "default"
    webSocket: WebSocket | None = None
    cf = None
    _from = ""
    _redirected = False

    def __init__(self, body: object = None, init: object = None, /, **keywords: object) -> None:
        given = init.init() if isinstance(init, Response) else options(init, keywords)
        refuse_bytes(body)
        headers = given.get("headers")
        if headers is not None and not body_init.can_be_headers(headers):
            raise body_init.wrong_field("headers", "Headers or Sequence or object", of="InitializerDict")
        self.core, self.encoding = body_init.make_response(
            body,
            status=_status(given.get("status")),
            status_text="" if given.get("statusText") is None else given["statusText"],
            headers=None if headers is None else to_headers(headers),
            # The option is webSocket; web_socket is how Cloudflare's Python SDK spells it.
            switches=not is_absent(web_socket := given.get("webSocket", given.get("web_socket"))),
        )
        if not is_absent(web_socket):
            self.webSocket = self.core.web_socket = take_for_response(web_socket, self.core.status)
        self.automatic = _is_automatic(given.get("encodeBody"))

    @classmethod
    def over(cls, core: messages.Response, *, encoding: str | None = None, automatic: bool = True) -> "Response":
        view = cls.__new__(cls)
        view.core = core
        view.encoding = encoding
        view.automatic = automatic
        return view

    @classmethod
    def over_fetched(cls, fetched: perform_fetch.Fetched, signal: AbortSignal | None = None) -> "Response":
        """Its body breaks off when `signal` is aborted."""
        body = fetched.response.body
        if signal is not None and body is not None:
            fetched.response.body = messages.Body(stream_unless_aborted(body, signal), length=body.length)
        view = cls.over(fetched.response, encoding=encodings.find_coding(fetched.response.headers))
        view._from, view._redirected, view._immutable = fetched.url, fetched.redirected, True
        return view

    def json(self: object, init: object = None, /, **keywords: object) -> object:  # type: ignore[override]  # two methods in one
        """`Response.json(data, init)` makes a response; called on a response, it reads the body as JSON."""
        if isinstance(self, Response):
            return _Message.json(self)
        data = self
        response = Response(js_json.stringify(data), init, **keywords)
        given = init.init() if isinstance(init, Response) else options(init, keywords)
        if given.get("headers") is None or not to_headers(given["headers"]).has("content-type"):
            response.core.headers.set("content-type", "application/json")
        return response

    @staticmethod
    def redirect(url: object, status: object = 302) -> "Response":
        target = js_url.URL(url).href
        code = 302 if status is None else 0 if is_absent(status) else _status(status)
        if code not in _REDIRECTS:
            raise range_error(f"{code} is not a redirect status code. It must be one of: 301, 302, 303, 307, or 308.")
        view = Response.over(messages.Response(code, messages.Headers({"location": target})))
        view._immutable = True
        return view

    @staticmethod
    def error() -> "Response":
        """Says that the network failed. A handler cannot answer it."""
        view = Response.over(messages.Response(0))
        view.type = "error"
        return view

    @property
    def status(self) -> int:
        return self.core.status

    @property
    def statusText(self) -> str:
        return self.core.status_text

    @property
    def ok(self) -> bool:
        return 200 <= self.core.status <= 299

    @property
    def url(self) -> str:
        return self.core.url or self._from

    @property
    def redirected(self) -> bool:
        return self._redirected or self.core.redirected

    def init(self) -> dict[str, object]:
        """Itself as the options of another response: `Response.new(body, response)`."""
        return {"status": self.core.status, "statusText": self.core.status_text, "headers": self.core.headers}

    def clone(self) -> "Response":
        """Both can be read. Raises JsException (TypeError) after the body was read."""
        ours, theirs = _tee(self.core.body)
        self.core.body = ours
        core = self.core
        copy = messages.Response(
            core.status,
            core.headers.copy(),
            theirs,
            status_text=core.status_text,
            url=core.url,
            redirected=core.redirected,
        )
        view = Response.over(copy, encoding=self.encoding, automatic=self.automatic)
        view._from, view._redirected, view._immutable = self._from, self._redirected, self._immutable
        return view

    def __repr__(self) -> str:
        return f"Response(status={self.status})"


def fetch(resource: object, init: object = None, /, **keywords: object) -> Promise:
    """JavaScript's `fetch`: of a Response. A failing network is a JsException, as any error of JavaScript."""
    refuse_in_global_scope("fetch()")
    given = request_options(init, keywords)
    refuse_bytes(given.get("body"))
    signal = choose_signal(resource, given)
    return Promise(run_unless_aborted(_fetch(resource, given, signal), signal))


async def _fetch(resource: object, given: dict[str, object], signal: AbortSignal | None) -> Response:
    source = read_request_info(resource)
    request = body_init.make_request(source, given) if given or isinstance(source, str) else source
    body_init.raise_if_used(request)
    try:
        return Response.over_fetched(await perform_fetch.perform(request, current_invocation.current()), signal)
    except FetchFailed as error:
        raise JsException("Error", f"Network connection lost. {error}") from error.__cause__


def read_request_info(resource: object) -> "messages.Request | str":
    """What `fetch` and `new Request` take: a request of either kind, an URL object, or text."""
    core = getattr(resource, "core", None)
    if isinstance(core, messages.Request):
        return core
    href = getattr(resource, "href", None)
    return href if isinstance(href, str) else str(resource)


def choose_signal(resource: object, given: Mapping[str, object]) -> AbortSignal | None:
    """The option, else the signal that the request has. Raises JsException (TypeError) for another kind of option."""
    if "signal" not in given or given["signal"] is None:
        # A view of the SDK whose object of JavaScript was not made yet has no signal either.
        view: object = getattr(resource, "made_js_object", resource)
        return view._signal if isinstance(view, Request) and view.passes_signal else None
    signal = given["signal"]
    if is_absent(signal):
        return None
    if not isinstance(signal, AbortSignal):
        raise body_init.wrong_field("signal", "AbortSignal")
    return signal


def refuse_bytes(body: object) -> None:
    """Raises JsException (TypeError) for bytes of Python as a body where production decides: JavaScript gets an object
    whose items are numbers."""
    if type(body) in (bytes, bytearray, memoryview) and portability_warnings.is_refused(
        "bytes of Python are an object on Cloudflare, and no body", "use to_js(...)"
    ):
        raise type_error("A body's stream is made of bytes, and one chunk is int.")


def request_options(init: object, keywords: dict[str, object]) -> dict[str, object]:
    if isinstance(init, Request):
        core = init.core
        body = None if core.body is None else ReadableStream.of_body(core.body, None)
        given: dict[str, object] = {
            "method": core.method,
            "headers": core.headers,
            "redirect": core.redirect,
            "body": body,
        }
        if init._signal is not None:
            given["signal"] = init._signal
        return given | keywords
    return options(init, keywords) if init is not None or keywords else keywords


def _status(value: object) -> int:
    """As JavaScript converts it to a number: 0 if it is not one, and no response may have that status."""
    if value is None:
        return 200
    if isinstance(value, int | float):
        return int(value) if math.isfinite(value) else 0
    return int(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else 0


def _is_automatic(value: object) -> bool:
    if value is None or value == "automatic":
        return True
    if value == "manual":
        return False
    raise type_error(f"encodeBody: unexpected value: {to_string(value)}")


def _tee(body: messages.Body | None) -> tuple[messages.Body | None, messages.Body | None]:
    if body is None:
        return None, None
    if body.used:
        raise type_error(body_init.BODY_USED)
    return body.tee()
