"""Says which application and which policy decide about a request, and why. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from edgeworker.products.access.answers import (
    AnswerPreflight,
    PassPreflight,
    RedirectTo,
    RedirectToLogin,
    Refuse,
    RequestKind,
    choose_answer,
)
from edgeworker.products.access.config import Policy
from edgeworker.products.access.json_object import JSONObject
from edgeworker.products.access.matching import Match
from edgeworker.products.access.policy import (
    Bypassed,
    Decision,
    Holds,
    IdentityAllowed,
    LoginNeeded,
    PolicyDenied,
    RuleContext,
    ServiceAllowed,
    ServiceAuthNeeded,
    Visitor,
    decide,
    flat,
    holds,
    policies_of,
    rule_holds,
)
from edgeworker.products.access.rules import CHECKED_ON_EACH_REQUEST, Rule, rule_json

_WORDS = {True: "holds", False: "does not hold", None: "uncertain"}


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """`part` is include, require or exclude; `when` says when it is asked."""

    part: str
    rule: str
    verdict: Holds
    when: str

    @property
    def text(self) -> str:
        return f"{self.part} {self.rule}: {_WORDS[self.verdict]} (asked {self.when})"


@dataclass(frozen=True, slots=True)
class PolicyVerdict:
    policy: Policy
    verdict: Holds
    rules: tuple[RuleVerdict, ...]
    decides: bool

    @property
    def text(self) -> str:
        decides = ", and decides" if self.decides else ""
        return f'{self.policy.decision} "{self.policy.name}" {_WORDS[self.verdict]}{decides}'

    def evidence(self) -> Iterator[str]:
        """Without the values of its rules, which may name people."""
        yield self.text
        for rule in self.rules:
            yield f"{rule.part} {rule.rule.partition(' ')[0]}: {_WORDS[rule.verdict]}"


@dataclass(frozen=True, slots=True)
class AccessExplanation:
    """`match` None: no application covers the URL. `policies` are in the order in which they are asked."""

    match: Match | None
    decision: Decision | None
    policies: tuple[PolicyVerdict, ...] = ()
    answer: str = ""

    def lines(self) -> Iterator[str]:
        if self.match is None:
            yield "No application covers this URL: the request passes without Access."
            return
        application = self.match.application
        written = f" ({application.source})" if application.source else ""
        yield f'Application "{application.name}" by "{self.match.uri}"{written}, AUD {application.aud}'
        for policy in self.policies:
            yield f"  {policy.text}"
            for rule in policy.rules:
                yield f"    {rule.text}"
        yield f"Answer: {self.answer}"


def explain(match: Match | None, visitor: Visitor, context: RuleContext, kind: RequestKind) -> AccessExplanation:
    if match is None:
        return AccessExplanation(None, None)
    application = match.application
    decision = decide(application, visitor, context)
    deciding = _find_deciding_policy(decision)
    policies = policies_of(application)
    early = [policy for policy in policies if policy.decision in ("bypass", "non_identity")]
    late = [policy for policy in policies if policy.decision not in ("bypass", "non_identity")]
    verdicts = tuple(
        PolicyVerdict(
            policy, holds(policy, visitor, context), tuple(_explain_rules(policy, visitor, context)), policy is deciding
        )
        for policy in (*early, *late)
    )
    return AccessExplanation(match, decision, verdicts, _describe_answer(decision, match, kind))


def _find_deciding_policy(decision: Decision) -> Policy | None:
    match decision:
        case Bypassed(policy) | ServiceAllowed(policy) | IdentityAllowed(policy) | PolicyDenied(policy):
            return policy
        case LoginNeeded() | ServiceAuthNeeded():
            return None


def _explain_rules(policy: Policy, visitor: Visitor, context: RuleContext) -> Iterator[RuleVerdict]:
    for part, rules in (("include", policy.include), ("require", policy.require), ("exclude", policy.exclude)):
        for rule in rules:
            yield RuleVerdict(
                part, _format_rule(rule), rule_holds(rule, visitor, context), _describe_when(rule, context)
            )


def _format_rule(rule: Rule) -> str:
    ((kind, members),) = rule_json(rule).items()
    return kind if members == {} else f"{kind} {JSONObject.text_of(members)}"


def _describe_when(rule: Rule, context: RuleContext) -> str:
    again = any(isinstance(part, CHECKED_ON_EACH_REQUEST) for part in flat((rule,), context))
    return "at each request" if again else "at login"


def _describe_answer(decision: Decision, match: Match, kind: RequestKind) -> str:
    match decision:
        case Bypassed():
            return "passes without a token: the policy bypasses Access"
        case ServiceAllowed():
            return "passes with a token for a service"
        case IdentityAllowed():
            return "passes once this person is logged in"
        case LoginNeeded() | ServiceAuthNeeded() | PolicyDenied():
            return _describe_refusal(decision, match, kind)


def _describe_refusal(decision: LoginNeeded | ServiceAuthNeeded | PolicyDenied, match: Match, kind: RequestKind) -> str:
    why = {
        LoginNeeded: "no one is logged in",
        ServiceAuthNeeded: "no policy allows anyone who logs in, and no service token is valid",
        PolicyDenied: "a Deny policy holds, or none that allows",
    }[type(decision)]
    match choose_answer(decision, kind, match.application):
        case RedirectToLogin():
            return f"302 to the login: {why}"
        case RedirectTo(url):
            return f"302 to {url}: {why}"
        case Refuse(status):
            return f"{status}: {why}"
        case AnswerPreflight():
            return "204 by the application's cors_headers"
        case PassPreflight():
            return "passes to the origin: options_preflight_bypass"
