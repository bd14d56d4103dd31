"""Which worker a URL runs: route patterns, tables of them, and what comes after routes. Pure."""

from edgeworker.messages.hosts import canonical_host, is_loopback
from edgeworker.routing.ambiguous_paths import alternative_paths
from edgeworker.routing.origin_timeouts import origin_timeouts_of
from edgeworker.routing.origin_tls import origin_tls_of
from edgeworker.routing.pattern import Mismatch, Pattern, parse_pattern
from edgeworker.routing.resolver import Explanation, ExplanationStep, Resolution, Resolver, RunWorker, ToOrigin
from edgeworker.routing.served import ServedHosts, served_names
from edgeworker.routing.table import LostTo, NoMatch, RouteTable, Verdict, Won
from edgeworker.routing.zones import Zones, origin_of

__all__ = [
    "Explanation",
    "ExplanationStep",
    "LostTo",
    "Mismatch",
    "NoMatch",
    "Pattern",
    "Resolution",
    "Resolver",
    "RouteTable",
    "RunWorker",
    "ServedHosts",
    "ToOrigin",
    "Verdict",
    "Won",
    "Zones",
    "alternative_paths",
    "canonical_host",
    "is_loopback",
    "origin_of",
    "origin_timeouts_of",
    "origin_tls_of",
    "parse_pattern",
    "served_names",
]
