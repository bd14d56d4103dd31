"""The checks that wrangler makes on a value, with its texts. Pure.

Texts: read in and recorded from wrangler 4.164.0, see tests/conformance/cases/wrangler_config.json.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Final, Literal, Protocol

from edgeworker.schema.diagnostics import Diagnostics, KeyPath, SourceLocation
from edgeworker.suggestions import did_you_mean

JSType = Literal["string", "number", "boolean", "object"]

_NAME: Final = re.compile(r"^$|^[a-z0-9_][a-z0-9-_]*$")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Up to the last "@": a password may hold one, and a slash too.
_USER_INFO: Final = re.compile(r"://[^\s\"]*@")
_DASHES: Final = re.compile("[–—]")


class Locator(Protocol):
    """A file that knows on which line its values stand. `name` is how messages call it."""

    @property
    def file(self) -> Path: ...

    @property
    def name(self) -> str: ...

    def locate(self, where: KeyPath) -> SourceLocation: ...


class _Missing:
    """What JavaScript calls undefined: the key is not there at all."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class FieldContext:
    """One value's place in a file, and how messages call it.

    `label` is wrangler's: inside `env.staging` it is "workers_dev" for an inheritable key and
    "env.staging.kv_namespaces" for a key that is not inherited.
    """

    document: Locator
    diagnostics: Diagnostics
    where: KeyPath
    label: str

    def error(self, text: str) -> None:
        self.diagnostics.error(text, self.document.locate(self.where))

    def warning(self, text: str) -> None:
        self.diagnostics.warning(text, self.document.locate(self.where))

    def key(self, name: str) -> "FieldContext":
        label = f"{self.label}.{name}" if self.label else name
        return FieldContext(self.document, self.diagnostics, (*self.where, name), label)

    def item(self, index: int) -> "FieldContext":
        return FieldContext(self.document, self.diagnostics, (*self.where, index), f"{self.label}[{index}]")

    def unexpected(self, keys: Iterable[str], known: Iterable[str], *, called: str | None = None) -> None:
        """wrangler's one warning for all keys that it does not know."""
        expected = set(known)
        unknown = [key for key in keys if key not in expected]
        if unknown:
            listed = ",".join(f'"{key}"' for key in unknown)
            self.diagnostics.warning(
                f"Unexpected fields found in {called or self.label} field: {listed}",
                *(self._locate_unknown(key, expected) for key in unknown),
            )

    def _locate_unknown(self, key: str, expected: set[str]) -> SourceLocation:
        """wrangler's text stays as it is; what was probably meant stands where it was written."""
        location = self.document.locate((*self.where, key))
        return replace(location, path=f"{location.path}{did_you_mean(key, expected, before='; ')}")


Check = Callable[[FieldContext, object], None]


def to_json_text(value: object, *, indent: int | None = None) -> str:
    """`value` as JavaScript's JSON.stringify writes it."""
    if value is MISSING:
        return "undefined"
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(_plain(value), ensure_ascii=False, separators=separators, indent=indent)


def without_passwords(text: str) -> str:
    """`text` with "***" for the user and the password of every URL in it: for messages that quote what was written."""
    return _USER_INFO.sub("://***@", text)


def _plain(value: object) -> object:
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case float() if value != value or value in (float("inf"), float("-inf")):
            return None
        case float() if value.is_integer():
            return int(value)
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return value


def type_of(value: object) -> str:
    """JavaScript's `typeof`."""
    match value:
        case _Missing():
            return "undefined"
        case bool():
            return "boolean"
        case str():
            return "string"
        case int() | float():
            return "number"
        case _:
            return "object"


def is_date(value: object) -> bool:
    return isinstance(value, (date, time))


def as_table(value: object) -> Mapping[str, object] | None:
    return value if isinstance(value, dict) else None


def require_table(context: FieldContext, value: object, *, end: str) -> Mapping[str, object] | None:
    """The table; None, with an error reported, if it is not one. `end` is how wrangler's text ends."""
    values = as_table(value)
    if values is None:
        context.error(f'The field "{context.label}" should be an object but got {to_json_text(value)}{end}')
    return values


def anything(context: FieldContext, value: object) -> None:
    """wrangler checks nothing here, or nothing that matters to us."""


def of_type(kind: JSType) -> Check:
    def check(context: FieldContext, value: object) -> None:
        if type_of(value) != kind:
            context.error(f'Expected "{context.label}" to be of type {kind} but got {to_json_text(value)}.')

    return check


string: Final = of_type("string")
boolean: Final = of_type("boolean")
number: Final = of_type("number")


def worker_name(context: FieldContext, value: object) -> None:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        context.error(
            f'Expected "{context.label}" to be of type string, alphanumeric and lowercase with dashes only '
            f"but got {to_json_text(value)}."
        )


def one_of(*choices: str) -> Check:
    def check(context: FieldContext, value: object) -> None:
        if value not in choices:
            context.error(
                f'Expected "{context.label}" field to be one of {to_json_text(list(choices))} '
                f"but got {to_json_text(value)}."
            )

    return check


def string_list(context: FieldContext, value: object) -> None:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        context.error(f'Expected "{context.label}" to be of type string array but got {to_json_text(value)}.')


def strings(context: FieldContext, value: object) -> None:
    if not isinstance(value, list):
        context.error(f'Expected "{context.label}" to be an array of strings but got {to_json_text(value)}')
        return
    for index, item in enumerate(value):
        if not isinstance(item, str):
            inner = context.item(index)
            inner.error(f'Expected "{context.label}.[{index}]" to be of type string but got {to_json_text(item)}.')


def string_or_strings(context: FieldContext, value: object) -> None:
    (strings if isinstance(value, list) else string)(context, value)


def compatibility_date(context: FieldContext, value: object) -> None:
    if not isinstance(value, str):
        string(context, value)
        return
    if _DASHES.search(value):
        context.error(
            f'"{context.label}" field should use ISO-8601 accepted hyphens (-) rather than en-dashes (–) '
            "or em-dashes (—)."
        )
    if not _is_iso_date(_DASHES.sub("-", value)):
        context.error(
            f'"{context.label}" field should be a valid ISO-8601 date (YYYY-MM-DD), but got {to_json_text(value)}.'
        )


def _is_iso_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def bucket_name(context: FieldContext, value: object) -> None:
    if isinstance(value, str) and not _BUCKET.fullmatch(value):
        context.error(
            f"{context.label}={to_json_text(value)} is invalid. Bucket names must begin and end with an alphanumeric "
            "character, only contain lowercase letters, numbers, and hyphens, and be between 3 and 63 characters long."
        )


@dataclass(frozen=True, slots=True)
class Member:
    """One key of a table. `text` replaces the usual error; it may hold {at} (the table's label) and {got}.

    `check` runs on a value of the right type, or on any value if `kind` is None. `empty` False refuses "".
    """

    name: str
    kind: JSType | None = "string"
    required: bool = False
    text: str | None = None
    check: Check | None = None
    empty: bool = True

    def fits(self, value: object) -> bool:
        if self.kind is not None and type_of(value) != self.kind:
            return False
        return self.empty or value != ""


def table(*members: Member, other_keys: bool = False) -> Check:
    """A table with these keys; others are warned about, unless `other_keys`."""

    def check(context: FieldContext, value: object) -> None:
        values = as_table(value)
        if values is None:
            context.error(f'The field "{context.label}" should be an object but got {to_json_text(value)}.')
            return
        for member in members:
            _check_member(context, member, values)
        if not other_keys:
            context.unexpected(values, (member.name for member in members))

    return check


def _check_member(context: FieldContext, member: Member, values: Mapping[str, object]) -> None:
    value = values.get(member.name, MISSING)
    inner = context.key(member.name)
    if value is MISSING:
        if member.required:
            inner.error(member.text or f'"{inner.label}" is a required field.')
    elif not member.fits(value):
        inner.error(
            member.text or f'Expected "{inner.label}" to be of type {member.kind} but got {to_json_text(value)}.'
        )
    elif member.check is not None:
        member.check(inner, value)


def bindings(*members: Member, other_keys: bool = False) -> Check:
    """An array of tables, each of them one binding, with the texts that wrangler has for those."""

    def check(context: FieldContext, value: object) -> None:
        if not isinstance(value, list):
            context.error(f'The field "{context.label}" should be an array but got {to_json_text(value)}.')
            return
        for index, item in enumerate(value):
            _check_binding(context.item(index), item, members, other_keys=other_keys)

    return check


def _check_binding(context: FieldContext, value: object, members: Sequence[Member], *, other_keys: bool) -> None:
    values = as_table(value)
    if values is None:
        field = next((part for part in reversed(context.where) if isinstance(part, str)), "")
        context.error(f'"{field}" bindings should be objects, but got {to_json_text(value)}')
        return
    good = True
    for member in members:
        found = values.get(member.name, MISSING)
        if (found is MISSING and not member.required) or member.fits(found):
            continue
        good = False
        text = member.text or (
            '"{at}" bindings should have a {kind} "{name}" field but got {got}.'
            if member.required
            else '"{at}" bindings should, optionally, have a {kind} "{name}" field but got {got}.'
        )
        said = text.format(at=context.label, kind=member.kind, name=member.name, got=to_json_text(value))
        (context if found is MISSING else context.key(member.name)).error(said)
    # wrangler looks closer only where all keys have the right types.
    for member in members:
        if good and member.check is not None and member.name in values:
            member.check(context.key(member.name), values[member.name])
    if not other_keys:
        context.unexpected(values, (member.name for member in members))


def single_binding(*members: Member, other_keys: bool = False) -> Check:
    """A table that is itself one binding: `[browser] binding = "B"`."""
    inner = (Member("binding", required=True, text='binding should have a string "binding" field.'), *members)
    return table(*inner, other_keys=other_keys)


def listed(*members: Member, items: str = "bindings") -> Check:
    """A table that holds an array of bindings: `[durable_objects] bindings = [...]`."""
    check_items = bindings(*members)

    def check(context: FieldContext, value: object) -> None:
        values = as_table(value)
        if values is None:
            context.error(f'The field "{context.label}" should be an object but got {to_json_text(value)}.')
        elif items not in values:
            context.error(f'The field "{context.label}" is missing the required "{items}" property.')
        else:
            check_items(context.key(items), values[items])

    return check
