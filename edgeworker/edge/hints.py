"""Hints for a person whose request nothing takes: the nearest patterns and what to configure. Pure."""

from difflib import get_close_matches

from edgeworker.config import Config, Zone
from edgeworker.messages import URL

_MOST_PATTERNS = 3


def hints_for(url: URL, config: Config, zone: Zone | None) -> list[str]:
    """Whole sentences, most useful first."""
    hints = []
    patterns = nearest_patterns(url, config)
    if patterns:
        hints.append("The nearest routes are: " + ", ".join(patterns) + ".")
    elif not config.routes:
        hints.append("No routes are configured.")
    if zone is None:
        hints.append(
            "Give an origin for every host with --origin URL, or a [[zones]] table with an origin in edge.toml."
        )
    else:
        hints.append(
            f'Give zone "{zone.name}" an origin in edge.toml ([[zones]] origin = "http://..."), or use --origin URL.'
        )
    hints.append(f"See why: edgeworker routes {url.origin}{url.path}")
    return hints


def nearest_patterns(url: URL, config: Config) -> list[str]:
    """Up to three patterns that look most like the URL: those of its host first, then what reads alike."""
    wanted = f"{url.hostname}{url.path}"
    patterns = list(dict.fromkeys(route.pattern for route in config.routes))
    same_host = [pattern for pattern in patterns if url.hostname in pattern.lower()]
    alike = get_close_matches(wanted, patterns, n=_MOST_PATTERNS, cutoff=0.5)
    return list(dict.fromkeys([*same_host, *alike]))[:_MOST_PATTERNS]
