"""The members of a JSON object, read one by one with their kinds."""

from typing import Final

from edgeworker.config import JSON
from edgeworker.testing.content import MISSING, Missing


class BadControlRequest(Exception):
    """An invalid request; the text says what is wrong and what would be right."""


class Fields:
    """What was not asked for when `finish` is called is a mistake: a misspelt member must not be passed over."""

    def __init__(self, content: JSON) -> None:
        """Raises BadControlRequest for what is not an object."""
        if not isinstance(content, dict):
            raise BadControlRequest(f"a JSON object is needed, not {_describe_kind(content)}")
        self._content: Final = content
        self._asked: Final[set[str]] = set()

    def value(self, name: str) -> JSON | Missing:
        self._asked.add(name)
        return self._content.get(name, MISSING)

    def text(self, name: str) -> str | None:
        match self._take_value(name):
            case None | str() as text:
                return text
            case other:
                raise self._wrong(name, "text", other)

    def number(self, name: str) -> float | None:
        match self._take_value(name):
            case None:
                return None
            case bool() as other:
                raise self._wrong(name, "a number", other)
            case int() | float() as number:
                return number
            case other:
                raise self._wrong(name, "a number", other)

    def integer(self, name: str) -> int | None:
        number = self.number(name)
        if number is None or isinstance(number, int):
            return number
        raise self._wrong(name, "a whole number", number)

    def flag(self, name: str) -> bool:
        """Absent is false."""
        match self._take_value(name):
            case None:
                return False
            case bool() as flag:
                return flag
            case other:
                raise self._wrong(name, "true or false", other)

    def object(self, name: str) -> dict[str, JSON] | None:
        match self._take_value(name):
            case None:
                return None
            case dict() as found:
                return found
            case other:
                raise self._wrong(name, "an object", other)

    def texts(self, name: str) -> dict[str, str] | None:
        """An object of texts."""
        found = self.object(name)
        if found is None:
            return None
        texts: dict[str, str] = {}
        for key, value in found.items():
            if not isinstance(value, str):
                raise self._wrong(f"{name}.{key}", "text", value)
            texts[key] = value
        return texts

    def finish(self) -> None:
        unknown = sorted(set(self._content) - self._asked)
        if unknown:
            raise BadControlRequest(f"unknown: {', '.join(unknown)}; there are: {', '.join(sorted(self._asked))}")

    def _take_value(self, name: str) -> JSON:
        self._asked.add(name)
        return self._content.get(name)

    def _wrong(self, name: str, wanted: str, given: JSON) -> BadControlRequest:
        return BadControlRequest(f'"{name}" must be {wanted}, not {_describe_kind(given)}')


def _describe_kind(value: JSON) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "an object"
