"""What of Cloudflare's products in front of a zone is here, and in which way it differs. Pure.

COMPATIBILITY.md is written from this table.
"""

from typing import Final

from edgeworker.features import Feature, Support

SUPPORT: Final[dict[Support, str]] = {
    "emulated": "as there",
    "approximated": "works, with the difference that the note tells",
    "refused": "is refused with a text that says so",
}

_SHIELD: Final = "API Shield"
_RULES: Final = "Rules language"

FEATURES: Final = (
    Feature(
        _SHIELD,
        ("operations", "token configurations", "token validation rules", "JWT claims in rules"),
        "emulated",
        "a zone has it once `[zones.api_shield]` is in edge.toml; without that the REST API answers 10403",
    ),
    Feature(
        _SHIELD,
        ("RS256 to RS512", "PS256 to PS512", "ES256", "ES384", "HS256 to HS512"),
        "emulated",
        "60 s of skew; tokens that two parsers could read in two ways are refused; an unexpired token passes again, as "
        "there",
    ),
    Feature(
        _SHIELD,
        ("tokens in a body", "requests of no operation"),
        "emulated",
        "validation rules do not look at them; custom rules look at every request but those below `/cdn-cgi/`",
    ),
    Feature(
        _SHIELD,
        ("order",),
        "emulated",
        "validation rules, custom rules, rate limits, header transforms; in each those of edge.toml come first",
    ),
    Feature(
        _SHIELD,
        ("position.index of rules",),
        "approximated",
        "counts from 1, which is not documented",
    ),
    Feature(
        _SHIELD,
        ("custom rules", "header transforms from claims", "rate limits by client network, token or claim"),
        "approximated",
        "in edge.toml, not over the REST API; actions are log and block; all processes count together; a request "
        "without the claim counts in one bucket with all such, as there",
    ),
    Feature(
        _SHIELD,
        ("challenge", "require_exp"),
        "approximated",
        "switches of ours, off by default: 401 with WWW-Authenticate (RFC 6750) instead of 403; a token needs `exp`",
    ),
    Feature(
        _SHIELD,
        ("discovery",),
        "approximated",
        "`edgeworker shield discover` reads the log of `dev --json`; `shield import` reads an OpenAPI document",
    ),
    Feature(
        _SHIELD, ("schema validation", "mTLS", "sequences", "labels"), "refused", "there are no endpoints for them"
    ),
    Feature(
        _RULES,
        ("syntax", "types", "operators", "functions"),
        "emulated",
        "accepted and refused as by Cloudflare's engine, with the same column; a value that is missing makes every "
        "comparison false, `ne` too",
    ),
    Feature(
        _RULES,
        ("fields", "functions"),
        "refused",
        "those whose values nothing here knows: scores of bots and attacks, bodies, answers, lists of an account",
    ),
    Feature(_RULES, ("matches",), "approximated", "linear in the text; `(?u)` and Unicode classes by name are refused"),
)
