"""HTMLRewriter as workerd answered; recorded by record_html.mjs."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from edgeworker.runtime.webapi.fetch import Response
from edgeworker.runtime.webapi.ffi import JsException
from edgeworker.runtime.webapi.html import HTMLRewriter
from edgeworker.runtime.webapi.streams import ReadableStream

CASES = json.loads((Path(__file__).parent / "cases" / "html.json").read_text(encoding="utf-8"))["cases"]


def perform(target: object, steps: list[list[object]], told: list[object]) -> None:
    for step in steps:
        name, arguments = str(step[0]), step[1:]
        try:
            if name == "onEndTag":
                [inner] = arguments
                assert isinstance(inner, list)
                target.onEndTag(lambda end, inner=inner: perform(end, inner, told))  # type: ignore[attr-defined]  # as told
                continue
            result = used(target, name, arguments)
            if result is target or (name.startswith("!") and arguments):
                continue
            told.append([name, result])
        except JsException as error:
            told.append([name, error.name, error.message])


def used(target: object, name: str, arguments: list[object]) -> object:
    if name.startswith("!"):
        if arguments:
            setattr(target, name[1:], arguments[0])
            return None
        result: object = getattr(target, name[1:])
        return list(result) if name == "!attributes" else result  # type: ignore[call-overload]  # an iterator
    result = getattr(target, name)(*arguments)
    return result


def telling(event: str, steps: list[list[object]], told: list[object]) -> Callable[[object], None]:
    def tell(target: object) -> None:
        told.append([event])
        perform(target, steps, told)

    return tell


async def streamed(text: str | list[str]) -> AsyncIterator[object]:
    for piece in [text] if isinstance(text, str) else text:
        yield piece.encode()


async def answered(case: dict[str, object]) -> dict[str, object]:
    told: list[object] = []
    try:
        rewriter = HTMLRewriter()
        handlers = case["handlers"]
        assert isinstance(handlers, list)
        for selector, events in handlers:
            made = {event: telling(event, steps, told) for event, steps in events.items()}
            rewriter = rewriter.onDocument(made) if selector is None else rewriter.on(selector, made)
        text = case["text"]
        assert isinstance(text, str | list)
        out = await rewriter.transform(Response(ReadableStream.of(streamed(text)))).text()
        return {"out": out, "told": told}
    except JsException as error:
        return {"error": error.name, "message": error.message, "told": told}


@pytest.mark.parametrize("name", CASES)
async def test_html_is_rewritten_as_by_workerd(name: str) -> None:
    assert await answered(CASES[name]) == CASES[name]["answer"]
