"""What the handlers of an HTMLRewriter are given: elements, end tags, texts, comments, the doctype, the end."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, Self

from edgeworker.runtime.webapi.array_methods import JsArray
from edgeworker.runtime.webapi.arrays import make_array
from edgeworker.runtime.webapi.base import JsObject, options, type_error
from edgeworker.runtime.webapi.ffi import JsNull
from edgeworker.runtime.webapi.html import tokens
from edgeworker.runtime.webapi.plain_objects import null

_HTML: Final = "http://www.w3.org/1999/xhtml"
_NAMESPACES: Final = {"svg": "http://www.w3.org/2000/svg", "math": "http://www.w3.org/1998/Math/MathML"}
_IN_ATTRIBUTE_NAMES: Final = re.compile(r"[ \n\r\t\f/>=]")
_IN_TAG_NAMES: Final = re.compile(r"[ \n\r\t\f/>]")


def parser_error(text: str) -> Exception:
    return type_error(f"Parser error: {text}")


def render_inserted(content: object, init: object, keywords: Mapping[str, object]) -> str:
    """What a script inserts: text that is escaped, or HTML with `{"html": True}`."""
    if not isinstance(content, str):
        raise type_error(f"what is inserted here is text, not {type(content).__name__}")
    if options(init, keywords).get("html"):
        return content
    return content.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class ContentToken(JsObject):
    """What all of them can: be removed or replaced, with something before and after."""

    def __init__(self) -> None:
        self.put_before = ""
        self.put_after = ""
        self.replacement: str | None = None
        self._removed = False

    @property
    def removed(self) -> bool:
        return self._removed

    def before(self, content: object, init: object = None, /, **keywords: object) -> Self:
        self.put_before += render_inserted(content, init, keywords)
        return self

    def after(self, content: object, init: object = None, /, **keywords: object) -> Self:
        self.put_after = render_inserted(content, init, keywords) + self.put_after
        return self

    def replace(self, content: object, init: object = None, /, **keywords: object) -> Self:
        self.replacement = render_inserted(content, init, keywords)
        self._removed = True
        return self

    def remove(self) -> Self:
        self._removed, self.replacement = True, None
        return self

    def written(self, raw: str) -> str:
        """`raw` is the token itself."""
        return self.put_before + (raw if not self._removed else self.replacement or "") + self.put_after


class Text(ContentToken):
    """One piece of a text; the last one of each text is empty."""

    def __init__(self, token: tokens.TextToken) -> None:
        super().__init__()
        self.text = token.raw
        self.lastInTextNode = token.last


class Comment(ContentToken):
    def __init__(self, token: tokens.CommentToken) -> None:
        super().__init__()
        self._text = token.text
        self.raw = token.raw

    @property
    def text(self) -> str:
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        if "-->" in text:
            raise parser_error("Comment text shouldn't contain comment closing sequence (`-->`).")
        self._text, self.raw = text, f"<!--{text}-->"


class Doctype(JsObject):
    def __init__(self, token: tokens.DoctypeToken) -> None:
        self.name = token.name
        self.publicId = token.public_id
        self.systemId = token.system_id


class EndTag(ContentToken):
    def __init__(self, name: str, raw: str) -> None:
        super().__init__()
        self._name = name
        self.raw = raw

    @property
    def name(self) -> str:
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name, self.raw = name, f"</{name}>"


class DocumentEnd(JsObject):
    def __init__(self) -> None:
        self.appended = ""

    def append(self, content: object, init: object = None, /, **keywords: object) -> Self:
        self.appended += render_inserted(content, init, keywords)
        return self


class Element(ContentToken):
    """A start tag, and what happens to the content behind it. `namespace`: "svg", "math" or "" for HTML."""

    def __init__(
        self, token: tokens.StartTagToken, *, namespace: str, index: int, index_of_type: int, empty: bool
    ) -> None:
        super().__init__()
        self._token = token
        self._name = token.name
        self._changed = False
        self._namespace = namespace
        self.tag = token.name
        self.index = index
        self.index_of_type = index_of_type
        self.empty = empty  # it has no content and no end tag
        self.put_inside_first = ""
        self.put_inside_last = ""
        self.inner: str | None = None
        self.keeps_content = False
        self.on_end: object = None

    @property
    def tagName(self) -> str:
        return self._name

    @tagName.setter
    def tagName(self, name: str) -> None:
        if not name:
            raise parser_error("Tag name can't be empty.")
        if not (name[0].isascii() and name[0].isalpha()):
            raise parser_error("The first character of the tag name should be an ASCII alphabetical character.")
        if (bad := _IN_TAG_NAMES.search(name)) is not None:
            raise parser_error(f"`{bad[0]}` character is forbidden in the tag name")
        self._name, self._changed = name, True

    @property
    def attributes(self) -> Iterator[JsArray]:
        """Pairs of name and value."""
        return iter([make_array([attribute.name, attribute.value]) for attribute in self._token.attributes])

    @property
    def namespaceURI(self) -> str:
        return _NAMESPACES.get(self._namespace, _HTML)

    def attribute(self, name: str) -> str | None:
        """As selectors ask: the name in lower case."""
        return next((one.value for one in self._token.attributes if one.name == name), None)

    def getAttribute(self, name: str) -> str | JsNull | None:
        value = self.attribute(name.lower())
        return null() if value is None else value

    def hasAttribute(self, name: str) -> bool:
        return self.attribute(name.lower()) is not None

    def setAttribute(self, name: str, value: object) -> Self:
        if not name:
            raise parser_error("Attribute name can't be empty.")
        if (bad := _IN_ATTRIBUTE_NAMES.search(name)) is not None:
            raise parser_error(f"`{bad[0]}` character is forbidden in the attribute name")
        self._changed = True
        for attribute in self._token.attributes:
            if attribute.name == name.lower():
                attribute.value, attribute.raw = str(value), None
                return self
        self._token.attributes.append(tokens.Attribute(name.lower(), str(value), None))
        return self

    def removeAttribute(self, name: str) -> Self:
        kept = [attribute for attribute in self._token.attributes if attribute.name != name.lower()]
        self._changed = self._changed or len(kept) < len(self._token.attributes)
        self._token.attributes[:] = kept
        return self

    def prepend(self, content: object, init: object = None, /, **keywords: object) -> Self:
        self.put_inside_first = render_inserted(content, init, keywords) + self.put_inside_first
        return self

    def append(self, content: object, init: object = None, /, **keywords: object) -> Self:
        self.put_inside_last += render_inserted(content, init, keywords)
        return self

    def setInnerContent(self, content: object, init: object = None, /, **keywords: object) -> Self:
        self.inner = render_inserted(content, init, keywords)
        self.put_inside_first = self.put_inside_last = ""
        return self

    def removeAndKeepContent(self) -> Self:
        self._removed = self.keeps_content = True
        return self

    def onEndTag(self, handler: object) -> None:
        """Raises JsException (TypeError) for an element that has none."""
        if self.empty:
            raise parser_error("No end tag.")
        self.on_end = handler

    @property
    def renamed(self) -> bool:
        return self._name != self._token.name

    @property
    def drops_content(self) -> bool:
        return self.inner is not None or (self._removed and not self.keeps_content)

    def start_written(self) -> str:
        """Everything up to where its content begins. For an element that is removed whole, its replacement."""
        if self.empty:
            return self.written(self._tag())
        inside = self.put_inside_first + (self.inner or "")
        if not self._removed:
            return self.put_before + self._tag() + inside
        return self.put_before + (self.replacement or "" if not self.keeps_content else inside)

    def end_written(self, end: EndTag) -> str:
        if self.renamed:
            end.name = self._name
        if self._removed:
            return (self.put_inside_last if self.keeps_content else "") + self.put_after
        return self.put_inside_last + end.written(end.raw) + self.put_after

    def _tag(self) -> str:
        if not self._changed:
            return self._token.raw
        parts = [self._name if self.renamed else self._token.raw[1 : 1 + len(self._name)]]
        for one in self._token.attributes:
            escaped = one.value.replace('"', "&quot;")
            parts.append(f'{one.name}="{escaped}"' if one.raw is None else one.raw)
        return f"<{' '.join(parts)}{' />' if self._token.self_closing and self._namespace else '>'}"
