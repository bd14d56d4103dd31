"""The file `_headers`: fields that are added to or taken from what is served. Pure.

Source: https://developers.cloudflare.com/workers/static-assets/headers/
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from edgeworker.assets.patterns import fill_placeholders, rule_pattern
from edgeworker.messages import URL, Headers

MAX_RULES: Final = 100
MAX_LINE_CHARACTERS: Final = 2000
_STARTS_A_RULE: Final = re.compile(r"[^\s]+://|/")


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """`pattern` is matched against the path, or with `whole_host` against "https://host/path"."""

    pattern: re.Pattern[str]
    whole_host: bool
    added: dict[str, str] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)


def parse(text: str) -> tuple[list[HeaderRule], list[str]]:
    """(rules, what is wrong with the lines that are left out)."""
    rules: list[HeaderRule] = []
    problems: list[str] = []
    rule: HeaderRule | None = None
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if len(line) > MAX_LINE_CHARACTERS:
            problems.append(f"line {number}: longer than {MAX_LINE_CHARACTERS} characters")
        elif _STARTS_A_RULE.match(line):
            if len(rules) == MAX_RULES:
                problems.append(f"line {number}: more than {MAX_RULES} rules")
                break
            rule = _rule(line)
            if rule is None:
                problems.append(f'line {number}: "{line}" is neither a path nor an https URL with one "*" at most')
            else:
                rules.append(rule)
        elif rule is not None:
            if (problem := _field(rule, line)) is not None:
                problems.append(f"line {number}: {problem}")
        elif not problems:
            problems.append(f'line {number}: a path must come before "{line}"')
    return [rule for rule in rules if rule.added or rule.removed], problems


def _rule(line: str) -> HeaderRule | None:
    whole_host = line.startswith("https://")
    if not (whole_host or line.startswith("/")) or line.count("*") > 1 or ("*" in line and ":splat" in line):
        return None
    if whole_host and re.match(r"https://[^/]*:\d+(/|$)", line):
        return None
    pattern = rule_pattern(line if not whole_host or "/" in line[8:] else f"{line}/")
    return None if pattern is None else HeaderRule(pattern, whole_host)


def _field(rule: HeaderRule, line: str) -> str | None:
    """Adds it to the rule, or says what is wrong."""
    name, colon, value = line.partition(":")
    name, value = name.strip().lower(), value.strip()
    if not colon:
        if not line.startswith("! "):
            return f'"{line}" is neither "name: value" nor "! name"'
        removed = line.removeprefix("! ").strip()
        if not _can_be_sent(removed, ""):
            return f'"{line}" does not name a header'
        rule.removed.append(removed)
        return None
    if not name or " " in name or not value:
        return f'"{line}" is not "name: value"'
    if not _can_be_sent(name, value):
        return f"{line!r} holds characters that a header cannot have"
    rule.added[name] = f"{rule.added[name]}, {value}" if name in rule.added else value
    return None


def _can_be_sent(name: str, value: str) -> bool:
    try:
        Headers().set(name, value)
    except TypeError:
        return False
    return True


def apply(rules: Iterable[HeaderRule], url: URL, headers: Headers) -> None:
    """The rules that match, in order: a field that several of them add has all their values."""
    added: set[str] = set()
    for rule in rules:
        found = rule.pattern.fullmatch(f"https://{url.hostname}{url.path}" if rule.whole_host else url.path)
        if found is None:
            continue
        for name in rule.removed:
            headers.delete(name)
        for name, value in rule.added.items():
            text = fill_placeholders(value, found.groupdict())
            if name in added:
                headers.append(name, text)
            else:
                headers.set(name, text)
                added.add(name)
