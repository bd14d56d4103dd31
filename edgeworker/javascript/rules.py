"""Which files are modules of which kind: wrangler's `rules`. Pure.

Source: wrangler 4.164, deployment-bundle/rules.ts and https://developers.cloudflare.com/workers/wrangler/bundling/
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from edgeworker.javascript.build import ModuleKind, ModuleRule

DEFAULT_RULES: Final = (
    ModuleRule("text", ("**/*.txt", "**/*.html", "**/*.sql")),
    ModuleRule("data", ("**/*.bin",)),
    ModuleRule("wasm", ("**/*.wasm", "**/*.wasm?module")),
)


def effective_rules(configured: Sequence[ModuleRule]) -> tuple[ModuleRule, ...]:
    """The configured rules, then the default ones; a later rule of a kind counts if the earlier one falls through."""
    return tuple(_select_rules((*configured, *DEFAULT_RULES)))


def _select_rules(rules: Sequence[ModuleRule]) -> Iterator[ModuleRule]:
    closed: set[ModuleKind] = set()
    for rule in rules:
        if rule.kind in closed:
            continue
        if not rule.fallthrough:
            closed.add(rule.kind)
        yield rule


def kind_of(path: str, rules: Sequence[ModuleRule]) -> ModuleKind | None:
    """`path` has "/" and starts at the root of the modules. None for a file that no rule names."""
    return next((rule.kind for rule in rules if any(_matches(path, glob) for glob in rule.globs)), None)


def _matches(path: str, glob: str) -> bool:
    return _compile(glob).fullmatch(path) is not None


def _compile(glob: str) -> re.Pattern[str]:
    """`**/` is any folders or none, `*` anything but "/", `?` is itself (wrangler's `.wasm?module`)."""
    pattern = ""
    for part in re.split(r"(\*\*/|\*\*|\*)", glob):
        pattern += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}.get(part, re.escape(part))
    return re.compile(pattern)


def extensions_of(rules: Sequence[ModuleRule]) -> dict[str, ModuleKind]:
    """For a bundler that tells kinds by ending: `{".txt": "text"}`, from globs that end in `*.ext`. The first wins."""
    extensions: dict[str, ModuleKind] = {}
    for rule in rules:
        for glob in rule.globs:
            if found := re.search(r"\*(\.[\w.-]+)$", glob):
                extensions.setdefault(found[1], rule.kind)
    return extensions
