"""Reads a worker's settings from its `vars`: strings, numbers, lists, paths, documents. Pure; needs no package.

A list may also be a string with commas, and a document a table or a string of JSON. An unusable setting raises an error
that begins with its name.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

QUOTABLE: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")  # what a quoted string holds without escapes
SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3
URL: Final = re.compile(r"https?://[^\s/\"\\]+/[^\s\"\\]*")

_ORIGIN: Final = re.compile(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")
_TYPE: Final = re.compile(r"\*|(?:application/)?[a-z0-9!#$&^_.+-]+")
_PATH: Final = re.compile(r"(?:([A-Z]+) +)?(/[^*\s]*\*?)")

# In a path the API may understand these differently from this comparison: an encoded slash, backslash, dot or percent
# sign, a NUL, a second slash, and parameters ("/public/..;/admin").
_AMBIGUOUS: Final = re.compile(r"%(?:2e|2f|5c|25|3b|00)|//|[\\;]", re.IGNORECASE)


class SettingError(ValueError):
    """A variable with an unusable value. The text begins with the variable's name."""


@dataclass(frozen=True, slots=True)
class PathPatterns:
    """Whole paths ("/health") and prefixes ("/docs/*"), each for one method or for all."""

    patterns: tuple[tuple[str | None, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def match(self, method: str, path: str) -> bool:
        """`path` is a URL's path in canonical form. An ambiguous path matches nothing."""
        if is_ambiguous(path):
            return False
        return any(
            (only is None or only == method) and (path.startswith(text[:-1]) if text[-1] == "*" else path == text)
            for only, text in self.patterns
        )


NO_PATHS: Final = PathPatterns()


class Variables:
    """Reads single variables, by kind."""

    def __init__(self, env: object) -> None:
        self._env = env

    def value(self, name: str) -> object:
        """None if the variable is missing. On Cloudflare a list or object is a JavaScript value, converted here."""
        value = getattr(self._env, name, None)
        convert = getattr(value, "to_py", None)
        return convert() if callable(convert) else value

    def text(self, name: str, default: str, allowed: re.Pattern[str] | None = None, like: str = "") -> str:
        value = self.value(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise SettingError(f"{name}: {value!r} is not a string")
        if allowed is not None and value and not allowed.fullmatch(value):
            raise SettingError(f"{name}: {value!r} is not {like}")
        return value

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self.value(name)
        if value is None:
            return default
        if isinstance(value, float) and value.is_integer():  # JavaScript has one kind of number
            value = int(value)
        if isinstance(value, str) and value.isascii() and value.strip().isdecimal():
            value = int(value) if len(value) < 20 else most + 1
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise SettingError(f"{name}: {value!r} is not a whole number from {least} to {most}")
        return value

    def choice(self, name: str, default: str, known: tuple[str, ...]) -> str:
        value = self.text(name, default)
        # People write "SHA-256"; Python calls it "sha256".
        plain = value.lower().replace("-", "")
        if plain not in known:
            raise SettingError(f"{name}: {value!r} is not one of {', '.join(known)}")
        return plain

    def items(
        self,
        name: str,
        default: tuple[str, ...],
        allowed: re.Pattern[str] | None = None,
        like: str = "",
        *,
        separators: str = r"\s*,\s*",
    ) -> tuple[str, ...]:
        value = self.value(name)
        if value is None:
            return default
        items = [item for item in re.split(separators, value.strip()) if item] if isinstance(value, str) else value
        if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
            raise SettingError(f"{name}: {value!r} is neither a list of strings nor a string with commas")
        for item in items:
            if not item or (allowed is not None and not allowed.fullmatch(item.lower())):
                raise SettingError(f"{name}: {item!r} is not {like or 'a non-empty string'}")
        return tuple(items)

    def choices(self, name: str, known: tuple[str, ...]) -> tuple[str, ...]:
        items = self.items(name, known)
        for item in items:
            if item not in known:
                raise SettingError(f"{name}: {item!r} is not one of {', '.join(known)}")
        if not items:
            raise SettingError(f"{name}: the list is empty; choose from {', '.join(known)}")
        return items

    def types(self, name: str, default: tuple[str, ...]) -> frozenset[str]:
        """Values of a JWT's `typ`, as `claims.check_header` takes them; "*" stands for any."""
        items = self.items(name, default, _TYPE, 'like "at+jwt"')
        kinds = frozenset(item.lower().removeprefix("application/") for item in items)
        return frozenset() if "*" in kinds else kinds

    def paths(self, name: str) -> PathPatterns:
        return PathPatterns(tuple(self.pattern(name, item) for item in self.items(name, ())))

    def pattern(self, name: str, text: str) -> tuple[str | None, str]:
        """One of `PathPatterns.patterns`. `name` is the variable that holds `text`."""
        match = _PATH.fullmatch(text)
        if match is None or is_ambiguous(match[2]):
            raise SettingError(f'{name}: {text!r} is not like "/health", "/docs/*" or "OPTIONS /*"')
        return match[1], match[2]

    def origins(self, name: str) -> frozenset[str]:
        """Origins of pages, in lower case, or "*"."""
        items = self.items(name, (), re.compile(rf"\*|{_ORIGIN.pattern}"), 'like "https://app.example.com"')
        return frozenset(item.lower() for item in items)

    def document(self, name: str) -> str:
        """A JSON object as text; TOML may hold it as a table or as a string."""
        table = self.table(name)
        return "" if table is None else json.dumps(dict(table))

    def table(self, name: str) -> Mapping[str, object] | None:
        """None if the variable is missing or an empty string."""
        value = self.value(name)
        if value is None or value == "":
            return None
        try:
            parsed = json.loads(value) if isinstance(value, str) else value
        except ValueError as error:
            raise SettingError(f"{name}: it is not JSON: {error}") from None
        if not isinstance(parsed, Mapping):
            raise SettingError(f"{name}: it is not a JSON object")
        return parsed


def is_ambiguous(path: str) -> bool:
    """Whether another reader could understand this path of a URL as a different one."""
    return _AMBIGUOUS.search(path) is not None


def path_of(url: str) -> str:
    """The path of an absolute URL, unchanged."""
    return "/" + url.partition("://")[2].partition("/")[2].partition("?")[0].partition("#")[0]
