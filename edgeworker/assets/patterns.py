"""The patterns of `_headers`, `_redirects` and `run_worker_first`. Pure.

Source: https://developers.cloudflare.com/workers/static-assets/headers/ and .../redirects/
"""

import re
from typing import Final

_PLACEHOLDER: Final = re.compile(r":([A-Za-z]\w*)")


def rule_pattern(rule: str) -> re.Pattern[str] | None:
    """`*` is anything and is called splat, `:name` one segment (in a host: one label). None for an invalid pattern,
    such as one with a name twice.
    """
    host, path = "", rule
    if rule.startswith("https://"):
        name, slash, rest = rule.removeprefix("https://").partition("/")
        host, path = _compile_pattern(name, "[^/.]+"), slash + rest
        host = re.escape("https://") + host
    try:
        return re.compile(host + _compile_pattern(path, "[^/]+"))
    except re.error:
        return None


def _compile_pattern(text: str, placeholder: str) -> str:
    pieces, place = [], 0
    for found in re.finditer(r"\*|:([A-Za-z]\w*)", text):
        pieces.append(re.escape(text[place : found.start()]))
        pieces.append("(?P<splat>.*)" if found[1] is None else f"(?P<{found[1]}>{placeholder})")
        place = found.end()
    pieces.append(re.escape(text[place:]))
    return "".join(pieces)


def fill_placeholders(text: str, values: dict[str, str]) -> str:
    """`text` with each `:name` replaced that has a value."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def glob_pattern(rule: str) -> re.Pattern[str]:
    """`*` is anything; everything else is itself."""
    return re.compile(".*".join(re.escape(part) for part in rule.split("*")))
