"""Edges in tests: `from edgeworker.testing import Edge`, and the fixtures of the pytest plugin beside it.

Names are imported when they are first used: pytest loads this package in every project that has edgeworker installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from edgeworker.messages import Headers, Response
    from edgeworker.testing.calls import RecordedCall, Reply
    from edgeworker.testing.clock import MovableClock
    from edgeworker.testing.edge import Edge
    from edgeworker.testing.faults import FaultInjection
    from edgeworker.testing.forged import BAD_CLAIMS, BAD_FORMS, BAD_SIGNATURES, BAD_TIMES, BAD_TOKENS
    from edgeworker.testing.issuer import IssuedToken, TokenIssuer
    from edgeworker.testing.kv_access import KVAccess
    from edgeworker.testing.log_lines import LogLine
    from edgeworker.testing.origin import Origin
    from edgeworker.testing.origin_rules import OriginRequest, Rule
    from edgeworker.testing.server_issuer import OAuthServerIssuer, signing_keys
    from edgeworker.testing.single import KVByName, single_worker

_PLACES: Final = {
    "BAD_CLAIMS": "edgeworker.testing.forged",
    "BAD_FORMS": "edgeworker.testing.forged",
    "BAD_SIGNATURES": "edgeworker.testing.forged",
    "BAD_TIMES": "edgeworker.testing.forged",
    "BAD_TOKENS": "edgeworker.testing.forged",
    "Edge": "edgeworker.testing.edge",
    "RecordedCall": "edgeworker.testing.calls",
    "FaultInjection": "edgeworker.testing.faults",
    "Headers": "edgeworker.messages",
    "TokenIssuer": "edgeworker.testing.issuer",
    "KVAccess": "edgeworker.testing.kv_access",
    "KVByName": "edgeworker.testing.single",
    "LogLine": "edgeworker.testing.log_lines",
    "MovableClock": "edgeworker.testing.clock",
    "Origin": "edgeworker.testing.origin",
    "OriginRequest": "edgeworker.testing.origin_rules",
    "Reply": "edgeworker.testing.calls",
    "Response": "edgeworker.messages",
    "Rule": "edgeworker.testing.origin_rules",
    "OAuthServerIssuer": "edgeworker.testing.server_issuer",
    "IssuedToken": "edgeworker.testing.issuer",
    "signing_keys": "edgeworker.testing.server_issuer",
    "single_worker": "edgeworker.testing.single",
}

__all__ = [
    "BAD_CLAIMS",
    "BAD_FORMS",
    "BAD_SIGNATURES",
    "BAD_TIMES",
    "BAD_TOKENS",
    "Edge",
    "FaultInjection",
    "Headers",
    "IssuedToken",
    "KVAccess",
    "KVByName",
    "LogLine",
    "MovableClock",
    "OAuthServerIssuer",
    "Origin",
    "OriginRequest",
    "RecordedCall",
    "Reply",
    "Response",
    "Rule",
    "TokenIssuer",
    "signing_keys",
    "single_worker",
]


# What names were before, for tests that were written then.
_FORMER: Final = {
    "Exchange": "RecordedCall",
    "Faults": "FaultInjection",
    "Issuer": "TokenIssuer",
    "ServerIssuer": "OAuthServerIssuer",
    "Token": "IssuedToken",
}


if not TYPE_CHECKING:  # a type checker has the names above, and tells those that are misspelt

    def __getattr__(name: str) -> object:
        name = _FORMER.get(name, name)
        place = _PLACES.get(name)
        if place is None:
            from edgeworker.suggestions import did_you_mean

            raise AttributeError(f"module {__name__!r} has no attribute {name!r}.{did_you_mean(name, _PLACES)}")
        found: object = getattr(import_module(place), name)
        return found
