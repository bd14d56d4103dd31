"""Edges in tests: `from edgeworker.testing import Edge`, and the fixtures of the pytest plugin beside it.

Names are imported when they are first used: pytest loads this package in every project that has edgeworker installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from edgeworker.harness.calls import Exchange, Reply
    from edgeworker.harness.clock import MovableClock
    from edgeworker.harness.faults import Faults
    from edgeworker.harness.forged import BAD_CLAIMS, BAD_FORMS, BAD_SIGNATURES, BAD_TIMES, BAD_TOKENS
    from edgeworker.harness.issuer import Issuer, Token
    from edgeworker.harness.kv_access import KVAccess
    from edgeworker.harness.log_lines import LogLine
    from edgeworker.harness.origin import Origin
    from edgeworker.harness.origin_rules import OriginRequest, Rule
    from edgeworker.harness.server_issuer import ServerIssuer, signing_keys
    from edgeworker.messages import Headers, Response
    from edgeworker.testing.edge import Edge
    from edgeworker.testing.single import KVByName, single_worker

_PLACES: Final = {
    "BAD_CLAIMS": "edgeworker.harness.forged",
    "BAD_FORMS": "edgeworker.harness.forged",
    "BAD_SIGNATURES": "edgeworker.harness.forged",
    "BAD_TIMES": "edgeworker.harness.forged",
    "BAD_TOKENS": "edgeworker.harness.forged",
    "Edge": "edgeworker.testing.edge",
    "Exchange": "edgeworker.harness.calls",
    "Faults": "edgeworker.harness.faults",
    "Headers": "edgeworker.messages",
    "Issuer": "edgeworker.harness.issuer",
    "KVAccess": "edgeworker.harness.kv_access",
    "KVByName": "edgeworker.testing.single",
    "LogLine": "edgeworker.harness.log_lines",
    "MovableClock": "edgeworker.harness.clock",
    "Origin": "edgeworker.harness.origin",
    "OriginRequest": "edgeworker.harness.origin_rules",
    "Reply": "edgeworker.harness.calls",
    "Response": "edgeworker.messages",
    "Rule": "edgeworker.harness.origin_rules",
    "ServerIssuer": "edgeworker.harness.server_issuer",
    "Token": "edgeworker.harness.issuer",
    "signing_keys": "edgeworker.harness.server_issuer",
    "single_worker": "edgeworker.testing.single",
}

__all__ = [
    "BAD_CLAIMS",
    "BAD_FORMS",
    "BAD_SIGNATURES",
    "BAD_TIMES",
    "BAD_TOKENS",
    "Edge",
    "Exchange",
    "Faults",
    "Headers",
    "Issuer",
    "KVAccess",
    "KVByName",
    "LogLine",
    "MovableClock",
    "Origin",
    "OriginRequest",
    "Reply",
    "Response",
    "Rule",
    "ServerIssuer",
    "Token",
    "signing_keys",
    "single_worker",
]


def __getattr__(name: str) -> object:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(place), name)
    return found
