"""HTMLRewriter for scripts of this engine: our rewriter parses, and asks the script's handlers about each part."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Final

from edgeworker.runtime.quickjs.invocation import Invocation
from edgeworker.runtime.quickjs.realm import Realm
from edgeworker.runtime.webapi.ffi import JsException
from edgeworker.runtime.webapi.html import HTMLRewriter
from edgeworker.runtime.webapi.html.rewriter import Handlers, Rewriting
from edgeworker.runtime.webapi.html.selectors import Selector

_TOKEN_EXPIRED: Final = (
    "This content token is no longer valid. Content tokens are only valid during the execution of the relevant content "
    "handler."
)
_METHODS: Final = frozenset(
    {"before", "after", "replace", "remove", "prepend", "append", "setInnerContent", "removeAndKeepContent"}
    | {"getAttribute", "hasAttribute", "setAttribute", "removeAttribute"}
)
_PROPERTIES: Final = frozenset(
    {"tagName", "attributes", "removed", "namespaceURI", "text", "lastInTextNode", "name", "publicId", "systemId"}
)


class Documents:
    """The parts that handlers are looking at, by number: each is there while its handler runs."""

    def __init__(self) -> None:
        self._parts: dict[int, object] = {}
        self._end_tag_handlers: dict[
            int, Callable[[int], Callable[[object], Awaitable[None]]]
        ] = {}  # makes handlers of end tags
        self._next = 0

    def rewrite(
        self, told: Mapping[str, object], source: AsyncIterator[bytes], realm: Realm, invocation: Invocation
    ) -> AsyncIterator[bytes]:
        """What comes out, while it is read."""
        document = told["document"]

        def ask(question: Mapping[str, object]) -> Callable[[object], Awaitable[None]]:
            async def handle(part: object) -> None:
                self._next += 1
                id = self._next
                self._parts[id] = part
                self._end_tag_handlers[id] = lambda end: ask({"end": end})
                try:
                    shown = {"document": document, "id": id, "kind": type(part).__name__, **question}
                    await realm.call("html", shown, None, invocation)
                finally:
                    del self._parts[id], self._end_tag_handlers[id]

            return handle

        given = told["handlers"]
        assert isinstance(given, Sequence)
        handlers = [
            Handlers(
                None if one["selector"] is None else Selector(str(one["selector"])),
                {event: ask({"handler": number, "event": event}) for event in one["events"]},
            )
            for number, one in enumerate(given)
        ]
        return Rewriting(handlers).pieces(source)

    def use(self, id: int, name: str, text: str) -> str:
        """What a handler does with a part, as a JSON answer."""
        try:
            return json.dumps({"value": self._use(id, name, json.loads(text))})
        except JsException as error:
            return json.dumps({"error": {"name": error.name, "message": error.message}})

    def _use(self, id: int, name: str, values: list[object]) -> object:
        part = self._parts.get(id)
        if part is None:
            raise JsException("TypeError", _TOKEN_EXPIRED)
        if name == "onEndTag":
            getattr(part, name)(self._end_tag_handlers[id](int(str(values[0]))))
            return None
        if name.startswith("!") and name[1:] in _PROPERTIES:
            if values:
                setattr(part, name[1:], values[0])
                return None
            found = getattr(part, name[1:])
            return [list(pair) for pair in found] if name == "!attributes" else found
        if name not in _METHODS:
            raise JsException("TypeError", f"{name} is not a method")
        found = getattr(part, name)(*values)
        return None if found is part else found


def check_selector(text: str) -> str:
    try:
        HTMLRewriter().on(text, {})
    except JsException as error:
        return json.dumps({"error": {"name": error.name, "message": error.message}})
    return json.dumps({"value": None})
