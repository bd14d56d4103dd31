"""Runs the handlers of a script over HTML that comes in pieces."""

import codecs
import inspect
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from edgeworker.runtime.webapi.base import is_absent, type_error
from edgeworker.runtime.webapi.html import nodes, tokens
from edgeworker.runtime.webapi.html.selectors import Reached, Selector

# How many elements may be open, each of which is remembered; one more has no content that handlers could change.
MAX_DEPTH: Final = 4096


@dataclass(frozen=True, slots=True)
class Handlers:
    """What a script gave to `on` (with a selector) or `onDocument`."""

    selector: Selector | None
    given: object

    def function(self, event: str) -> object:
        found = self.given.get(event) if isinstance(self.given, Mapping) else getattr(self.given, event, None)
        return None if is_absent(found) else found


@dataclass(slots=True)
class _Open:
    """An element whose end tag has not come. `taking` are the handlers whose selector took it."""

    element: nodes.Element
    namespace: str
    taking: list[int]
    reached: list[Reached]  # for each selector
    children: int = 0
    types: dict[str, int] = field(default_factory=dict)


class Rewriting:
    """One document. Bytes that are not UTF-8 pass through unchanged."""

    def __init__(self, handlers: list[Handlers]) -> None:
        self._handlers = handlers
        self._tokenizer = tokens.Tokenizer()
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._selectors = [(number, one.selector) for number, one in enumerate(handlers) if one.selector is not None]
        self._root = _Open(
            nodes.Element(tokens.StartTagToken("", ""), namespace="", index=1, index_of_type=1, empty=False),
            "",
            [],
            [selector.outside for _, selector in self._selectors],
        )
        self._stack: list[_Open] = []
        self._names: Counter[str] = Counter()  # of the open elements
        self._active = [0] * len(handlers)  # how many open elements each of them took
        self._dropping = 0  # how many open elements drop their content

    async def pieces(self, source: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """What comes out. Raises what a handler raises."""
        async for piece in source:
            if out := await self._feed(self._decoder.decode(bytes(piece)), final=False):
                yield out
        out = await self._feed(self._decoder.decode(b"", final=True), final=True)
        if out := out + await self._end():
            yield out

    async def _feed(self, text: str, *, final: bool) -> bytes:
        out: list[str] = []
        try:
            for token in self._tokenizer.feed(text, final=final):
                out.append(await self._rewritten(token))
        except tokens.TokenTooLong:
            raise type_error("Parser error: The memory limit has been exceeded.") from None
        return "".join(out).encode("utf-8", "surrogateescape")

    async def _rewritten(self, token: tokens.Token) -> str:
        match token:
            case tokens.StartTagToken():
                return await self._start_element(token)
            case tokens.EndTagToken():
                return await self._end_element(token)
            case tokens.TextToken():
                text = nodes.Text(token)
                await self._tell("text", text)
                return self._write_unless_dropped(text.written(token.raw))
            case tokens.CommentToken():
                comment = nodes.Comment(token)
                await self._tell("comments", comment)
                return self._write_unless_dropped(comment.written(comment.raw))
            case tokens.DoctypeToken():
                await self._tell("doctype", nodes.Doctype(token))
                return self._write_unless_dropped(token.raw)
            case tokens.RawToken():
                return self._write_unless_dropped(token.raw)

    async def _start_element(self, token: tokens.StartTagToken) -> str:
        parent = self._stack[-1] if self._stack else self._root
        parent.children += 1
        parent.types[token.name] = parent.types.get(token.name, 0) + 1
        namespace = token.name if token.name in ("svg", "math") else self._namespace_within(parent)
        empty = token.self_closing if namespace else token.name in tokens.VOID
        element = nodes.Element(
            token,
            namespace=namespace,
            index=parent.children,
            index_of_type=parent.types[token.name],
            empty=empty or len(self._stack) >= MAX_DEPTH,
        )
        taking: list[int] = []
        reached: list[Reached] = []
        for (number, selector), above in zip(self._selectors, parent.reached, strict=True):
            taken, inside = selector.match(element, above)
            reached.append(inside)
            if taken:
                taking.append(number)
        for number in taking:
            await _call(self._handlers[number].function("element"), element)
        out = self._write_unless_dropped(element.start_written())
        if not element.empty:
            self._open(_Open(element, namespace, taking, reached))
            if not namespace and token.name in tokens.RAW_TEXT:
                self._tokenizer.raw_text = token.name
        return out

    async def _end_element(self, token: tokens.EndTagToken) -> str:
        self._tokenizer.raw_text = None
        if not self._names[token.name]:
            return self._write_unless_dropped(token.raw)
        # What lies inside without an end tag of its own ends here, and what it would have put at its end is lost.
        while (entry := self._stack.pop()).element.tag != token.name:
            self._close(entry)
        self._close(entry)
        end = nodes.EndTag(token.name, token.raw)
        if entry.element.on_end is not None:
            await _call(entry.element.on_end, end)
        return self._write_unless_dropped(entry.element.end_written(end))

    async def _end(self) -> bytes:
        end = nodes.DocumentEnd()
        for handlers in self._handlers:
            if handlers.selector is None:
                await _call(handlers.function("end"), end)
        return end.appended.encode("utf-8", "surrogateescape")

    async def _tell(self, event: str, node: object) -> None:
        for number, handlers in enumerate(self._handlers):
            if handlers.selector is None or self._active[number]:
                await _call(handlers.function(event), node)

    def _open(self, entry: _Open) -> None:
        self._stack.append(entry)
        self._names[entry.element.tag] += 1
        for number in entry.taking:
            self._active[number] += 1
        self._dropping += entry.element.drops_content

    def _close(self, entry: _Open) -> None:
        self._names[entry.element.tag] -= 1
        for number in entry.taking:
            self._active[number] -= 1
        self._dropping -= entry.element.drops_content

    def _namespace_within(self, parent: _Open) -> str:
        """HTML begins anew within these elements of SVG."""
        return "" if parent.element.tag in ("foreignobject", "desc", "annotation-xml") else parent.namespace

    def _write_unless_dropped(self, text: str) -> str:
        return "" if self._dropping else text


async def _call(function: object, argument: object) -> None:
    if callable(function) and inspect.isawaitable(result := function(argument)):
        await result
