"""Reads application/x-www-form-urlencoded, as it is in a query and in the body of a form. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote_to_bytes, urlencode

MAX_LENGTH: Final = 16_384  # of a query, and of a body; an authorization request with an id_token_hint has some 2,000
MAX_FIELDS: Final = 100

MEDIA_TYPE: Final = "application/x-www-form-urlencoded"


class BadForm(ValueError):
    """What cannot be read. The text goes to the client and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The values of each name, in their order. One without a value counts as not sent (RFC 6749 section 3.1)."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        """The first value that is not empty, or None."""
        return next((value for value in self.values.get(name, ()) if value), None)

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for value in self.values.get(name, ()) if value)

    def repeated(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that were sent more than once, with a value or without."""
        return [name for name in names if len(self.values.get(name, ())) > 1]

    def query(self, names: Iterable[str]) -> str:
        """The query of these names: one text for one meaning, whatever was sent."""
        return urlencode([(name, value) for name in names for value in self.all(name)], quote_via=quote, safe="")


def parse(text: str) -> Fields:
    """Raises BadForm for what is too long, too much, or not UTF-8."""
    if len(text) > MAX_LENGTH:
        raise BadForm(f"there are more than {MAX_LENGTH} characters of parameters")
    pairs = [pair for pair in text.split("&") if pair]
    if len(pairs) > MAX_FIELDS:
        raise BadForm(f"there are more than {MAX_FIELDS} parameters")
    values: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        name, _, value = (_decoded(part) for part in pair.partition("="))
        values[name] = (*values.get(name, ()), value)
    return Fields(values)


def _decoded(part: str) -> str:
    try:
        return unquote_to_bytes(part.replace("+", " ")).decode("utf-8")
    except UnicodeError:
        raise BadForm("a parameter is not UTF-8") from None
