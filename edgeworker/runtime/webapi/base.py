"""What every JavaScript object of a script has in common."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

from edgeworker.messages import Body
from edgeworker.runtime.contract import portability_warnings
from edgeworker.runtime.webapi.ffi import Constructor, JsDict, JsException, jsnull
from edgeworker.runtime.webapi.plain_iterators import PlainIterator
from edgeworker.runtime.webapi.plain_objects import PlainObject, make_object
from edgeworker.runtime.webapi.plain_proxy import fields_of
from edgeworker.runtime.webapi.surplus import javascript_class

_T = TypeVar("_T")
_Item = TypeVar("_Item")


class JsObject:
    """Made with `Class.new(...)`. Keyword arguments of `new` are JavaScript's trailing options object."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        javascript_class(cls)

    @classmethod
    def new(cls, *args: object, **options: object) -> Self:
        return cls() if cls.__init__ is object.__init__ else cls(*args, **options)

    @property
    def constructor(self) -> Constructor:
        return Constructor(type(self).__name__)

    @property
    def typeof(self) -> str:
        return "object"

    def to_py(self, **_options: object) -> object:
        """Itself: what has no plainer form in Python is not converted."""
        return self

    def __repr__(self) -> str:
        return f"[object {self.constructor.name}]"


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


class ListIterator(list[_T], JsObject):
    """What `entries()` and the like answer in a lenient edge: an iterator that is a list of what there was, too."""

    def __init__(self, begin: Callable[[], Iterator[_T]]) -> None:
        """`begin` starts an iteration, which may see what changes on its way."""
        super().__init__(begin())
        self._begin = begin
        self._items = begin()

    def next(self) -> JsDict | PlainObject:
        for item in self._items:
            return make_object({"done": False, "value": item})
        return make_object({"done": True, "value": None})

    def to_py(self, **_options: object) -> list[_T]:
        return list(self)

    def __iter__(self) -> Iterator[_T]:
        return self._begin()

    def __next__(self) -> _T:
        return next(self._items)


def make_iterator(begin: Callable[[], Iterator[_T]], name: str) -> ListIterator[_T] | PlainIterator:
    """An iterator of JavaScript for the script that runs."""
    return PlainIterator(begin(), name) if portability_warnings.current().is_strict else ListIterator(begin)


def iterate_live(owner: _T, list_of: Callable[[_T], Sequence[_Item]]) -> Iterator[_Item]:
    """By index, so that what is added or deleted meanwhile counts: https://webidl.spec.whatwg.org/#es-iterator"""
    index = 0
    while index < len(items := list_of(owner)):
        yield items[index]
        index += 1


def type_error(text: str) -> JsException:
    return JsException("TypeError", text)


def range_error(text: str) -> JsException:
    return JsException("RangeError", text)


def is_absent(value: object) -> bool:
    return value is None or value is jsnull


def entries(value: object) -> Iterator[tuple[str, object]]:
    """The pairs of what JavaScript takes as a record: a mapping, or pairs in a sequence. Raises JsException."""
    return ((str(key), item) for key, item in pairs_of(value))


def pairs_of(value: object) -> Iterator[tuple[object, object]]:
    """As `entries`, with keys of any kind."""
    if not isinstance(value, PlainIterator):
        value = fields_of(value)
    if isinstance(value, Mapping):
        yield from value.items()
        return
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        raise type_error(f"an object or a list of pairs was expected, not {type(value).__name__}")
    list_entries = getattr(value, "entries", None) if isinstance(value, JsObject) else None
    for pair in list_entries() if callable(list_entries) else iter(value):
        if type(pair) is tuple and len(pair) == 2:
            yield pair
            continue
        if isinstance(pair, str) or not hasattr(pair, "__iter__") or len(items := list(pair)) != 2:
            raise type_error(f"a list of [name, value] pairs was expected, and one item is {type(pair).__name__}")
        yield items[0], items[1]


def refuse_python_dict(kind: str, value: Mapping[object, object]) -> None:
    """For JavaScript a dict of Python is a sequence of its keys. Raises JsException (TypeError)."""
    if value and portability_warnings.is_refused(
        f"a dict of Python is no {kind} on Cloudflare: TypeError", f"give the {kind} as list(values.items())"
    ):
        raise type_error("Incorrect type: the provided value is not of type 'Sequence'.")


def refuse_field_named_type(init: object) -> bool:
    """A proxy of a dict of Python has a `type` of its own, which hides the item."""
    return (
        type(init) is dict
        and "type" in init
        and portability_warnings.is_refused(
            'the field "type" of a dict of Python reads "dict" on Cloudflare', 'give it as a keyword: type="text/plain"'
        )
    )


def options(init: object, keywords: Mapping[str, object]) -> dict[str, object]:
    """An options object: JavaScript's positional one, keyword arguments, or both (the keywords win)."""
    given = {} if is_absent(init) else dict(entries(init))
    return {**given, **keywords}
