"""What no recording says: bounds, any division into pieces, asynchronous handlers, what else a response has."""

import gzip
import itertools
import logging
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeworker.messages import Headers
from edgeworker.messages import Response as CoreResponse
from edgeworker.runtime.webapi.fetch import Response
from edgeworker.runtime.webapi.html import HTMLRewriter
from edgeworker.runtime.webapi.html.rewriter import MAX_DEPTH, Handlers, Rewriting
from edgeworker.runtime.webapi.html.selectors import Selector
from edgeworker.runtime.webapi.html.tokens import MAX_TOKEN_CHARACTERS
from edgeworker.runtime.webapi.streams import ReadableStream
from tests.runtime.stage import Stage

PAGE = (
    '<!DOCTYPE html><html><head><title>a<b></title><script>if (a</b) "</scr"</script></head><body>é<p class="x">one '
    "<!-- c --><b>two</b> < three</p><br/><svg><path d='1'/><title><i>x</i></title></svg><p a=1 b='2'c=3>€😀</p>"
    "<!--->-->end"
)


class Marking:
    def element(self, element: object) -> None:
        element.setAttribute("m", "1").prepend("[").append("]")  # type: ignore[attr-defined]  # an Element

    def comments(self, comment: object) -> None:
        comment.replace("(c)")  # type: ignore[attr-defined]  # a Comment

    def text(self, text: object) -> None:
        if text.lastInTextNode:  # type: ignore[attr-defined]  # a Text
            text.after("|")  # type: ignore[attr-defined]


async def rewritten(pieces: list[bytes], *selectors: str) -> bytes:
    async def source() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    rewriting = Rewriting([Handlers(Selector(selector), Marking()) for selector in selectors])
    return b"".join([piece async for piece in rewriting.pieces(source())])


@settings(max_examples=200)
@given(st.lists(st.integers(0, len(PAGE.encode())), max_size=12))
async def test_any_division_into_pieces_gives_the_same_page(cuts: list[int]) -> None:
    content = PAGE.encode()
    places = [0, *sorted(cuts), len(content)]
    pieces = [content[start:end] for start, end in itertools.pairwise(places)]

    assert await rewritten(pieces, "p", "script, i", "b", "title") == await rewritten(
        [content], "p", "script, i", "b", "title"
    )


@settings(max_examples=200)
@given(st.text(alphabet="<>/!-ab ='\"é\n?\\", max_size=60))
async def test_what_no_one_changes_goes_out_as_it_came_in(text: str) -> None:
    class Watching:
        def element(self, element: object) -> None: ...

        def text(self, text: object) -> None: ...

        def comments(self, comment: object) -> None: ...

    async def source() -> AsyncIterator[bytes]:
        yield text.encode()

    rewriting = Rewriting([Handlers(Selector("*"), Watching()), Handlers(None, Watching())])
    assert b"".join([piece async for piece in rewriting.pieces(source())]) == text.encode()


async def test_bytes_that_are_not_utf_8_go_through_as_they_are() -> None:
    assert await rewritten([b"<p>\xff\xe9</p>\xc3"], "b") == b"<p>\xff\xe9</p>\xc3"


async def test_a_tag_without_an_end_is_given_up_in_time() -> None:
    with pytest.raises(Exception, match="The memory limit has been exceeded"):
        await rewritten([b"<a ", b"b" * MAX_TOKEN_CHARACTERS])


async def test_elements_lie_only_so_deep_and_the_rest_goes_through() -> None:
    deep = b"<b>" * MAX_DEPTH + b"<i>x</i>" + b"</b>" * MAX_DEPTH

    assert await rewritten([deep], "i") == deep.replace(b"<i>", b'<i m="1">')
    assert await rewritten([deep[3:-4]], "i") == deep[3:-4].replace(b"<i>x", b'<i m="1">[x|]')


def transformed(response: Response, **handlers: object) -> Response:
    return HTMLRewriter.new().on("p", handlers).transform(response)


async def test_handlers_may_wait(stage: Stage) -> None:
    stage.origin.answer = lambda _: CoreResponse(200, body=b"fetched")
    text = await stage.run(
        """
        class Handler:
            async def element(self, element):
                element.setInnerContent(await (await fetch("https://o.example/")).text())
        rewriter = HTMLRewriter.new().on("p", create_proxy(Handler()))
        return rewriter.transform(Response("<p>x</p>"))
        """,
        above="from js import HTMLRewriter\nfrom pyodide.ffi import create_proxy\n",
    )

    assert text == "<p>fetched</p>"


async def test_status_and_fields_stay_but_the_length() -> None:
    headers = Headers({"content-type": "text/html", "content-length": "8", "x-a": "1"})
    response = transformed(Response.over(CoreResponse(404, headers, b"<p>x</p>")), element=lambda e: e.append("yz"))

    assert (response.status, response.headers.get("x-a"), response.headers.get("content-length")) == (404, "1", None)
    assert await response.text() == "<p>xyz</p>"


async def test_a_response_without_a_body_has_none_afterwards() -> None:
    response = transformed(Response.new(None, status=204))

    assert (response.status, response.body) == (204, None)


async def test_a_compressed_page_is_rewritten_and_compressed_again(stage: Stage) -> None:
    stage.origin.answer = lambda _: CoreResponse(200, Headers({"content-encoding": "gzip"}), gzip.compress(b"<p>x</p>"))
    stage.add_fetch(
        "rewriter = js.HTMLRewriter.new().on('p', {'element': lambda e: e.remove()})\n"
        "return rewriter.transform(await fetch(request))",
        above="import js\n",
    )

    assert gzip.decompress((await stage.get()).content) == b""


async def test_what_a_handler_raises_breaks_the_page_off(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.add_fetch(
        "def fail(element):\n    raise ValueError('no')\n"
        "return js.HTMLRewriter.new().on('p', {'element': fail}).transform(Response('<p>'))",
        above="import js\n",
    )

    with caplog.at_level(logging.ERROR), pytest.raises(ValueError, match="no"):
        await stage.get()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("transform('text')", "transform() takes a Response, not str"),
        (
            "on('p', {'element': lambda e: e.append(5)}).transform(js.Response.new('<p>'))",
            "what is inserted here is text",
        ),
        (
            "on('br', {'element': lambda e: e.onEndTag(print)}).transform(js.Response.new('<br>'))",
            "Parser error: No end tag.",
        ),
    ],
)
async def test_what_cannot_be_meant_is_a_type_error(stage: Stage, call: str, says: str) -> None:
    text = await stage.run(
        f"try:\n    r = js.HTMLRewriter.new().{call}\n    return Response(await r.text())\n"
        "except Exception as error:\n    return Response(f'{type(error).__name__} {error}')",
        above="import js\n",
    )

    assert text.startswith("JsException TypeError: ")
    assert says in text


async def test_a_body_can_be_rewritten_twice() -> None:
    first = transformed(Response.new("<p>x</p>"), element=lambda e: e.append("1"))

    assert await transformed(first, element=lambda e: e.append("2")).text() == "<p>x12</p>"
    assert isinstance(first.body, ReadableStream)
