"""What an application's policies say about a visitor. Pure.

Bypass and Service Auth policies come first, in their order, then Allow and Deny in theirs; the first that holds
decides, and if none holds the visitor is denied. A rule that cannot be evaluated here makes its policy uncertain: an
uncertain policy allows no one, and an uncertain Deny denies.

Source: https://developers.cloudflare.com/cloudflare-one/access-controls/policies/
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from edgeworker.config import JSON
from edgeworker.products.access.config import AccessGroup, Application, Policy, RuleList
from edgeworker.products.access.rules import (
    CHECKED_ON_EACH_REQUEST,
    AnyServiceTokenRule,
    AuthMethodRule,
    CertificateRule,
    CommonNameRule,
    CountryRule,
    EmailDomainRule,
    EmailListRule,
    EmailRule,
    EveryoneRule,
    GroupRule,
    IPListRule,
    IPRule,
    LinkedAppTokenRule,
    LoginMethodRule,
    OIDCClaimRule,
    ProviderGroupRule,
    Rule,
    SAMLAttributeRule,
    ServiceTokenRule,
    UnsupportedRule,
)

_MAX_GROUP_DEPTH: Final = 16
Holds = bool | None  # None: uncertain


@dataclass(frozen=True, slots=True)
class Identity:
    """Who logged in, as it was known at login. `oidc_fields` and `saml_attributes` are what the provider said."""

    email: str
    user_uuid: str
    provider_id: str
    provider_type: str
    name: str = ""
    groups: tuple[JSON, ...] = ()
    oidc_fields: Mapping[str, JSON] = field(default_factory=dict)
    saml_attributes: Mapping[str, JSON] = field(default_factory=dict)
    custom: Mapping[str, JSON] = field(default_factory=dict)
    amr: tuple[str, ...] = ()
    country: str = ""
    ip: str = ""
    logged_in_at: int = 0


@dataclass(frozen=True, slots=True)
class Visitor:
    """What one request shows. `service_token_id` is the UUID of a valid service token; `linked_app_ids` the
    applications whose tokens came along."""

    ip: str
    country: str = ""
    has_certificate: bool = False
    common_name: str = ""
    service_token_id: str | None = None
    linked_app_ids: frozenset[str] = frozenset()
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class RuleContext:
    """Groups and lists that rules name."""

    groups: Mapping[str, AccessGroup] = field(default_factory=dict)
    lists: Mapping[str, RuleList] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bypassed:
    policy: Policy


@dataclass(frozen=True, slots=True)
class ServiceAllowed:
    policy: Policy


@dataclass(frozen=True, slots=True)
class IdentityAllowed:
    policy: Policy


@dataclass(frozen=True, slots=True)
class LoginNeeded:
    """There is no identity, and a login could help."""


@dataclass(frozen=True, slots=True)
class ServiceAuthNeeded:
    """There is no identity, and a login could not help: no policy allows anyone who logs in."""


@dataclass(frozen=True, slots=True)
class PolicyDenied:
    """`policy` is the Deny policy that holds, or None where no policy does."""

    policy: Policy | None


Decision = Bypassed | ServiceAllowed | IdentityAllowed | LoginNeeded | ServiceAuthNeeded | PolicyDenied

_EVERYONE: Final = Policy("end_user", "everyone who logs in", "allow", (EveryoneRule(),))


def policies_of(application: Application) -> tuple[Policy, ...]:
    """An application for end users has no policies: everyone who logs in may pass."""
    return (_EVERYONE,) if application.type == "end_user" else application.policies


def decide(application: Application, visitor: Visitor, context: RuleContext) -> Decision:
    decided = decide_without_login(application, visitor, context)
    if decided is not None:
        return decided
    if visitor.identity is None:
        return LoginNeeded() if has_login(application) else ServiceAuthNeeded()
    return decide_identity(application, visitor, context)


def decide_without_login(
    application: Application, visitor: Visitor, context: RuleContext
) -> Bypassed | ServiceAllowed | None:
    """The first Bypass or Service Auth policy that holds."""
    for policy in policies_of(application):
        if policy.decision in ("bypass", "non_identity") and holds(policy, visitor, context) is True:
            return Bypassed(policy) if policy.decision == "bypass" else ServiceAllowed(policy)
    return None


def decide_identity(application: Application, visitor: Visitor, context: RuleContext) -> IdentityAllowed | PolicyDenied:
    """The first Allow or Deny policy that holds for someone who logged in."""
    for policy in policies_of(application):
        match policy.decision, holds(policy, visitor, context):
            case "deny", True | None:
                return PolicyDenied(policy)
            case "allow", True:
                return IdentityAllowed(policy)
            case _:
                pass
    return PolicyDenied(None)


def has_login(application: Application) -> bool:
    return any(policy.decision == "allow" for policy in policies_of(application))


def has_early_policies(application: Application) -> bool:
    """Whether a Bypass or Service Auth policy comes before a session."""
    return any(policy.decision in ("bypass", "non_identity") for policy in policies_of(application))


def rechecks_identity(application: Application, context: RuleContext) -> bool:
    """Whether Allow and Deny policies ask for what each request shows, although a session is valid."""
    later = (policy for policy in policies_of(application) if policy.decision in ("allow", "deny"))
    return any(isinstance(rule, CHECKED_ON_EACH_REQUEST) for policy in later for rule in flat(policy.rules, context))


def flat(rules: Iterable[Rule], context: RuleContext, seen: frozenset[str] = frozenset()) -> Iterator[Rule]:
    """The rules, and those of the groups that they name."""
    for rule in rules:
        yield rule
        if isinstance(rule, GroupRule) and rule.group_id in context.groups and rule.group_id not in seen:
            yield from flat(context.groups[rule.group_id].rules, context, seen | {rule.group_id})


def holds(policy: Policy | AccessGroup, visitor: Visitor, context: RuleContext, depth: int = 0) -> Holds:
    """True, False, or None if it depends on an uncertain rule."""
    included = _any(rule_holds(rule, visitor, context, depth) for rule in policy.include)
    required = _all(rule_holds(rule, visitor, context, depth) for rule in policy.require)
    excluded = _any(rule_holds(rule, visitor, context, depth) for rule in policy.exclude)
    return _all((included, required, None if excluded is None else not excluded))


def _any(values: Iterable[Holds]) -> Holds:
    found = list(values)
    return True if True in found else None if None in found else False


def _all(values: Iterable[Holds]) -> Holds:
    found = list(values)
    return False if False in found else None if None in found else True


def rule_holds(rule: Rule, visitor: Visitor, context: RuleContext, depth: int = 0) -> Holds:
    match rule:
        case EveryoneRule():
            return True
        case IPRule(network):
            return _is_in(visitor.ip, (network,))
        case IPListRule(list_id):
            found = context.lists.get(list_id)
            return None if found is None else _is_in(visitor.ip, found.networks)
        case CountryRule(country):
            return visitor.country == country if visitor.country else None
        case CertificateRule():
            return visitor.has_certificate
        case CommonNameRule(common_name):
            return visitor.has_certificate and visitor.common_name == common_name
        case ServiceTokenRule(token_id):
            return visitor.service_token_id == token_id
        case AnyServiceTokenRule():
            return visitor.service_token_id is not None
        case LinkedAppTokenRule(app_uid):
            return app_uid in visitor.linked_app_ids
        case GroupRule(group_id):
            group = context.groups.get(group_id)
            if group is None or depth >= _MAX_GROUP_DEPTH:
                return None
            return holds(group, visitor, context, depth + 1)
        case UnsupportedRule():
            return None
        case _:
            # Uncertain without a login: an Exclude of some address must not allow visitors who did not log in.
            return None if visitor.identity is None else _identity_holds(rule, visitor.identity, context)


def _identity_holds(rule: Rule, identity: Identity, context: RuleContext) -> Holds:
    match rule:
        case EmailRule(email):
            return identity.email == email
        case EmailDomainRule(domain):
            return identity.email.rpartition("@")[2] == domain
        case EmailListRule(list_id):
            found = context.lists.get(list_id)
            return None if found is None else identity.email in found.emails
        case AuthMethodRule(method):
            return method in identity.amr
        case LoginMethodRule(provider_id):
            return identity.provider_id == provider_id
        case OIDCClaimRule(provider_id, name, text):
            return _is_from(identity, provider_id) and _has_value(_find_claim(identity, name), text)
        case SAMLAttributeRule(provider_id, name, text):
            return _is_from(identity, provider_id) and _has_value(identity.saml_attributes.get(name), text)
        case ProviderGroupRule(_, provider_id, group):
            return _is_from(identity, provider_id) and group in group_names(identity)
        case _:
            return None


def _is_from(identity: Identity, provider_id: str) -> bool:
    return not provider_id or identity.provider_id == provider_id


def _find_claim(identity: Identity, name: str) -> JSON:
    if name.lower() == "groups":
        return list(identity.groups)
    return identity.oidc_fields.get(name)


def _has_value(claim: JSON, text: str) -> bool:
    match claim:
        case list():
            return any(_has_value(item, text) for item in claim if not isinstance(item, list))
        case bool():
            return text == ("true" if claim else "false")
        case str() | int() | float():
            return str(claim) == text
        case dict():
            return any(claim.get(member) == text for member in ("id", "name", "email"))
        case _:
            return False


def group_names(identity: Identity) -> frozenset[str]:
    """Every name, id and address of the identity's groups: providers name them in different ways."""
    names: set[str] = set()
    for group in identity.groups:
        if isinstance(group, str):
            names.add(group)
        elif isinstance(group, dict):
            names.update(str(group[member]) for member in ("id", "name", "email") if isinstance(group.get(member), str))
    return frozenset(names)


def _is_in(ip: str, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> Holds:
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address.version == network.version and address in network for network in networks)
