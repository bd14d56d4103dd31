"""Errors and warnings about configuration, as a tree, each with its file, line and path. Pure.

The headings and the indentation are wrangler's; below each message stands where it comes from.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

Level = Literal["error", "warning", "info"]
KeyPath = tuple[str | int, ...]  # ("kv_namespaces", 0, "binding")

_INDENT: Final = "  "


def format_key_path(where: KeyPath) -> str:
    """`where` as wrangler writes it: `env.staging.kv_namespaces[0].binding`."""
    text = ""
    for part in where:
        match part:
            case int():
                text += f"[{part}]"
            case str():
                text += f".{part}" if text else part
    return text


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """Where something was written. `line` counts from 1; None where a file has no such line (a default, an option)."""

    file: str
    line: int | None = None
    path: str = ""

    def __str__(self) -> str:
        text = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{text} ({self.path})" if self.path else text


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about a configuration, and each place that it is about."""

    level: Level
    text: str
    locations: tuple[SourceLocation, ...] = ()


def _indent(text: str) -> str:
    first, *rest = text.split("\n")
    return "\n".join([first, *(f"{_INDENT}{line}" if line.strip() else "" for line in rest)])


@dataclass(slots=True)
class Diagnostics:
    """Collects messages about one file or one environment; `children` hold those of its parts.

    `description` is the heading: "Processing wrangler.toml configuration:".
    """

    description: str = ""
    messages: list[Diagnostic] = field(default_factory=list)
    children: list["Diagnostics"] = field(default_factory=list)

    def error(self, text: str, *locations: SourceLocation) -> None:
        self.messages.append(Diagnostic("error", text, locations))

    def warning(self, text: str, *locations: SourceLocation) -> None:
        self.messages.append(Diagnostic("warning", text, locations))

    def info(self, text: str, *locations: SourceLocation) -> None:
        self.messages.append(Diagnostic("info", text, locations))

    def child(self, description: str) -> "Diagnostics":
        child = Diagnostics(description)
        self.children.append(child)
        return child

    def walk(self) -> Iterator[Diagnostic]:
        """All messages of this part and its children, in the order in which they are rendered."""
        yield from self.messages
        for child in self.children:
            yield from child.walk()

    def of(self, level: Level) -> list[Diagnostic]:
        return [message for message in self.walk() if message.level == level]

    @property
    def has_errors(self) -> bool:
        return any(message.level == "error" for message in self.walk())

    def blocks(self, level: Level, *, locations: bool = True) -> list[str]:
        """All messages of `level`: one text for each heading, and for each message that stands under none.

        Without `locations` the text is wrangler's own, to the letter.
        """
        items = [_item(message, locations=locations) for message in self.messages if message.level == level]
        inner = [block for child in self.children for block in child.blocks(level, locations=locations)]
        if not self.description or not (items or inner):
            return [*items, *inner]
        lines = [*(f"- {_indent(item)}" for item in items), *(f"- {block}" for block in inner)]
        return [_indent("\n".join([self.description, *lines]))]

    def render(self, level: Level, *, locations: bool = True) -> str:
        """All `blocks` as one text, "" if there are none."""
        return "\n\n".join(self.blocks(level, locations=locations))


def _item(message: Diagnostic, *, locations: bool) -> str:
    seen = dict.fromkeys(str(location) for location in message.locations)
    # A syntax error shows its place by itself.
    shown = [location for location in seen if f"{location}:" not in message.text]
    return f"{message.text}\nat {', '.join(shown)}" if locations and shown else message.text
