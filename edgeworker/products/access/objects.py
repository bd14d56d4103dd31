"""Parses applications, policies and the like from their JSON form, as the v4 API and edge.toml have it. Pure."""

import hashlib
import ipaddress
import re
import uuid
from collections.abc import Mapping
from typing import Final

from edgeworker.config import JSON
from edgeworker.products.access.config import (
    MONTH_SECONDS,
    AccessGroup,
    Application,
    AppType,
    CorsSettings,
    DecisionName,
    Destination,
    LocalIdentity,
    ManagedOAuthSettings,
    Policy,
    PublicDestination,
    RuleList,
    SaasSettings,
    SameSite,
    ServiceToken,
    WorkerDestination,
)
from edgeworker.products.access.json_object import InvalidObject, JSONObject
from edgeworker.products.access.rules import LinkedAppTokenRule, Rule, parse_rule

DECISIONS: Final[dict[str, DecisionName]] = {
    "allow": "allow",
    "deny": "deny",
    "non_identity": "non_identity",
    "bypass": "bypass",
}
APP_TYPES: Final[dict[str, AppType]] = {"self_hosted": "self_hosted", "saas": "saas", "end_user": "end_user"}
_SAME_SITE: Final[dict[str, SameSite]] = {"": "", "none": "none", "lax": "lax", "strict": "strict"}

_HOST: Final = re.compile(r"[a-z0-9*](?:[a-z0-9*._-]*[a-z0-9*])?")
HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_AUD: Final = re.compile(r"[0-9a-f]{64}")


def made_up_uuid(*parts: str) -> str:
    """Always the same for the same parts: objects of edge.toml keep their ids."""
    return str(uuid.UUID(bytes=hashlib.sha256("\0".join(parts).encode()).digest()[:16], version=4))


def made_up_aud(*parts: str) -> str:
    return hashlib.sha256("\0".join(("aud", *parts)).encode()).hexdigest()


def parse_destination(uri: str, path: str) -> PublicDestination:
    """`host`, `host/path`, with wildcards: at most one "*" between two dots or two slashes.

    Source: https://developers.cloudflare.com/cloudflare-one/access-controls/policies/app-paths/
    """
    text = uri.removeprefix("https://").removeprefix("http://")
    host, slash, rest = text.partition("/")
    host = host.lower().removesuffix(".")
    if ":" in host:
        raise InvalidObject(path, f'"{uri}" has a port; applications have none, leave it out')
    if not _HOST.fullmatch(host) or "" in host.split("."):
        raise InvalidObject(path, f'"{uri}" has no host name; write one such as "app.example.com/admin"')
    if "?" in text or "#" in text:
        raise InvalidObject(path, f'"{uri}" has a query or fragment; applications are matched by host and path')
    if any(label.count("*") > 1 for label in host.split(".")) or any(part.count("*") > 1 for part in rest.split("/")):
        raise InvalidObject(path, f'"{uri}" has two "*" between two dots or two slashes; one is allowed')
    return PublicDestination(host, slash + rest if rest else "")


def parse_policy(value: JSON, path: str = "", *, source: str = "", made_up_id: str = "") -> Policy:
    """Raises InvalidObject."""
    policy = JSONObject.of(value, path)
    name = policy.text("name", "")
    decision = DECISIONS[policy.one_of("decision", tuple(DECISIONS))]
    include = _parse_rules(policy, "include")
    if not include:
        raise InvalidObject(policy.at("include"), "needs at least one rule, such as [{ everyone = {} }]")
    made = Policy(
        id=policy.text("id", made_up_id or made_up_uuid("policy", path, name)),
        name=name,
        decision=decision,
        include=include,
        require=_parse_rules(policy, "require"),
        exclude=_parse_rules(policy, "exclude"),
        session_seconds=policy.seconds("session_duration", None, most=MONTH_SECONDS),
        source=source,
    )
    if decision != "non_identity" and any(isinstance(rule, LinkedAppTokenRule) for rule in made.rules):
        text = f'a linked_app_token rule goes with the decision "non_identity", not "{decision}"'
        raise InvalidObject(policy.at("include"), text)
    return made


def parse_group(value: JSON, path: str = "", *, source: str = "") -> AccessGroup:
    group = JSONObject.of(value, path)
    name = group.text("name")
    include = _parse_rules(group, "include")
    if not include:
        raise InvalidObject(group.at("include"), "needs at least one rule, such as [{ everyone = {} }]")
    identifier = group.text("id", made_up_uuid("group", name))
    return AccessGroup(
        identifier, name, include, _parse_rules(group, "require"), _parse_rules(group, "exclude"), source
    )


def _parse_rules(policy: JSONObject, name: str) -> tuple[Rule, ...]:
    return tuple(parse_rule(item, place) for item, place in policy.items(name))


def parse_application(
    value: JSON, path: str = "", *, policies: Mapping[str, Policy] = {}, source: str = ""
) -> Application:
    """`policies` are the reusable ones by id (and by name), which the application may name. Raises InvalidObject."""
    app = JSONObject.of(value, path)
    kind = APP_TYPES[app.one_of("type", tuple(APP_TYPES), "self_hosted")]
    destinations = _parse_destinations(app)
    name = app.text("name", next((place.uri for place in destinations if isinstance(place, PublicDestination)), kind))
    saas = _parse_saas(app.inner("saas_app"), name) if kind == "saas" else None
    if not destinations and saas is None:
        raise InvalidObject(app.path, 'has no "domain" and no "destinations"; write domain = "app.example.com"')
    aud = app.text("aud", made_up_aud(name, *(str(place) for place in destinations)))
    if not _AUD.fullmatch(aud):
        raise InvalidObject(app.at("aud"), f'"{aud}" is not an AUD tag: it has 64 digits and letters a to f')
    header = app.text("read_service_tokens_from_header", "")
    if header and not HEADER_NAME.fullmatch(header):
        raise InvalidObject(app.at("read_service_tokens_from_header"), f'"{header}" is not the name of a header')
    return Application(
        id=app.text("id", made_up_uuid("app", name)),
        aud=aud,
        name=name,
        destinations=destinations,
        policies=tuple(_resolve_policy(item, place, policies, source) for item, place in _sort_policies(app)),
        type=kind,
        session_seconds=app.seconds("session_duration", None, most=MONTH_SECONDS),
        allowed_idps=app.texts("allowed_idps"),
        auto_redirect_to_identity=app.boolean("auto_redirect_to_identity", False),
        cors=_parse_cors(app.inner("cors_headers")) if app.has("cors_headers") else None,
        options_preflight_bypass=app.boolean("options_preflight_bypass", False),
        enable_binding_cookie=app.boolean("enable_binding_cookie", False),
        http_only_cookie=app.boolean("http_only_cookie_attribute", True),
        same_site_cookie=_SAME_SITE[app.one_of("same_site_cookie_attribute", tuple(_SAME_SITE), "")],
        path_cookie=app.boolean("path_cookie_attribute", False),
        service_token_header=header or None,
        service_auth_401=app.boolean("service_auth_401_redirect", False),
        eager_redirect=app.boolean(
            "eager_redirect_cookie_setting", len(_list_exact_hosts(destinations)) <= _EAGER_HOSTS
        ),
        custom_deny_url=app.text("custom_deny_url", ""),
        custom_deny_message=app.text("custom_deny_message", ""),
        custom_non_identity_deny_url=app.text("custom_non_identity_deny_url", ""),
        oauth=_parse_managed_oauth(app.inner("oauth_configuration")),
        saas=saas,
        legacy_claims=app.boolean("legacy_claims", False),
        user_population=app.text("user_population", ""),
        source=source,
    )


# An application that never saved the setting sets cookies on all of its hosts at once where they are this few.
_EAGER_HOSTS: Final = 5


def _list_exact_hosts(destinations: tuple[Destination, ...]) -> set[str]:
    return {place.host for place in destinations if isinstance(place, PublicDestination) and "*" not in place.host}


def _parse_destinations(app: JSONObject) -> tuple[Destination, ...]:
    found: list[Destination] = []
    if app.has("domain") and app.text("type", "") != "saas":
        found.append(parse_destination(app.text("domain"), app.at("domain")))
    for uri in app.texts("self_hosted_domains"):
        found.append(parse_destination(uri, app.at("self_hosted_domains")))
    for item, path in app.items("destinations"):
        place = JSONObject.of(item, path)
        match place.text("type", "public"):
            case "public":
                found.append(parse_destination(place.text("uri"), place.at("uri")))
            case "worker":
                found.append(WorkerDestination(place.text("worker_id")))
            case "preview_worker":
                found.append(WorkerDestination(place.text("worker_id", "") or None, previews=True))
            case "all_workers":
                found.append(WorkerDestination(None))
            case "all_preview_workers":
                found.append(WorkerDestination(None, previews=True))
            case kind:
                kinds = "public, worker, preview_worker, all_workers, all_preview_workers"
                raise InvalidObject(
                    place.at("type"), f'"{kind}" is not a destination that is emulated; there are: {kinds}'
                )
    return tuple(dict.fromkeys(found))


def _sort_policies(app: JSONObject) -> list[tuple[JSON, str]]:
    """The application's policies by `precedence`, where they have one, else in their order."""

    def precedence(entry: tuple[int, tuple[JSON, str]]) -> int:
        index, (item, path) = entry
        return index + 1 if not isinstance(item, dict) else JSONObject(item, path).whole("precedence", index + 1)

    return [item for _, item in sorted(enumerate(app.items("policies")), key=precedence)]


def _resolve_policy(item: JSON, path: str, reusable: Mapping[str, Policy], source: str) -> Policy:
    named = item if isinstance(item, str) else None
    if isinstance(item, dict) and "decision" not in item:
        named = JSONObject(item, path).text("id")
    if named is None:
        return parse_policy(item, path, source=source)
    if named not in reusable:
        known = ", ".join(sorted(policy.name for policy in reusable.values())) or "none"
        raise InvalidObject(path, f'"{named}" is not a reusable policy; there are: {known}')
    return reusable[named]


def _parse_cors(cors: JSONObject) -> CorsSettings:
    return CorsSettings(
        allow_all_origins=cors.boolean("allow_all_origins", False),
        allowed_origins=cors.texts("allowed_origins"),
        allow_all_methods=cors.boolean("allow_all_methods", False),
        allowed_methods=cors.texts("allowed_methods"),
        allow_all_headers=cors.boolean("allow_all_headers", False),
        allowed_headers=cors.texts("allowed_headers"),
        allow_credentials=cors.boolean("allow_credentials", False),
        max_age=cors.whole("max_age", -1, most=86_400) if cors.has("max_age") else None,
    )


def _parse_managed_oauth(settings: JSONObject) -> ManagedOAuthSettings | None:
    if not settings.boolean("enabled", False):
        return None
    registration = settings.inner("dynamic_client_registration")
    grant = settings.inner("grant")
    return ManagedOAuthSettings(
        registration_enabled=registration.boolean("enabled", True),
        any_on_localhost=registration.boolean("allow_any_on_localhost", True),
        any_on_loopback=registration.boolean("allow_any_on_loopback", True),
        allowed_uris=registration.texts("allowed_uris"),
        access_token_seconds=grant.seconds("access_token_lifetime", 900, least=60, most=86_400) or 900,
        session_seconds=grant.seconds("session_duration", None, most=12 * MONTH_SECONDS),
    )


def _parse_saas(settings: JSONObject, name: str) -> SaasSettings:
    if settings.text("auth_type", "oidc") != "oidc":
        raise InvalidObject(settings.at("auth_type"), '"oidc" is emulated, SAML is not')
    client_id = settings.text("client_id", made_up_aud("saas", name))
    secret_hash = settings.text("client_secret_hash", "")
    if settings.has("client_secret"):
        secret_hash = hash_secret(settings.text("client_secret"))
    options = settings.inner("refresh_token_options")
    return SaasSettings(
        client_id=client_id,
        redirect_uris=settings.texts("redirect_uris"),
        client_secret_hash=secret_hash,
        public_client=settings.boolean("allow_pkce_without_client_secret", False),
        scopes=settings.texts("scopes") or ("openid", "email", "profile", "groups"),
        access_token_seconds=settings.seconds("access_token_lifetime", 300, least=60, most=86_400) or 300,
        refresh_token_seconds=options.seconds("lifetime", None, most=12 * MONTH_SECONDS),
        custom_claims=dict(_parse_custom_claims(settings)),
    )


def _parse_custom_claims(settings: JSONObject) -> list[tuple[str, str]]:
    claims = (JSONObject.of(item, path) for item, path in settings.items("custom_claims"))
    return [(claim.text("name"), claim.inner("source").text("name", claim.text("name"))) for claim in claims]


def parse_local_identity(value: JSON, path: str = "") -> LocalIdentity:
    identity = JSONObject.of(value, path)
    email = identity.text("email").lower()
    if "@" not in email.strip("@"):
        raise InvalidObject(identity.at("email"), f'"{email}" is not an e-mail address, such as "ada@example.com"')
    return LocalIdentity(
        email=email,
        name=identity.text("name", ""),
        groups=tuple(item for item, _ in identity.items("groups")),
        claims=dict(identity.inner("claims").members),
        amr=identity.texts("amr"),
        country=identity.text("country", "").upper(),
        provider_id=identity.text("identity_provider", ""),
    )


def parse_list(value: JSON, path: str = "") -> RuleList:
    rules = JSONObject.of(value, path)
    name = rules.text("name")
    networks = []
    for item in rules.texts("networks"):
        try:
            networks.append(ipaddress.ip_network(item, strict=False))
        except ValueError:
            raise InvalidObject(rules.at("networks"), f'"{item}" is not an address or network') from None
    emails = frozenset(email.lower() for email in rules.texts("emails"))
    return RuleList(rules.text("id", made_up_uuid("list", name)), name, emails, tuple(networks))


def parse_service_token(value: JSON, path: str = "", *, source: str = "") -> ServiceToken:
    token = JSONObject.of(value, path)
    name = token.text("name")
    secret_hash = token.text("secret_hash", "")
    if not secret_hash:
        secret_hash = hash_secret(token.text("client_secret"))
    client_id = token.text("client_id", hashlib.sha256(f"client\0{name}".encode()).hexdigest()[:32] + ".access")
    return ServiceToken(
        id=token.text("id", made_up_uuid("service_token", name)),
        name=name,
        client_id=client_id,
        secret_hash=secret_hash,
        previous_hash=token.text("previous_hash", ""),
        previous_until=token.whole("previous_until", 0),
        expires_at=token.whole("expires_at_seconds", 0) or None,
        enabled=token.boolean("enabled", True),
        source=source,
    )


def hash_secret(secret: str) -> str:
    """Secrets have 240 random bits and more, so a slow password hash would add nothing."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
