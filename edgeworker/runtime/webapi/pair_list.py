"""What `FormData` and `URLSearchParams` have in common: pairs in order, in which a name may stand more than once."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from edgeworker.runtime.webapi.array_methods import JsArray
from edgeworker.runtime.webapi.arrays import make_array
from edgeworker.runtime.webapi.base import BodySource, ListIterator, iterate_live, make_iterator
from edgeworker.runtime.webapi.ffi import JsNull
from edgeworker.runtime.webapi.plain_arrays import show_pair
from edgeworker.runtime.webapi.plain_iterators import PlainIterator
from edgeworker.runtime.webapi.plain_objects import null
from edgeworker.runtime.webapi.strings import to_usv_string

V = TypeVar("V")


class PairList(BodySource, Generic[V]):
    """`_pairs` are the pairs; what changes them tells `_report_change`."""

    _pairs: list[tuple[str, V]]

    @abstractmethod
    def _read_value(self, value: object) -> V:
        """What is kept of a value that a script gives."""

    def _report_change(self) -> None:
        """Called after each change."""

    def get(self, name: object) -> V | JsNull | None:
        wanted = to_usv_string(name)
        found = next((value for key, value in self._pairs if key == wanted), None)
        return null() if found is None else found

    def getAll(self, name: object) -> JsArray:
        return make_array(self.values_of(name))

    def values_of(self, name: object) -> list[V]:
        wanted = to_usv_string(name)
        return [value for key, value in self._pairs if key == wanted]

    def _append(self, name: object, value: V) -> None:
        self._pairs.append((to_usv_string(name), value))
        self._report_change()

    def _set(self, name: object, value: V) -> None:
        """The first pair of the name gets the value, and the others of it go."""
        new = (to_usv_string(name), value)
        places = [index for index, (key, _) in enumerate(self._pairs) if key == new[0]]
        if places:
            self._pairs[places[0]] = new
            for index in reversed(places[1:]):
                del self._pairs[index]
        else:
            self._pairs.append(new)
        self._report_change()

    def _delete(self, matches: Callable[[tuple[str, V]], bool]) -> None:
        self._pairs[:] = [pair for pair in self._pairs if not matches(pair)]
        self._report_change()

    def iterate(self) -> Iterator[tuple[str, V]]:
        """Pairs of Python; what is added or deleted meanwhile counts."""
        return iterate_live(self, lambda pairs: pairs._pairs)

    def entries(self) -> ListIterator[object] | PlainIterator:
        return make_iterator(lambda: map(show_pair, self.iterate()), "EntryIterator")

    def keys(self) -> Iterable[str] | PlainIterator:
        return make_iterator(lambda: (name for name, _ in self.iterate()), "KeyIterator")

    def values(self) -> Iterable[object] | PlainIterator:
        return make_iterator(lambda: (value for _, value in self.iterate()), "ValueIterator")

    def forEach(self, callback: Callable[..., object], _this: object = None) -> None:
        for name, value in self.iterate():
            callback(value, name, self)

    def __iter__(self) -> Iterator[object]:
        return map(show_pair, self.iterate())

    # pyodide gives brackets to every object of JavaScript that has `get`, `set`, `has` and `delete`.

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(key == name for key, _ in self._pairs)

    def __getitem__(self, name: str) -> V | JsNull | None:
        return self.get(name)

    def __setitem__(self, name: str, value: object) -> None:
        self._set(name, self._read_value(value))

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self._delete(lambda pair: pair[0] == name)
