"""Checks the tokens of a request for every configuration of its zone, and remembers what was found. No I/O.

What is remembered of a token holds for one `SourceGroup`, which a changed configuration replaces, and within the times
between which no `exp` or `nbf` changes the answer.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from edgeworker.expressions import TokenFact
from edgeworker.expressions.request_fields import cookies_of
from edgeworker.messages import Request, VerifiedToken
from edgeworker.products.api_shield.compiled import CompiledShield, SourceGroup
from edgeworker.products.api_shield.json_text import InvalidText
from edgeworker.products.api_shield.token_sources import FoundToken, find_token
from edgeworker.products.api_shield.verification import SKEW_SECONDS, Result, ValidSignature, parse_token, verify_token
from edgeworker.products.remembered import RememberedByToken

MAX_TOKENS: Final = 20_000
MAX_BYTES: Final = 64 * 1024 * 1024
_BYTES_PER_CLAIM_BYTE: Final = 6  # what parsed claims take, about
_SHOWN_CLAIMS: Final = ("iss", "sub", "jti")
_MAX_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class TokenFinding:
    """What one configuration found, as an event tells it: never the token. `detail` says more of a malformed one."""

    configuration_id: str
    result: Result
    source: str = ""
    kid: str | None = None
    alg: str | None = None
    claims: Mapping[str, str] = field(default_factory=dict)
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CheckedTokens:
    """`facts` and `checks` have the configurations that found a token."""

    facts: Mapping[str, TokenFact]
    checks: Mapping[str, TokenFinding]
    verified: tuple[VerifiedToken, ...]


NO_TOKENS: Final = CheckedTokens({}, {}, ())


@dataclass(frozen=True, slots=True)
class _RememberedCheck:
    """What holds for a token from `valid_from` until `valid_until` (epoch seconds)."""

    group: SourceGroup
    tokens: CheckedTokens
    valid_from: float
    valid_until: float


class TokenChecker:
    """For all zones of a process."""

    def __init__(self) -> None:
        self._remembered: RememberedByToken[_RememberedCheck] = RememberedByToken(
            max_entries=MAX_TOKENS, max_bytes=MAX_BYTES
        )

    def check(self, shield: CompiledShield, request: Request, *, now: float) -> CheckedTokens:
        """Only groups that one of the request's fields concerns cost anything."""
        headers: dict[str, list[bytes]] = {}
        cookies: Mapping[str, Sequence[bytes]] = {}
        concerned: set[int] = set()
        for raw_name, value in request.headers.raw:
            name = raw_name.lower()
            numbers = shield.groups_of_header.get(name)
            if numbers is not None:
                headers.setdefault(name.decode("latin-1"), []).append(value)
                concerned.update(numbers)
            if name == b"cookie" and shield.groups_of_cookie and not cookies:
                cookies = cookies_of(request)
                for cookie in shield.groups_of_cookie.keys() & cookies.keys():
                    concerned.update(shield.groups_of_cookie[cookie])
        parts = []
        for number in sorted(concerned):
            group = shield.groups[number]
            found = find_token(group.sources, headers, cookies)
            if found is not None:
                parts.append(self._check_group(group, found, now))
        if not parts:
            return NO_TOKENS
        if len(parts) == 1:
            return parts[0]
        return CheckedTokens(
            {key: fact for part in parts for key, fact in part.facts.items()},
            {key: check for part in parts for key, check in part.checks.items()},
            tuple(token for part in parts for token in part.verified),
        )

    def _check_group(self, group: SourceGroup, found: FoundToken, now: float) -> CheckedTokens:
        name = b"%d:%d:%s" % (group.number, found.number, found.text.encode("latin-1"))
        known = self._remembered.find(name)
        if known is not None and known.group is group and known.valid_from <= now <= known.valid_until:
            return known.tokens
        known = check_token(group, found, now)
        if known.tokens.verified:
            claims = sum(len(fact.claims_json) for fact in known.tokens.facts.values())
            self._remembered.remember(name, known, size=len(name) + claims * _BYTES_PER_CLAIM_BYTE)
        return known.tokens


def check_token(group: SourceGroup, found: FoundToken, now: float) -> _RememberedCheck:
    """Each configuration's answer on one token."""
    source = found.source.expression
    try:
        token = parse_token(found.text)
    except InvalidText as error:
        results: dict[str, Result] = {member.id: "malformed" for member in group.configurations}
        return _remember_check(
            group, {}, {key: TokenFinding(key, result, source, detail=str(error)) for key, result in results.items()}
        )
    kid, alg = _shorten(token.kid), _shorten(token.alg)
    verified: dict[str, ValidSignature] = {}
    checks: dict[str, TokenFinding] = {}
    moments = [-math.inf, math.inf]
    for member in group.configurations:
        outcome = verify_token(token, member.keys, require_exp=member.require_exp)
        claims: Mapping[str, str] = {}
        if isinstance(outcome, ValidSignature):
            result = outcome.result_at(now)
            claims = {
                name: value[:_MAX_SHOWN] for name in _SHOWN_CLAIMS if isinstance(value := outcome.claims.get(name), str)
            }
            moments = [max(moments[0], _begin(outcome, now)), min(moments[1], _end(outcome, now))]
            if result == "valid":
                verified[member.id] = outcome
        else:
            result = outcome
        checks[member.id] = TokenFinding(member.id, result, source, kid, alg, claims)
    return _remember_check(group, verified, checks, moments)


def _begin(token: ValidSignature, now: float) -> float:
    """Since when the answer of now has been the same."""
    moments = [-math.inf]
    if token.not_before is not None:
        moments.append(token.not_before - SKEW_SECONDS)
    if token.expires_at is not None and now > token.expires_at + SKEW_SECONDS:
        moments.append(now)
    return max(moment for moment in moments if moment <= now)


def _end(token: ValidSignature, now: float) -> float:
    moments = [math.inf]
    if token.expires_at is not None:
        moments.append(token.expires_at + SKEW_SECONDS)
    if token.not_before is not None and now < token.not_before - SKEW_SECONDS:
        moments.append(now)
    return min(moment for moment in moments if moment >= now)


def _remember_check(
    group: SourceGroup,
    verified: Mapping[str, ValidSignature],
    checks: Mapping[str, TokenFinding],
    moments: Sequence[float] = (-math.inf, math.inf),
) -> _RememberedCheck:
    facts = {
        key: TokenFact(True, True, token.claims, token.claims_json)
        if (token := verified.get(key)) is not None
        else TokenFact(True, False)
        for key in checks
    }
    tokens = tuple(VerifiedToken(key, token.claims) for key, token in verified.items())
    return _RememberedCheck(group, CheckedTokens(facts, checks, tokens), moments[0], moments[1])


def _shorten(text: str | None) -> str | None:
    return None if text is None else text[:_MAX_SHOWN]
