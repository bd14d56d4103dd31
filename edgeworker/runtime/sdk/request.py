"""`workers.Request`: a view of the core's request with Python's names and one-shot readers."""

from http import HTTPMethod
from typing import Final

from edgeworker import messages
from edgeworker.runtime.contract import portability_warnings
from edgeworker.runtime.sdk import headers as sdk_headers
from edgeworker.runtime.sdk.body_reader import BodyReader
from edgeworker.runtime.sdk.convert import convert_options
from edgeworker.runtime.webapi import body_init
from edgeworker.runtime.webapi.fetch import Request as JSRequest
from edgeworker.runtime.webapi.fetch import choose_signal, read_request_info
from edgeworker.runtime.webapi.ffi import JsDict
from edgeworker.runtime.webapi.streams import ReadableStream
from edgeworker.runtime.webapi.written_url import as_written

_METHODS: Final = {method.value: method for method in HTTPMethod}


class Request(BodyReader):
    """`Request(url or request, method=..., headers=..., body=..., redirect=..., cf=...)`."""

    core: messages.Request
    _js: JSRequest | None = None
    _incoming = False

    def __init__(self, input: object, **options: object) -> None:
        """Raises TypeError for unusable headers, ValueError for options beside a JavaScript request, JsException."""
        if isinstance(input, JSRequest):
            if options:
                raise ValueError("Expected no options when constructing Request from a js.Request")
            self.core, self._js = input.core, input
            return
        given = convert_options(options)
        if type(input) is Request and input._js is None and "signal" not in given:
            self.core = body_init.make_request(input.core, given, own_headers=True)
            return
        self.core = body_init.make_request(read_request_info(input), given, own_headers=True)
        if (signal := choose_signal(input, given)) is not None:
            self._js = JSRequest.over(self.core, signal=signal)

    @classmethod
    def over_incoming(cls, core: messages.Request, js: JSRequest | None = None) -> "Request":
        """What a handler is given: its headers cannot be changed."""
        view = cls.__new__(cls)
        view.core = core
        view._js, view._incoming = js, True
        return view

    @property
    def js_object(self) -> JSRequest:
        if self._js is None:
            self._js = JSRequest.over_incoming(self.core) if self._incoming else JSRequest.over(self.core)
        return self._js

    @property
    def made_js_object(self) -> JSRequest | None:
        """`js_object`, if it was needed before."""
        return self._js

    @property
    def _js_request(self) -> JSRequest:
        return self.js_object

    @property
    def url(self) -> str:
        return as_written(self.core)

    @property
    def method(self) -> HTTPMethod:
        """Raises KeyError for a method that Python's http module does not know."""
        return _METHODS[self.core.method]

    @property
    def headers(self) -> sdk_headers.HTTPMessageMapping:
        return sdk_headers.HTTPMessageMapping(self.core.headers)

    @property
    def cf(self) -> object:
        return None if self.core.cf is None else self.js_object.cf

    @property
    def body(self) -> ReadableStream | None:
        return self.js_object.body  # type: ignore[return-value]  # jsnull, which the SDK hands on, is false like None

    @property
    def redirect(self) -> str:
        return self.core.redirect

    @property
    def cache(self) -> str | None:
        return self.core.cache_mode

    credentials = JSRequest.credentials
    destination = JSRequest.destination
    integrity = JSRequest.integrity
    is_history_navigation = JSRequest.isHistoryNavigation
    keepalive = JSRequest.keepalive
    mode = JSRequest.mode
    referrer = JSRequest.referrer
    referrer_policy = JSRequest.referrerPolicy

    async def json(self, **options: object) -> object:
        """Objects are dicts; in a lenient edge JsDict, which has attributes too."""
        usual = {} if portability_warnings.current().is_strict else {"object_hook": JsDict}
        return await self._parse_json(**(usual | options))

    def clone(self) -> "Request":
        self._raise_if_used()
        return Request(self.js_object.clone())

    def __repr__(self) -> str:
        return f"Request(method={self.core.method!r}, url={self.url!r})"
