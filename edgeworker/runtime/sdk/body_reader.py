"""What `workers.Request` and `workers.Response` have in common: a body that can be read once."""

import json
from typing import ClassVar

from edgeworker import messages
from edgeworker.runtime.sdk.blob import Blob
from edgeworker.runtime.sdk.convert import raise_python_errors
from edgeworker.runtime.sdk.formdata import FormData
from edgeworker.runtime.webapi import body_init
from edgeworker.runtime.webapi.buffers import ArrayBuffer
from edgeworker.runtime.webapi.fetch import Request as JSRequest
from edgeworker.runtime.webapi.fetch import Response as JSResponse


class BodyReader:
    """Each reader raises `used_error` for a body that was read before."""

    core: messages.Request | messages.Response
    encoding: str | None = None  # which Content-Encoding the body is in
    used_error: ClassVar[type[OSError]] = OSError

    @property
    def js_object(self) -> JSRequest | JSResponse:
        raise NotImplementedError

    @property
    def body_used(self) -> bool:
        return self.core.body is not None and self.core.body.used

    # Above `bytes`, which would be the type of its result.
    async def _read(self) -> "bytes":
        self._raise_if_used()
        return await body_init.read(self.core, self.encoding)

    async def bytes(self) -> "bytes":
        return await self._read()

    async def buffer(self) -> ArrayBuffer:
        return ArrayBuffer(await self._read())

    async def text(self) -> str:
        return body_init.decode_text(await self._read())

    async def blob(self) -> Blob:
        self._raise_if_used()
        return Blob(await self.js_object.blob())

    async def form_data(self) -> FormData:
        self._raise_if_used()
        return FormData(await raise_python_errors(self.js_object.formData()))

    formData = form_data

    async def _parse_json(self, **options: object) -> object:
        """`options` are those of `json.loads`. Raises JSONDecodeError."""
        parsed: object = json.loads(body_init.decode_text(await self._read()), **options)  # type: ignore[arg-type]  # the caller's
        return parsed

    def _raise_if_used(self) -> None:
        if self.body_used:
            raise self.used_error("Body already used")
