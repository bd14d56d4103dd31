"""What every JavaScript object of a script has in common."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from edgeworker.messages import Body
from edgeworker.runtime.webapi.ffi import Constructor, JsException, jsnull


class JsObject:
    """Made with `Class.new(...)`. Keyword arguments of `new` are JavaScript's trailing options object."""

    @classmethod
    def new(cls, *args: object, **options: object) -> Self:
        return cls(*args, **options)

    @property
    def constructor(self) -> Constructor:
        return Constructor(type(self).__name__)

    @property
    def typeof(self) -> str:
        return "object"

    def to_py(self, **_options: object) -> object:
        """Itself: what has no plainer form in Python is not converted."""
        return self


@dataclass(frozen=True, slots=True)
class BodyWithType:
    """A body and what it says about itself.

    `content_type` becomes the Content-Type where the script gives none. `encoding` is the Content-Encoding that the
    bytes are in already, for a stream that is passed through.
    """

    body: Body | None
    content_type: str | None = None
    encoding: str | None = None


class BodySource(JsObject):
    """What can be the body of a Request or Response."""

    @abstractmethod
    def extract_body(self) -> BodyWithType:
        """May use the source up, as a stream is used up."""


def type_error(text: str) -> JsException:
    return JsException("TypeError", text)


def range_error(text: str) -> JsException:
    return JsException("RangeError", text)


def is_absent(value: object) -> bool:
    return value is None or value is jsnull


def entries(value: object) -> Iterator[tuple[str, object]]:
    """The pairs of what JavaScript takes as a record: a mapping, or pairs in a sequence. Raises JsException."""
    if isinstance(value, Mapping):
        yield from ((str(key), item) for key, item in value.items())
        return
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        raise type_error(f"an object or a list of pairs was expected, not {type(value).__name__}")
    for pair in iter(value):
        if type(pair) is tuple and len(pair) == 2:
            yield str(pair[0]), pair[1]
            continue
        if isinstance(pair, str) or not hasattr(pair, "__iter__") or len(items := list(pair)) != 2:
            raise type_error(f"a list of [name, value] pairs was expected, and one item is {type(pair).__name__}")
        yield str(items[0]), items[1]


def options(init: object, keywords: Mapping[str, object]) -> dict[str, object]:
    """An options object: JavaScript's positional one, keyword arguments, or both (the keywords win)."""
    given = {} if is_absent(init) else dict(entries(init))
    return {**given, **keywords}
