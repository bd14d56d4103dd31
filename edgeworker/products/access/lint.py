"""Finds common mistakes that Access accepts silently, when the configuration is read. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from edgeworker.config import JSON
from edgeworker.products.access.config import (
    LOCAL_PROVIDER_TYPE,
    AccessConfig,
    AccessGroup,
    Application,
    IdentityProvider,
    Policy,
    PublicDestination,
    ServiceToken,
)
from edgeworker.products.access.matching import ApplicationIndex
from edgeworker.products.access.objects import (
    parse_application,
    parse_group,
    parse_list,
    parse_policy,
    parse_service_token,
)
from edgeworker.products.access.policy import RuleContext, flat
from edgeworker.products.access.provider_objects import parse_identity_provider
from edgeworker.products.access.rules import (
    NEEDS_IDENTITY,
    AnyServiceTokenRule,
    CountryRule,
    EmailDomainRule,
    EmailListRule,
    EmailRule,
    GroupRule,
    IPListRule,
    LinkedAppTokenRule,
    LoginMethodRule,
    OIDCClaimRule,
    Rule,
    SAMLAttributeRule,
    ServiceTokenRule,
    UnsupportedRule,
)

_CLIENT_ID: Final = re.compile(r"[0-9a-f]{32}(?:\.access)?|.*\.access")
# Someone has one of each at a time, so two different ones in a `require` are met by no one.
_ONE_OF_EACH: Final = (CountryRule, EmailRule, EmailDomainRule, LoginMethodRule)


@dataclass(frozen=True, slots=True)
class Mistake:
    """`object_id` is the id of the application, policy or group that has it."""

    object_id: str
    text: str


@dataclass(frozen=True, slots=True)
class KnownObjects:
    """What rules can name."""

    context: RuleContext
    tokens: Mapping[str, ServiceToken]  # by UUID
    providers: Mapping[str, IdentityProvider]
    app_ids: frozenset[str]


def find_mistakes(config: AccessConfig) -> list[Mistake]:
    """Of everything that edge.toml has. What was made over the API may be named too, so an id that is unknown here is
    only a mistake where it looks like something else."""

    def values(kind: str) -> list[dict[str, JSON]]:
        return [{**item.value, "id": item.id} for item in config.objects if item.kind == kind]

    policies = [parse_policy(value) for value in values("policy")]
    groups = [parse_group(value) for value in values("group")]
    lists = [parse_list(value) for value in values("list")]
    tokens = [parse_service_token(value) for value in values("service_token")]
    providers = [parse_identity_provider(value) for value in values("identity_provider")]
    reusable = {policy.name: policy for policy in policies} | {policy.id: policy for policy in policies}
    applications = [parse_application(value, policies=reusable) for value in values("app")]
    known = KnownObjects(
        RuleContext(
            {group.name: group for group in groups} | {group.id: group for group in groups},
            {rules.name: rules for rules in lists} | {rules.id: rules for rules in lists},
        ),
        {token.id: token for token in tokens},
        {provider.id: provider for provider in providers},
        frozenset(application.id for application in applications),
    )
    return [
        *check_applications(applications, known),
        *(mistake for group in groups for mistake in _check_group(group, known)),
        *(mistake for provider in providers for mistake in _check_provider(provider)),
    ]


def _check_provider(provider: IdentityProvider) -> Iterator[Mistake]:
    own = provider.type in (LOCAL_PROVIDER_TYPE, "onetimepin")
    if not own and provider.oidc is None and provider.saml is None:
        yield Mistake(
            provider.id,
            f'identity provider "{provider.name}" has no auth_url, token_url and certs_url in its config, so no one '
            "can log in with it here; rules and local identities may name it.",
        )


def check_applications(applications: Iterable[Application], known: KnownObjects) -> Iterator[Mistake]:
    applications = list(applications)
    for application in applications:
        for policy in application.policies:
            where = f'application "{application.name}", policy "{policy.name}"'
            for text in check_policy(policy, known):
                yield Mistake(application.id, f"{where}: {text}")
        if application.type == "self_hosted" and not application.policies:
            text = f'application "{application.name}" has no policy: no one can reach it. Add one under policies.'
            yield Mistake(application.id, text)
    for hidden, first in ApplicationIndex(applications).shadowed():
        yield Mistake(
            hidden.match.application.id,
            f'application "{hidden.match.application.name}" never decides: "{hidden.match.uri}" is covered by '
            f'"{first.match.uri}" of application "{first.match.application.name}". Give it another path, or remove it.',
        )
    for application in applications:
        yield from _check_paths(application)


def _check_paths(application: Application) -> Iterator[Mistake]:
    for place in application.destinations:
        if isinstance(place, PublicDestination) and place.path.endswith("/*") and place.path != "/*":
            bare = place.path[:-2]
            yield Mistake(
                application.id,
                f'application "{application.name}": "{place.uri}" does not cover "{bare}" itself; '
                f'write "{place.host}{bare}", which covers it and all below it.',
            )


def check_policy(policy: Policy, known: KnownObjects) -> Iterator[str]:
    rules = list(flat(policy.rules, known.context))
    service = [rule for rule in rules if isinstance(rule, ServiceTokenRule | AnyServiceTokenRule)]
    if policy.decision == "allow" and service:
        yield (
            'a service token never passes a policy with decision = "allow": it is sent to the login. '
            'Write decision = "non_identity" (Service Auth).'
        )
    if policy.decision in ("bypass", "non_identity") and all(isinstance(r, NEEDS_IDENTITY) for r in policy.include):
        yield (
            f'decision = "{policy.decision}" asks no one to log in, so no one can meet a rule about who they are. '
            'Write decision = "allow".'
        )
    for rule in rules:
        yield from _check_names(rule, known)
    yield from _check_require(policy.require)
    if set(policy.require) & set(policy.exclude) or (policy.include and set(policy.include) <= set(policy.exclude)):
        yield "no one can meet it: what it includes or requires it also excludes."
    if policy.include and all(isinstance(rule, UnsupportedRule) for rule in policy.include):
        kinds = ", ".join(rule.kind for rule in policy.include if isinstance(rule, UnsupportedRule))
        yield f"nothing on this machine can answer {kinds}: the policy lets no one in here."


def _check_require(rules: tuple[Rule, ...]) -> Iterator[str]:
    for kind in _ONE_OF_EACH:
        found = {rule for rule in rules if isinstance(rule, kind)}
        if len(found) > 1:
            what = {CountryRule: "two countries", EmailRule: "two addresses", EmailDomainRule: "two domains"}
            yield (
                f"no one can meet it: require has {what.get(kind, 'two login methods')}, and all rules of require have "
                "to hold. For one OR the other put them into a group, and require the group."
            )


def _check_names(rule: Rule, known: KnownObjects) -> Iterator[str]:
    match rule:
        case ServiceTokenRule(token_id) if token_id not in known.tokens:
            same = [token for token in known.tokens.values() if token_id in (token.client_id, token.name)]
            if same or _CLIENT_ID.fullmatch(token_id):
                right = f' Write "{same[0].id}".' if same else ""
                yield f'"{token_id}" is a Client ID or a name; service_token wants the token\'s UUID.{right}'
        case GroupRule(group_id) if group_id not in known.context.groups and not _is_uuid(group_id):
            yield f'group "{group_id}" does not exist, so the policy applies to no one; name a group of [access].'
        case EmailListRule(name) | IPListRule(name) if name not in known.context.lists and not _is_uuid(name):
            yield f'there is no list "{name}"; the policy can hold for no one.'
        case LoginMethodRule(provider) | OIDCClaimRule(provider) | SAMLAttributeRule(provider) if (
            provider and provider not in known.providers and not _is_uuid(provider)
        ):
            yield f'there is no identity provider with the id "{provider}"; the policy can hold for no one.'
        case OIDCClaimRule(provider, name) if name.lower() != "groups":
            found = known.providers.get(provider)
            if found is not None and found.oidc is not None and name not in found.oidc.claims:
                yield f'the claim "{name}" is not among the claims of "{found.name}" and so never known; add it there.'
        case SAMLAttributeRule(provider, name):
            found = known.providers.get(provider)
            if found is not None and found.saml is not None and name not in found.saml.attributes:
                yield f'the attribute "{name}" is not among those of "{found.name}" and so never known; add it there.'
        case LinkedAppTokenRule(app_uid) if app_uid not in known.app_ids and not _is_uuid(app_uid):
            yield f'there is no application with the id "{app_uid}".'
        case _:
            pass


def _check_group(group: AccessGroup, known: KnownObjects) -> Iterator[Mistake]:
    for text in _check_require(group.require):
        yield Mistake(group.id, f'group "{group.name}": {text}')


def _is_uuid(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is not None
