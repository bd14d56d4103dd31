"""JSON as RFC 8259 has it, read and written within bounds. Pure.

Python's own reader takes NaN and the infinities and answers deep nesting with a RecursionError, and its writer writes
NaN. What clients and stores send is read and written here instead.
"""

import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]

# Far below Python's own limit, so that what was read can also be walked through and written.
MAX_DEPTH: Final = 200
# Of a whole number; Python converts no more than 4300.
_MAX_DIGITS: Final = 4000
# What may be half of a pair: as an escape, or as it is.
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")


class InvalidJSON(ValueError):
    """What is wrong with a text or a value."""


def loads(
    text: str | bytes, *, max_depth: int = MAX_DEPTH, unique_names: bool = False, lone_surrogates: bool = False
) -> JSON:
    """One value; bytes are UTF-8. Raises InvalidJSON.

    With `unique_names` no object may have two members of one name. Half of a surrogate pair, which JSON can say and
    UTF-8 cannot, is refused without `lone_surrogates`.
    """
    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidJSON(f"it is not UTF-8 text (byte {error.start})") from None
    decoder = _UNIQUE_DECODER if unique_names else _DECODER
    with _errors():
        value: JSON = decoder.decode(decoded)
    _check_depth(value, max_depth)
    if not lone_surrogates and _SURROGATE.search(decoded):
        _check_characters(value)
    return value


def load_at(text: str, position: int, *, max_depth: int = MAX_DEPTH) -> tuple[JSON, int]:
    """The value that begins at `position`, also with half surrogate pairs, and where it ends. Raises InvalidJSON."""
    with _errors():
        found: tuple[JSON, int] = _DECODER.raw_decode(text, position)
    _check_depth(found[0], max_depth)
    return found


def dumps(value: object, *, ascii_only: bool = True, indent: int | None = None, sort_keys: bool = False) -> str:
    """`value` as text, compact unless `indent` is given. Raises InvalidJSON for what JSON cannot say."""
    separators = (",", ":") if indent is None else (",", ": ")
    with _errors():
        return json.dumps(
            value, allow_nan=False, ensure_ascii=ascii_only, separators=separators, indent=indent, sort_keys=sort_keys
        )


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except RecursionError:
        raise InvalidJSON("it is nested too deeply") from None
    except (TypeError, ValueError) as error:
        raise InvalidJSON(str(error)) from None


def _check_depth(value: JSON, max_depth: int) -> None:
    level: list[JSON] = [value]
    for _ in range(max_depth + 1):
        level = [
            inner
            for item in level
            if isinstance(item, list | dict)
            for inner in (item.values() if isinstance(item, dict) else item)
            if isinstance(inner, list | dict)
        ]
        if not level:
            return
    raise InvalidJSON(f"it is nested deeper than {max_depth} levels")


def _check_characters(value: JSON) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidJSON("a text in it has a lone surrogate, which is not a character") from None


def _whole(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number has more than {_MAX_DIGITS} digits")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _refuse(name: str) -> JSON:
    raise ValueError(f"{name} is not JSON")


def _once(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object has two members of one name")
    return value


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite, parse_int=_whole)
_UNIQUE_DECODER: Final = json.JSONDecoder(
    parse_constant=_refuse, parse_float=_finite, parse_int=_whole, object_pairs_hook=_once
)
