"""One route pattern: what it may say, which URLs it matches, how specific it is. Pure.

    pattern := [ scheme "://" ] host [ path ]
    scheme  := http | https        both, if absent
    host    := [ "*" ] name        "*" alone is every host
    path    := "/" text [ "*" ]    "/" if absent

`*` stands for any characters, none included. Sources:
https://developers.cloudflare.com/workers/configuration/routing/routes/ for the grammar and what is refused;
miniflare's `parseRoutes` for normalisation and specificity, recorded in tests/conformance/cases/routes.json.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

import ada_url

from edgeworker.errors import ConfigError
from edgeworker.messages import URL, canonical_path
from edgeworker.messages.hosts import canonical_host, is_address

Scheme = Literal["http", "https"]
Mismatch = Literal["scheme", "host", "path", "query"]
Identity = tuple[Scheme | None, bool, str, str, bool]

_SCHEMES: Final[dict[str, Scheme]] = {"http": "http", "https": "https"}
_PARTS: Final = re.compile(r"(?:([A-Za-z0-9+.-]+)://)?([^/\\?#]*)([^?#]*)(\?[^#]*)?(#.*)?")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")

# One label counts for more than 25 pieces of a path, so that the host decides first.
_LABEL_WEIGHT: Final = 26


@dataclass(frozen=True, slots=True)
class Pattern:
    """`parse_pattern` makes these.

    `host` is the whole host, or with `any_prefix` what it must end in: ".example.com" for `*.example.com`,
    "example.com" for `*example.com`, "" for `*`. `path` is the whole path with query, or with `any_path` what it must
    begin with. Both are in WHATWG's canonical form, as the parts of a URL are.
    """

    text: str
    scheme: Scheme | None
    any_prefix: bool
    host: str
    path: str
    any_path: bool
    host_score: int
    path_score: int

    @property
    def specificity(self) -> int:
        """The bigger one wins."""
        return self.host_score * _LABEL_WEIGHT + self.path_score

    @property
    def rank(self) -> tuple[int, bool, int]:
        """Sorts the winner first: specificity, then no wildcard in the host, then the longer text.

        miniflare knows nothing of the middle rule: it lets `*example.com/*` win over `example.com/*`, because its text
        is longer. Cloudflare documents only that the most specific pattern wins.
        """
        return (-self.specificity, self.any_prefix, -len(self.text))

    @property
    def matched_path(self) -> str:
        """`path` as the canonical path of a URL is compared with it: "/%2f" and "/%2F" are one, "/%61" is "/a"."""
        return canonical_path(self.path)

    @property
    def identity(self) -> Identity:
        """Equal for patterns that match the same URLs by the same rule, however they are written."""
        return (self.scheme, self.any_prefix, self.host, self.matched_path, self.any_path)

    def mismatch(self, url: URL) -> Mismatch | None:
        """The first part of `url` that this pattern does not match, or None if it matches.

        A port is ignored. "query": the path alone would match, but this pattern matches no query.
        """
        if self.scheme is not None and self.scheme != url.scheme:
            return "scheme"
        host = url.hostname.removesuffix(".")
        if not (host.endswith(self.host) if self.any_prefix else host == self.host):
            return "host"
        path, wanted = canonical_path(url.path), self.matched_path
        target = path + url.query
        if target.startswith(wanted) if self.any_path else target == wanted:
            return None
        return "query" if path == wanted else "path"


def parse_pattern(text: str, source: str = "") -> Pattern:
    """`source` says where the text was written, for the error.

    Raises:
        ConfigError: Cloudflare refuses it (code 10022), or it could not mean anything.
    """
    try:
        return _parse(text)
    except ConfigError as error:
        shown = text if text.isprintable() else ascii(text)[1:-1]
        where = f"{source}: " if source else ""
        raise ConfigError(f'{where}Invalid route pattern "{shown}": {error}') from error


def _parse(text: str) -> Pattern:
    if not text:
        raise ConfigError('it is empty; write a host and a path, such as "example.com/*"')
    if text != text.strip() or _CONTROL.search(text):
        raise ConfigError("it begins or ends with a space, or contains a control character; leave that out")
    parts = _PARTS.fullmatch(text)
    assert parts is not None, "the expression matches any text without a line break"
    scheme, host, path, query, fragment = parts.groups()
    if scheme is not None and scheme.lower() not in _SCHEMES:
        raise ConfigError(f'a route is for "http://", "https://" or, without either, both; not for "{scheme}://"')
    if not host:
        raise ConfigError(f'there is no host in front of the path; write "example.com{path or "/*"}"')
    if query is not None:
        raise ConfigError(
            f'it must not contain a query string; leave out "{query}" (a path that ends in "*" takes any)'
        )
    if fragment is not None:
        raise ConfigError(f'it must not contain a fragment; leave out "{fragment}" (clients never send one)')
    any_prefix, canonical, host_score = _parse_host(host)
    canonical_path, any_path, path_score = _parse_path(text, path or "/")
    return Pattern(
        text,
        None if scheme is None else _SCHEMES[scheme.lower()],
        any_prefix,
        canonical,
        canonical_path,
        any_path,
        host_score,
        path_score,
    )


def _parse_host(host: str) -> tuple[bool, str, int]:
    """(any_prefix, host without the wildcard, score)."""
    if "@" in host:
        raise ConfigError(f'it must not contain a user; leave out "{host[: host.rindex("@") + 1]}"')
    any_prefix = host.startswith("*")
    name = host[1:] if any_prefix else host
    if any_prefix and not name:
        return True, "", -1
    if "*" in name:
        raise ConfigError("a wildcard (*) may only be the first character of the host, and the last of the path")
    below = any_prefix and name.startswith(".")
    canonical = canonical_host(name[1:] if below else name)
    if any_prefix and is_address(canonical):
        raise ConfigError(f'an address has no names below it; write "{canonical}" without the wildcard, or a name')
    labels = canonical.count(".") + 1
    # The formula counts "*" as a label of its own only where it is all of one, and then takes two off for it.
    return any_prefix, f".{canonical}" if below else canonical, labels - 1 if below else labels


def _parse_path(text: str, path: str) -> tuple[str, bool, int]:
    """(path without the wildcard, any_path, score)."""
    first = path.find("*")
    if first not in (-1, len(path) - 1):
        until_first = text[: text.index("*", len(text) - len(path)) + 1]
        raise ConfigError(f'a wildcard (*) may only be the last character of the path; write "{until_first}"')
    canonical = _canonical_path(path)
    pieces = canonical.split("/")
    score = len(pieces) - 2 if pieces[-1] == "*" else len(pieces)
    if first == -1:
        return canonical, False, score
    # Twice, as miniflare does it: a "." or ".." that the wildcard had made part of a longer name is resolved now.
    return _canonical_path(canonical[:-1]), True, score


def _canonical_path(path: str) -> str:
    try:
        canonical: str = ada_url.URL(f"https://host{path}").pathname
    except ValueError as error:
        raise ConfigError("its path cannot be understood: it is not Unicode text") from error
    return canonical
