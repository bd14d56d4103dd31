"""Pages by number, as namespaces, accounts and zones have them. Pure.

Pagers of the real clients ask for page after page until one is empty, so a page beyond the end is an empty result and
never the last page again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edgeworker.rest.errors import ApiError, Code

MAX_PER_PAGE: Final = 1000

_NUMBER: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class NumberPage:
    """`page` counts from 1."""

    page: int
    per_page: int

    @property
    def start(self) -> int:
        return (self.page - 1) * self.per_page


def number_page(query: Mapping[str, str], *, default_per_page: int, malformed: tuple[Code, Code]) -> NumberPage:
    """`page` and `per_page` of a query. Raises ApiError with the codes `malformed`: for the page, for its size."""
    page = _positive(query.get("page", "1"))
    if page is None:
        raise ApiError(400, malformed[0], f'malformed page: "{query["page"]}" is not a number of at least 1')
    per_page = _positive(query.get("per_page", str(default_per_page)))
    if per_page is None or per_page > MAX_PER_PAGE:
        text = f'malformed per_page: "{query["per_page"]}" is not a number from 1 to {MAX_PER_PAGE}'
        raise ApiError(400, malformed[1], text)
    return NumberPage(page, per_page)


def _positive(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) and int(text) else None
