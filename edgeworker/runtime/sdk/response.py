"""`workers.Response`: a view of the core's response. `fetch()` answers one, and handing it back costs nothing."""

import json
from http import HTTPStatus

from edgeworker import messages
from edgeworker.runtime.sdk import headers as sdk_headers
from edgeworker.runtime.sdk.body_reader import BodyReader
from edgeworker.runtime.sdk.convert import to_python_exception
from edgeworker.runtime.sdk.failures import BodyUsedError, HttpStatusError
from edgeworker.runtime.sdk.formdata import FormData
from edgeworker.runtime.webapi import body_init
from edgeworker.runtime.webapi.base import BodySource, JsObject, is_absent
from edgeworker.runtime.webapi.buffers import ArrayBuffer
from edgeworker.runtime.webapi.encodings import find_coding
from edgeworker.runtime.webapi.fetch import Response as JSResponse
from edgeworker.runtime.webapi.ffi import JsException
from edgeworker.runtime.webapi.perform_fetch import Fetched
from edgeworker.runtime.webapi.plain_objects import PlainObject
from edgeworker.runtime.webapi.streams import ReadableStream
from edgeworker.runtime.webapi.websocket import take_for_response


class FetchResponse(BodyReader):
    """What can be read of a response."""

    core: messages.Response
    used_error = BodyUsedError
    automatic = True  # the runtime encodes the body as Content-Encoding says
    _js: JSResponse | None = None
    _fetched: Fetched | None = None  # where it came from the network

    @property
    def is_untouched(self) -> bool:
        """Whether it is what came from the network: through this view nothing of it can be changed."""
        return self._fetched is not None and self._js is None

    @property
    def js_object(self) -> JSResponse:
        if self._js is None:
            if self._fetched is not None:
                self._js = JSResponse.over_fetched(self._fetched)
            else:
                self._js = JSResponse.over(self.core, encoding=self.encoding, automatic=self.automatic)
        return self._js

    @property
    def js_response(self) -> JSResponse:
        return self.js_object

    @property
    def status(self) -> int:
        return self.core.status

    @property
    def status_text(self) -> str:
        return self.core.status_text

    @property
    def ok(self) -> bool:
        return 200 <= self.core.status <= 299

    @property
    def url(self) -> str:
        return self.js_object.url

    @property
    def redirected(self) -> bool:
        return self.js_object.redirected

    @property
    def type(self) -> str:
        return self.js_object.type

    @property
    def headers(self) -> sdk_headers.HTTPMessageMapping:
        return sdk_headers.HTTPMessageMapping(self.core.headers)

    @property
    def body(self) -> ReadableStream | None:
        found = self.js_object.body
        return found if isinstance(found, ReadableStream) else None

    def raise_for_status(self) -> None:
        """Raises HttpStatusError, an OSError, for a status from 400 on."""
        if self.core.status >= 400:
            raise HttpStatusError(self.core.status, self.core.status_text, self.url)

    async def memoryview(self) -> "memoryview":
        return memoryview(await self._read())

    string = BodyReader.text

    def replace_body(self, body: object) -> "Response":
        """The same status and headers with another body."""
        given = body.js_object if isinstance(body, FormData) else body
        return Response(JSResponse(given, self.js_object))

    def clone(self) -> "Response":
        self._raise_if_used()
        return Response(self.js_object.clone())

    @staticmethod
    def redirect(url: str, status: HTTPStatus | int = HTTPStatus.FOUND) -> JSResponse:
        """Raises ValueError for an URL or a status that cannot be redirected with."""
        try:
            return JSResponse.redirect(url, int(status))
        except JsException as error:
            raise ValueError(error.message) from error

    @staticmethod
    def from_json(
        data: object, status: HTTPStatus | int = HTTPStatus.OK, status_text: str = "", headers: object = None
    ) -> "Response":
        """Python's JSON (spaces after `:` and `,`) for Python data, JavaScript's for an object of JavaScript."""
        try:
            if isinstance(data, JsObject | PlainObject):
                given = sdk_headers.from_script(headers)
                return Response(JSResponse.json(data, status=int(status), statusText=status_text, headers=given))
            fields = sdk_headers.from_script(headers) or messages.Headers()
            if not fields.has("content-type"):
                fields.append("content-type", "application/json")
            return Response.made(json.dumps(data), int(status or 200), status_text, fields)
        except JsException as error:
            raise to_python_exception(error) from error

    def json(self: object, *args: object, **options: object) -> object:
        """`await response.json()` reads the body; `Response.json(data, ...)` on the class makes a response."""
        if isinstance(self, Response):
            return self._parse_json(**options)
        return Response.from_json(self, *args, **options)  # type: ignore[arg-type]  # the script's arguments


class Response(FetchResponse):
    """`Response(body, status=..., status_text=..., headers=...)`."""

    def __init__(
        self,
        body: object = None,
        status: HTTPStatus | int | None = None,
        status_text: str = "",
        headers: object = None,
        web_socket: object = None,
    ) -> None:
        """Raises TypeError for a body or headers of another type, ValueError for options beside a JS response."""
        if isinstance(body, JSResponse):
            if status is not None or status_text or headers is not None:
                raise ValueError("Expected no options when constructing Response from a js.Response")
            self.core, self._js = body.core, body
            self.encoding, self.automatic = body.encoding, body.automatic
            return
        if isinstance(body, FormData):
            body = body.js_object
        elif body is not None and not isinstance(body, str | bytes | BodySource | ArrayBuffer):
            raise TypeError(f"Unsupported type in Response: {type(body).__name__}{_advice(body)}")
        self.core, self.encoding = body_init.make_response(
            body,
            status=200 if not status else int(status),
            status_text=status_text,
            switches=not is_absent(web_socket),
            headers=None if headers is None else sdk_headers.from_script(headers),
        )
        if not is_absent(web_socket):
            self.core.web_socket = take_for_response(web_socket, self.core.status)

    @classmethod
    def over(cls, core: messages.Response, js: JSResponse | None = None) -> "Response":
        view = cls.__new__(cls)
        view.core = core
        view._js = js
        if js is not None:
            view.encoding, view.automatic = js.encoding, js.automatic
        return view

    @classmethod
    def over_fetched(cls, fetched: Fetched) -> "Response":
        """Its object of JavaScript is made when it is needed."""
        view = cls.__new__(cls)
        view.core = fetched.response
        view._fetched = fetched
        view.encoding = find_coding(fetched.response.headers)
        return view

    @classmethod
    def made(cls, body: str, status: int, status_text: str, headers: messages.Headers) -> "Response":
        view = cls.__new__(cls)
        view.core, _ = body_init.make_response(body, status=status, status_text=status_text, headers=headers)
        return view

    def __repr__(self) -> str:
        parts = [f"status={self.status}"]
        if self.status_text:
            parts.append(f"status_text={self.status_text!r}")
        if (content_type := self.core.headers.get("content-type")) is not None:
            parts.append(f"content_type={content_type!r}")
        if self.url:
            parts.append(f"url={self.url!r}")
        if self.type != "default":
            parts.append(f"type={self.type!r}")
        return f"Response({', '.join(parts)})"


def _advice(body: object) -> str:
    if isinstance(body, dict | list):
        return "; use Response.json(...)"
    return "; use js.ReadableStream" if hasattr(body, "__aiter__") else ""
