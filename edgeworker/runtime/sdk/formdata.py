"""`workers.FormData`: a form as a mapping, in the manner of multidict."""

from collections.abc import Iterator, MutableMapping

from edgeworker.runtime.sdk.blob import Blob, from_js
from edgeworker.runtime.webapi.formdata import FormData as JSFormData


class FormData(MutableMapping[str, object]):
    """`form["name"]` is the first value, None for a missing one; `get_all` gives every value, `items()` every field."""

    def __init__(self, form_data: object = None) -> None:
        """Raises TypeError for anything but a dict, a list of pairs or a FormData of JavaScript."""
        match form_data:
            case None:
                self._js = JSFormData()
            case JSFormData():
                self._js = form_data
            case dict():
                self._js = JSFormData([(name, _to_js(value)) for name, value in form_data.items()])
            case list():
                self._js = JSFormData([(name, _to_js(value)) for name, value in form_data])
            case _:
                raise TypeError("Expected form_data to be a dict or an instance of FormData")

    @property
    def js_object(self) -> JSFormData:
        return self._js

    def __getitem__(self, key: str) -> object:
        return from_js(self._js.get(key))

    def __setitem__(self, key: str, value: object) -> None:
        if isinstance(value, list):
            raise TypeError("Expected single item in arguments to FormData.__setitem__")
        self._js.set(key, _to_js(value))

    def __delitem__(self, key: str) -> None:
        self._js.delete(key)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._js.has(key)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._js.iterate())

    def __len__(self) -> int:
        return sum(1 for _ in self._js.iterate())

    def append(self, key: str, value: object, filename: str | None = None) -> None:
        self._js.append(key, _to_js(value), filename)

    def delete(self, key: str) -> None:
        self._js.delete(key)

    def get_all(self, key: str) -> list[object]:
        return [from_js(value) for value in self._js.values_of(key)]

    def keys(self) -> Iterator[str]:  # type: ignore[override]  # every field's name, as in the SDK, not a set
        return (name for name, _ in self._js.iterate())

    def values(self) -> Iterator[object]:  # type: ignore[override]
        return (from_js(value) for _, value in self._js.iterate())

    def items(self) -> Iterator[tuple[str, object]]:  # type: ignore[override]
        return ((name, from_js(value)) for name, value in self._js.iterate())


def _to_js(value: object) -> object:
    return value.js_object if isinstance(value, Blob) else value
