"""Parses application/x-www-form-urlencoded: queries of the pages, and bodies of forms and token requests. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote_to_bytes, urlencode

MAX_PAGE_BYTES: Final = 16_384  # of a query or a page's form; an authorization request with an id_token_hint has 2,000
MAX_TOKEN_REQUEST_BYTES: Final = 65_536
MAX_PARAMETERS: Final = 100

MEDIA_TYPE: Final = "application/x-www-form-urlencoded"


class BadParameters(ValueError):
    """Parameters that cannot be parsed. The text goes to the client and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """The values of each name, in their order. An empty value counts as not sent (RFC 6749 sections 3.1 and 3.2)."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def get(self, name: str) -> str | None:
        """The first value that is not empty, or None."""
        return next((value for value in self.values.get(name, ()) if value), None)

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for value in self.values.get(name, ()) if value)

    def repeated(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that were sent more than once, with a value or without."""
        return [name for name in names if len(self.values.get(name, ())) > 1]

    def joined_with(self, other: "Parameters") -> "Parameters":
        """Both together: a parameter of both is one that was sent twice."""
        names = dict.fromkeys((*self.values, *other.values))
        return Parameters({name: (*self.values.get(name, ()), *other.values.get(name, ())) for name in names})

    def query(self, names: Iterable[str]) -> str:
        """The canonical query of these names: one text for one meaning."""
        return urlencode([(name, value) for name in names for value in self.all(name)], quote_via=quote, safe="")


def is_form(content_type: str | None) -> bool:
    """Whether a Content-Type is that of a form. Parameters such as `charset` change nothing: a form is always UTF-8
    (https://url.spec.whatwg.org/#concept-urlencoded-parser)."""
    return content_type is not None and content_type.partition(";")[0].strip(" \t").lower() == MEDIA_TYPE


def parse(text: str | bytes, *, max_length: int = MAX_PAGE_BYTES) -> Parameters:
    """Raises BadParameters if there are too many parameters, or if one is not UTF-8."""
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(content) > max_length:
        raise BadParameters(f"there are more than {max_length} bytes of parameters")
    pairs = [pair for pair in content.split(b"&") if pair]
    if len(pairs) > MAX_PARAMETERS:
        raise BadParameters(f"there are more than {MAX_PARAMETERS} parameters")
    values: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        name, _, value = (decode(part) for part in pair.partition(b"="))
        values[name] = (*values.get(name, ()), value)
    return Parameters(values)


def decode(part: bytes) -> str:
    """One name or value. Raises BadParameters if it is not UTF-8."""
    try:
        return unquote_to_bytes(part.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise BadParameters("a parameter is not UTF-8") from None
