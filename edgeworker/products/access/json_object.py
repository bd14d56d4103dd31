"""Reads JSON objects member by member, with errors that name the place. Pure.

edge.toml, the v4 API and stored documents give the same objects, so one reader serves all three.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from edgeworker.config import JSON
from edgeworker.strict_json import InvalidJSON, dumps, loads

_DURATION: Final = re.compile(
    r"(?:([0-9]{1,6}(?:\.[0-9]{1,3})?)h)?(?:([0-9]{1,7}(?:\.[0-9]{1,3})?)m)?(?:([0-9]{1,9})s)?"
)


class InvalidObject(ValueError):
    """What is wrong with an object. `path` is where ("apps[0].policies[1].include[0]"), `text` what."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__(f"{path}: {text}" if path else text)
        self.path = path
        self.text = text


@dataclass(frozen=True, slots=True)
class JSONObject:
    """Members of one object. A reading method without a default raises InvalidObject for a missing member, and each
    raises it for one of another type. null counts as missing, as in the API."""

    members: Mapping[str, JSON]
    path: str = ""

    @staticmethod
    def text_of(value: JSON) -> str:
        """Compact JSON, shortened: for messages, and to keep a value that is not looked into."""
        return dumps(value, ascii_only=False)[:500]

    @staticmethod
    def parsed(text: str) -> JSON:
        try:
            return loads(text)
        except InvalidJSON:
            return {}

    @classmethod
    def of(cls, value: JSON, path: str = "") -> "JSONObject":
        if not isinstance(value, dict):
            raise InvalidObject(path, f"must be an object, not {cls.text_of(value)}")
        return cls(value, path)

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        return self.members.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """Never empty where there is no default."""
        value = self.members.get(name)
        if value is None or (value == "" and default is not None):
            if default is None:
                raise InvalidObject(self.path, f'has no "{name}"')
            return default
        if not isinstance(value, str) or not value.strip():
            raise InvalidObject(self.at(name), f"must be a text, not {self.text_of(value)}")
        return value

    def boolean(self, name: str, default: bool) -> bool:
        value = self.members.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise InvalidObject(self.at(name), f"must be true or false, not {self.text_of(value)}")
        return value

    def whole(self, name: str, default: int, *, least: int = 0, most: int = 2**53) -> int:
        value = self.members.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InvalidObject(
                self.at(name), f"must be a whole number from {least} to {most}, not {self.text_of(value)}"
            )
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.members.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise InvalidObject(self.at(name), f'must be an array of texts such as ["a"], not {self.text_of(value)}')
        return tuple(str(item) for item in value)

    def items(self, name: str) -> Iterator[tuple[JSON, str]]:
        """(element, its path) of an array; none where it is missing."""
        value = self.members.get(name)
        if value is None:
            return
        if not isinstance(value, list):
            raise InvalidObject(self.at(name), f"must be an array, not {self.text_of(value)}")
        for index, item in enumerate(value):
            yield item, f"{self.at(name)}[{index}]"

    def inner(self, name: str) -> "JSONObject":
        """The member that is an object; an empty one where it is missing."""
        value = self.members.get(name)
        return JSONObject({}, self.at(name)) if value is None else JSONObject.of(value, self.at(name))

    def one_of(self, name: str, choices: tuple[str, ...], default: str | None = None) -> str:
        value = self.text(name, default)
        if value not in choices and value != default:
            raise InvalidObject(self.at(name), f'"{value}" is not one of {", ".join(choices)}')
        return value

    def seconds(self, name: str, default: int | None, *, least: int = 0, most: int | None = None) -> int | None:
        """A duration such as "24h", "30m" or "2h45m"."""
        value = self.members.get(name)
        if value is None or value == "":
            return default
        found = parse_duration(value) if isinstance(value, str) else None
        if found is None:
            example = 'such as "24h", "30m" or "2h45m"'
            raise InvalidObject(self.at(name), f"{self.text_of(value)} is not a duration {example}")
        if found < least or (most is not None and found > most):
            text = f'"{value}" is out of range: it must be at least {least} s' + (
                f" and at most {most} s" if most else ""
            )
            raise InvalidObject(self.at(name), text)
        return found


def parse_duration(text: str) -> int | None:
    """Seconds of Go's notation as far as the API has it; None for anything else."""
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        return None
    hours, minutes, seconds = match.groups()
    return int(float(hours or 0) * 3600 + float(minutes or 0) * 60 + int(seconds or 0))


def format_duration(seconds: int) -> str:
    """`24h`, `30m`, `2h45m0s` as "2h45m"."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    parts = (f"{hours}h" if hours else "", f"{minutes}m" if minutes else "", f"{left}s" if left else "")
    return "".join(parts) or "0s"
