"""`HTMLRewriter`: changes HTML on its way through. What it does is held to recorded cases of workerd.

https://developers.cloudflare.com/workers/runtime-apis/html-rewriter/
"""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Self

from edgeworker.runtime.webapi.base import JsObject, is_absent, type_error
from edgeworker.runtime.webapi.buffers import to_bytes
from edgeworker.runtime.webapi.fetch import Response
from edgeworker.runtime.webapi.streams import ReadableStream

if TYPE_CHECKING:
    from edgeworker.runtime.webapi.html.rewriter import Handlers


class HTMLRewriter(JsObject):
    """`HTMLRewriter.new().on("a[href]", handlers).transform(response)`."""

    def __init__(self) -> None:
        self._handlers: list[Handlers] = []

    def on(self, selector: str, handlers: object) -> Self:
        """`handlers` has functions `element`, `text` and `comments`, as an object or a dict, async or not.

        Raises JsException (TypeError) for a selector that it does not know.
        """
        # The parser takes as long to load as all that a small script needs of `js`.
        from edgeworker.runtime.webapi.html.nodes import parser_error
        from edgeworker.runtime.webapi.html.rewriter import Handlers
        from edgeworker.runtime.webapi.html.selectors import Selector, SelectorError

        try:
            found = Selector(str(selector))
        except SelectorError as error:
            raise parser_error(str(error)) from None
        self._handlers.append(Handlers(found, handlers))
        return self

    def onDocument(self, handlers: object) -> Self:
        """With functions `doctype`, `text`, `comments` and `end`."""
        from edgeworker.runtime.webapi.html.rewriter import Handlers

        self._handlers.append(Handlers(None, handlers))
        return self

    def transform(self, response: object) -> Response:
        """A response whose body is rewritten while it is read. That of `response` is used up."""
        from edgeworker.runtime.webapi.html.rewriter import Rewriting

        given = getattr(response, "js_object", response)
        if not isinstance(given, Response):
            raise type_error(f"transform() takes a Response, not {type(response).__name__}")
        body = given.body
        if not isinstance(body, ReadableStream):
            return Response(None, given)
        source = _bytes(body.take())
        rewriting = Rewriting(list(self._handlers))
        made = Response(ReadableStream.of(rewriting.pieces(source)), given)
        made.core.headers.delete("content-length")
        return made


async def _bytes(chunks: AsyncIterator[object]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        if not is_absent(chunk):
            yield to_bytes(chunk)
