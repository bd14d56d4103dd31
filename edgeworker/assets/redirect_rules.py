"""The file `_redirects`: paths that are somewhere else. Pure.

Source: https://developers.cloudflare.com/workers/static-assets/redirects/
"""

import re
from dataclasses import dataclass, field
from typing import Final

from edgeworker.assets.patterns import fill_placeholders, rule_pattern
from edgeworker.config import HTMLHandling
from edgeworker.messages import URL, InvalidURL

MAX_STATIC_RULES: Final = 2000
MAX_DYNAMIC_RULES: Final = 100
MAX_LINE_CHARACTERS: Final = 2000
STATUSES: Final = (200, 301, 302, 303, 307, 308)
_DYNAMIC: Final = re.compile(r"\*|:[A-Za-z]\w*")
_TO_INDEX: Final = re.compile(r".*/index(.html)?")


@dataclass(frozen=True, slots=True)
class RedirectRule:
    """`status` 200 answers with what stands at `to`, in place of the path."""

    pattern: re.Pattern[str]
    to: str
    status: int


@dataclass(frozen=True, slots=True)
class Redirects:
    """`static` has the rules without `*` and `:name` that stand above all others; they are looked at first."""

    static: dict[str, RedirectRule] = field(default_factory=dict)
    dynamic: list[RedirectRule] = field(default_factory=list)

    def find(self, url: URL) -> tuple[int, str] | None:
        """(status, where to), the latter as it is written, with its placeholders filled."""
        rule = self.static.get(url.path)
        if rule is not None:
            return rule.status, rule.to
        for rule in self.dynamic:
            if (found := rule.pattern.fullmatch(url.path)) is not None:
                to = fill_placeholders(rule.to, found.groupdict()).strip()
                return rule.status, to if re.match(r"\w+://", to) else re.sub("/+", "/", to)
        return None


def location(url: URL, to: str) -> str:
    """What stands in Location: with the request's query where `to` has none, without a host where it is the same."""
    bare, hash_mark, fragment = to.partition("#")
    target = url.join(bare)
    query = target.query or url.query
    place = target.path + query + hash_mark + fragment
    return place if target.origin == url.origin else target.origin + place


def parse(text: str, html: HTMLHandling) -> tuple[Redirects, list[str]]:
    """(rules, what is wrong with the lines that are left out)."""
    redirects = Redirects()
    problems: list[str] = []
    seen: set[str] = set()
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        rule = _rule(line, html, seen)
        if isinstance(rule, str):
            problems.append(f"line {number}: {rule}")
            continue
        source, parsed = rule
        dynamic = bool(redirects.dynamic) or _DYNAMIC.search(source) is not None
        if dynamic and len(redirects.dynamic) == MAX_DYNAMIC_RULES:
            problems.append(f'line {number}: more than {MAX_DYNAMIC_RULES} rules with "*" or ":", or below such a one')
            break
        if not dynamic and len(redirects.static) == MAX_STATIC_RULES:
            problems.append(f'line {number}: more than {MAX_STATIC_RULES} rules without "*" and ":"')
            continue
        seen.add(source)
        if dynamic:
            redirects.dynamic.append(parsed)
        else:
            redirects.static[source] = parsed
    return redirects, problems


def _rule(line: str, html: HTMLHandling, seen: set[str]) -> tuple[str, RedirectRule] | str:
    """(the path, its rule), or what is wrong."""
    tokens = re.sub(r"\s+#.*", "", line).split()
    if len(line) > MAX_LINE_CHARACTERS:
        return f"longer than {MAX_LINE_CHARACTERS} characters"
    if len(tokens) not in (2, 3):
        return f'"{line}" is not "/from /to" or "/from /to status"'
    status = tokens[2] if len(tokens) == 3 else "302"
    if not status.isdecimal() or int(status) not in STATUSES:
        return f"{status} is not one of the statuses {', '.join(str(status) for status in STATUSES)}"
    if re.match(r"[A-Za-z]+://", tokens[0]):
        return f"{tokens[0]} must be a path: only its own host is redirected"
    to = tokens[1]
    absolute = to.startswith("https://")
    if not absolute and not to.startswith("/"):
        return f"{to} must begin with / or https://"
    if absolute and status == "200":
        return f"{to} must be a path, because the status is 200"
    try:
        source = URL.parse("https://path.invalid/" + tokens[0].lstrip("/")).path
    except InvalidURL:
        return f"{tokens[0]} is not a path"
    loops = source.endswith("/*") or (source.endswith("/") and html != "none")
    if not absolute and loops and _TO_INDEX.fullmatch(to):
        return f"{source} to {to} would go round in circles"
    if source in seen:
        return f"{source} has a rule already"
    pattern = rule_pattern(source)
    return f"{source} has one name twice" if pattern is None else (source, RedirectRule(pattern, to, int(status)))
