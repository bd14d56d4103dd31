"""What one row about a field of wrangler.toml says. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from edgeworker.schema.wrangler_checks import Check, Member, as_table, bindings, boolean, single_binding

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


NOT_EMULATED: Final = "using it raises an error that names the kind"
BINDING: Final = Member("binding", required=True)
REMOTE: Final = Member("remote", "boolean", check=boolean)
MUST_STRING: Final = '"{at}" bindings must have a string "{name}" field but got {got}.'


def binding_names(value: object) -> list[str]:
    """The names in `env` that the value of a field makes, in the three shapes that wrangler has."""
    if isinstance(value, list):
        names = [values.get("binding") if (values := as_table(item)) is not None else None for item in value]
        return [name for name in names if isinstance(name, str)] if all(isinstance(n, str) for n in names) else []
    values = as_table(value)
    if values is None:
        return []
    inner = values.get("bindings")
    if isinstance(inner, list):
        return [str(table["name"]) for item in inner if (table := as_table(item)) is not None and "name" in table]
    if "binding" in values:
        return [str(values["binding"])]
    return list(values)


@dataclass(frozen=True, slots=True)
class Field:
    """One key of wrangler.toml.

    `inheritance`: "top level" is not read in `[env.x]`; "inherited" counts for an environment that does not set it;
    "own" never does. `binds` is wrangler's word for what the field puts into `env`. `compare` is how wrangler tells
    which names an environment lacks. `names` are those that a value makes in `env`, none of which may be made twice.
    """

    name: str
    check: Check
    inheritance: Inheritance
    support: Support
    note: str = ""
    binds: str | None = None
    compare: Compare | None = None
    names: Callable[[object], list[str]] = binding_names


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


def binding_list(name: str, binds: str, *members: Member, support: Support = "NOTE", note: str = NOT_EMULATED) -> Field:
    """An array of tables, one for each binding."""
    return Field(name, bindings(*members), "own", support, note, binds, "items")


def one_binding(
    name: str, binds: str, *, support: Support = "NOTE", note: str = NOT_EMULATED, other_keys: bool = False
) -> Field:
    """A table that is one binding."""
    return Field(name, single_binding(REMOTE, other_keys=other_keys), "own", support, note, binds)
