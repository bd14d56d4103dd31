"""The rules of an Access policy: what each asks for, and its JSON form in the v4 API and in edge.toml. Pure.

A rule is an object with one key: `{"email": {"email": "ada@example.com"}}`. Where its value has one member, the member
may be written alone: `{"email": "ada@example.com"}`.

Source: https://developers.cloudflare.com/api/resources/zero_trust/subresources/access/subresources/policies/
"""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from edgeworker.config import JSON
from edgeworker.products.access.json_object import InvalidObject, JSONObject


@dataclass(frozen=True, slots=True)
class EmailRule:
    email: str  # lower case


@dataclass(frozen=True, slots=True)
class EmailDomainRule:
    domain: str  # lower case, without "@"


@dataclass(frozen=True, slots=True)
class EmailListRule:
    list_id: str


@dataclass(frozen=True, slots=True)
class EveryoneRule:
    pass


@dataclass(frozen=True, slots=True)
class IPRule:
    network: ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class IPListRule:
    list_id: str


@dataclass(frozen=True, slots=True)
class CountryRule:
    country: str  # ISO 3166 code in capitals


@dataclass(frozen=True, slots=True)
class GroupRule:
    """An Access group, whose own rules decide."""

    group_id: str


@dataclass(frozen=True, slots=True)
class ServiceTokenRule:
    token_id: str  # the UUID, not the Client ID


@dataclass(frozen=True, slots=True)
class AnyServiceTokenRule:
    pass


@dataclass(frozen=True, slots=True)
class CertificateRule:
    """Any client certificate that the edge's client CA signed."""


@dataclass(frozen=True, slots=True)
class CommonNameRule:
    common_name: str


@dataclass(frozen=True, slots=True)
class AuthMethodRule:
    """One of the identity's `amr` values (RFC 8176)."""

    method: str


@dataclass(frozen=True, slots=True)
class LoginMethodRule:
    provider_id: str


@dataclass(frozen=True, slots=True)
class OIDCClaimRule:
    provider_id: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class SAMLAttributeRule:
    provider_id: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ProviderGroupRule:
    """A group at an identity provider: Okta's and GitHub's by name, Azure AD's by id, Google's by e-mail."""

    kind: str
    provider_id: str
    group: str


@dataclass(frozen=True, slots=True)
class LinkedAppTokenRule:
    """A token of another application opens this one."""

    app_uid: str


@dataclass(frozen=True, slots=True)
class UnsupportedRule:
    """A rule that nothing on this machine can answer, such as device posture. It never lets anyone in."""

    kind: str
    value: str  # its JSON text


Rule = (
    EmailRule
    | EmailDomainRule
    | EmailListRule
    | EveryoneRule
    | IPRule
    | IPListRule
    | CountryRule
    | GroupRule
    | ServiceTokenRule
    | AnyServiceTokenRule
    | CertificateRule
    | CommonNameRule
    | AuthMethodRule
    | LoginMethodRule
    | OIDCClaimRule
    | SAMLAttributeRule
    | ProviderGroupRule
    | LinkedAppTokenRule
    | UnsupportedRule
)

UNSUPPORTED: Final = frozenset(
    {
        "auth_context",
        "cloudflare_account_member",
        "device_posture",
        "external_evaluation",
        "user_risk_score",
    }
)
# What a request shows by itself; the edge looks at it each time. Everything else is asked at login.
CHECKED_ON_EACH_REQUEST: Final = (
    IPRule,
    IPListRule,
    CountryRule,
    CertificateRule,
    CommonNameRule,
    ServiceTokenRule,
    AnyServiceTokenRule,
    LinkedAppTokenRule,
    UnsupportedRule,
)
# What is known of someone only after a login.
NEEDS_IDENTITY: Final = (
    EmailRule,
    EmailDomainRule,
    EmailListRule,
    AuthMethodRule,
    LoginMethodRule,
    OIDCClaimRule,
    SAMLAttributeRule,
    ProviderGroupRule,
)


def parse_rule(value: JSON, path: str) -> Rule:
    """`path` is where it stands, for the error. Raises InvalidObject."""
    if not isinstance(value, dict) or len(value) != 1:
        raise InvalidObject(
            path, f'must be an object with one key, such as {{"everyone": {{}}}}, not {_describe(value)}'
        )
    ((kind, content),) = value.items()
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(_read_members(kind, content, f"{path}.{kind}"))
    if kind in UNSUPPORTED:
        return UnsupportedRule(kind, JSONObject.text_of(content))
    known = ", ".join(sorted([*_READERS, *UNSUPPORTED]))
    raise InvalidObject(path, f'"{kind}" is not a rule of Access; there are: {known}')


def _describe(value: JSON) -> str:
    return f"one with {len(value)} keys" if isinstance(value, dict) else JSONObject.text_of(value)


def rule_json(rule: Rule) -> dict[str, JSON]:
    """The API's form."""
    match rule:
        case EmailRule(email):
            return {"email": {"email": email}}
        case EmailDomainRule(domain):
            return {"email_domain": {"domain": domain}}
        case EmailListRule(list_id):
            return {"email_list": {"id": list_id}}
        case EveryoneRule():
            return {"everyone": {}}
        case IPRule(network):
            return {"ip": {"ip": str(network)}}
        case IPListRule(list_id):
            return {"ip_list": {"id": list_id}}
        case CountryRule(country):
            return {"geo": {"country_code": country}}
        case GroupRule(group_id):
            return {"group": {"id": group_id}}
        case ServiceTokenRule(token_id):
            return {"service_token": {"token_id": token_id}}
        case AnyServiceTokenRule():
            return {"any_valid_service_token": {}}
        case CertificateRule():
            return {"certificate": {}}
        case CommonNameRule(common_name):
            return {"common_name": {"common_name": common_name}}
        case AuthMethodRule(method):
            return {"auth_method": {"auth_method": method}}
        case LoginMethodRule(provider_id):
            return {"login_method": {"id": provider_id}}
        case OIDCClaimRule(provider_id, name, text):
            return {"oidc": {"claim_name": name, "claim_value": text, "identity_provider_id": provider_id}}
        case SAMLAttributeRule(provider_id, name, text):
            return {"saml": {"attribute_name": name, "attribute_value": text, "identity_provider_id": provider_id}}
        case ProviderGroupRule(kind, provider_id, group):
            return {kind: {_GROUP_MEMBER[kind]: group, "identity_provider_id": provider_id}}
        case LinkedAppTokenRule(app_uid):
            return {"linked_app_token": {"app_uid": app_uid}}
        case UnsupportedRule(kind, text):
            return {kind: JSONObject.parsed(text)}


_GROUP_MEMBER: Final = {"okta": "name", "azureAD": "id", "gsuite": "email", "github-organization": "name"}
_LONE_MEMBER: Final = {
    "email": "email",
    "email_domain": "domain",
    "email_list": "id",
    "ip": "ip",
    "ip_list": "id",
    "geo": "country_code",
    "group": "id",
    "service_token": "token_id",
    "common_name": "common_name",
    "auth_method": "auth_method",
    "login_method": "id",
    "linked_app_token": "app_uid",
}


def _read_members(kind: str, content: JSON, path: str) -> JSONObject:
    if isinstance(content, str) and kind in _LONE_MEMBER:
        return JSONObject({_LONE_MEMBER[kind]: content}, path)
    if content is True and kind in ("everyone", "any_valid_service_token", "certificate"):
        return JSONObject({}, path)
    if not isinstance(content, dict):
        raise InvalidObject(path, f"must be an object, not {JSONObject.text_of(content)}")
    return JSONObject(content, path)


def _parse_email(members: JSONObject) -> Rule:
    email = members.text("email").lower()
    if "@" not in email.strip("@"):
        raise InvalidObject(members.path, f'"{email}" is not an e-mail address, such as "ada@example.com"')
    return EmailRule(email)


def _parse_domain(members: JSONObject) -> Rule:
    domain = members.text("domain").lower().removeprefix("@")
    if "@" in domain or "*" in domain:
        raise InvalidObject(members.path, f'"{domain}" is not a domain; write it alone, such as "example.com"')
    return EmailDomainRule(domain)


def _parse_ip(members: JSONObject) -> Rule:
    text = members.text("ip")
    try:
        return IPRule(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise InvalidObject(members.path, f'"{text}" is not an address or network, such as "10.0.0.0/8"') from None


def _parse_country(members: JSONObject) -> Rule:
    code = members.text("country_code").upper()
    if len(code) != 2 or not code.isalnum() or not code.isascii():
        raise InvalidObject(members.path, f'"{code}" is not a country code of two letters, such as "PT"')
    return CountryRule(code)


def _parse_oidc(members: JSONObject) -> Rule:
    return OIDCClaimRule(
        members.text("identity_provider_id", ""), members.text("claim_name"), members.text("claim_value")
    )


def _parse_saml(members: JSONObject) -> Rule:
    provider = members.text("identity_provider_id", "")
    return SAMLAttributeRule(provider, members.text("attribute_name"), members.text("attribute_value"))


def _provider_group_reader(kind: str) -> Callable[[JSONObject], Rule]:
    def read(members: JSONObject) -> Rule:
        provider = members.text("identity_provider_id", "")
        return ProviderGroupRule(kind, provider, members.text(_GROUP_MEMBER[kind]))

    return read


_READERS: Final[Mapping[str, Callable[[JSONObject], Rule]]] = {
    "email": _parse_email,
    "email_domain": _parse_domain,
    "email_list": lambda members: EmailListRule(members.text("id")),
    "everyone": lambda _: EveryoneRule(),
    "ip": _parse_ip,
    "ip_list": lambda members: IPListRule(members.text("id")),
    "geo": _parse_country,
    "group": lambda members: GroupRule(members.text("id")),
    "service_token": lambda members: ServiceTokenRule(members.text("token_id")),
    "any_valid_service_token": lambda _: AnyServiceTokenRule(),
    "certificate": lambda _: CertificateRule(),
    "common_name": lambda members: CommonNameRule(members.text("common_name")),
    "auth_method": lambda members: AuthMethodRule(members.text("auth_method")),
    "login_method": lambda members: LoginMethodRule(members.text("id")),
    "oidc": _parse_oidc,
    "saml": _parse_saml,
    "linked_app_token": lambda members: LinkedAppTokenRule(members.text("app_uid")),
    **{kind: _provider_group_reader(kind) for kind in _GROUP_MEMBER},
}
