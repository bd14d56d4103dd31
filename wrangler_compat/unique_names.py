"""The names in `env` that a configuration makes, none of which may be made twice. Pure."""

from collections.abc import Mapping

from edgeworker.schema.diagnostics import Diagnostics, KeyPath
from wrangler_compat.document import ConfigFile
from wrangler_compat.fields import FIELDS


def check_unique_names(
    document: ConfigFile, values: Mapping[str, object], where: Mapping[str, KeyPath], diagnostics: Diagnostics
) -> None:
    """Two things of one worker cannot have the same name in `env`."""
    kinds: dict[str, list[tuple[str, KeyPath]]] = {}
    for item in FIELDS:
        if item.binds is None or item.name not in values:
            continue
        for name in item.names(values[item.name]):
            kinds.setdefault(name, []).append((item.binds, where[item.name]))
    found = False
    for name, used in kinds.items():
        if len(used) < 2:
            continue
        found = True
        locations = [document.locate(at) for _, at in used]
        different = list(dict.fromkeys(kind for kind, _ in used))
        if len(different) > 1:
            diagnostics.error(f"{name} assigned to {_english(different)} bindings.", *locations)
        for kind in different:
            if sum(1 for other, _ in used if other == kind) > 1:
                diagnostics.error(f"{name} assigned to multiple {kind} bindings.", *locations)
    if found:
        diagnostics.error(
            "Bindings must have unique names, so that they can all be referenced in the worker.\n"
            "Please change your bindings to have unique names."
        )


def _english(words: list[str]) -> str:
    *first, last = words
    return f"{', '.join(first)}{',' if len(first) > 1 else ''} and {last}"
