"""What one row about a field of wrangler.toml says. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

from edgeworker.schema.wrangler_checks import Check

Inheritance = Literal["top level", "inherited", "own"]
Support = Literal["USE", "MAP", "NOTE", "WARN", "FAIL"]
Compare = Literal["vars", "items", "bindings"]
SUPPORT: Final[dict[Support, str]] = {
    "USE": "works",
    "MAP": "works in a simpler way, see the note",
    "NOTE": "accepted, without effect here",
    "WARN": "accepted with a warning, without effect here",
    "FAIL": "refused, with advice",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One key of wrangler.toml.

    `inheritance`: "top level" is not read in `[env.x]`; "inherited" counts for an environment that does not set it;
    "own" never does. `binds` is wrangler's word for what the field puts into `env`. `compare` is how wrangler tells
    which names an environment lacks.
    """

    name: str
    check: Check
    inheritance: Inheritance
    support: Support
    note: str = ""
    binds: str | None = None
    compare: Compare | None = None


@dataclass(frozen=True, slots=True)
class Legacy:
    """A key that wrangler does not know any more; `note` says what we do and what would be right today."""

    name: str
    support: Support
    note: str

    @property
    def advice(self) -> str:
        return f'Deprecation: "{self.name}":\n{self.note}'


def top_level(name: str, check: Check, support: Support, note: str = "", binds: str | None = None) -> Field:
    return Field(name, check, "top level", support, note, binds)


def inherited(name: str, check: Check, support: Support, note: str = "", binds: str | None = None) -> Field:
    return Field(name, check, "inherited", support, note, binds)


def own(name: str, check: Check, support: Support, note: str = "", compare: Compare | None = None) -> Field:
    return Field(name, check, "own", support, note, compare=compare)
