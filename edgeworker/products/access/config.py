"""What Cloudflare Access is configured with: applications, policies, identity providers, service tokens. Pure.

`objects.py` makes these of JSON. Times are epoch seconds, durations seconds. `source` is where an object was written
("edge.toml:12"), or "" for one that was made over the API.
"""

import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from edgeworker.config import JSON, Config, ProductConfig
from edgeworker.messages.url import DEFAULT_PORTS
from edgeworker.products.access.rules import Rule

DecisionName = Literal["allow", "deny", "non_identity", "bypass"]
AppType = Literal["self_hosted", "saas", "end_user"]
ObjectKind = Literal[
    "app", "policy", "group", "identity_provider", "service_token", "list", "tag", "custom_page", "bookmark"
]
SameSite = Literal["", "none", "lax", "strict"]

DAY_SECONDS: Final = 86_400
MONTH_SECONDS: Final = 30 * DAY_SECONDS
DEFAULT_SESSION_SECONDS: Final = DAY_SECONDS
DEFAULT_ROTATION_DAYS: Final = 42
GRACE_SECONDS: Final = 7 * DAY_SECONDS
LOCAL_PROVIDER_TYPE: Final = "local"
TEAM_SUFFIX: Final = ".cloudflareaccess.com"
TRANSFER_HOST: Final = "login.cloudflareaccess.org"


@dataclass(frozen=True, slots=True)
class PublicDestination:
    """A host and a path, each with wildcards. `path` is "" for the whole host."""

    host: str
    path: str = ""

    @property
    def uri(self) -> str:
        return self.host + self.path


@dataclass(frozen=True, slots=True)
class WorkerDestination:
    """Every host and route of one worker; of its previews only with `previews`. `worker_id` None: of all workers."""

    worker_id: str | None
    previews: bool = False


Destination = PublicDestination | WorkerDestination


@dataclass(frozen=True, slots=True)
class Policy:
    """`include` is OR, `require` AND, `exclude` NOT."""

    id: str
    name: str
    decision: DecisionName
    include: tuple[Rule, ...]
    require: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()
    session_seconds: int | None = None
    source: str = ""

    @property
    def rules(self) -> tuple[Rule, ...]:
        return (*self.include, *self.require, *self.exclude)


@dataclass(frozen=True, slots=True)
class AccessGroup:
    """Rules under one name."""

    id: str
    name: str
    include: tuple[Rule, ...]
    require: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()
    source: str = ""

    @property
    def rules(self) -> tuple[Rule, ...]:
        return (*self.include, *self.require, *self.exclude)


@dataclass(frozen=True, slots=True)
class RuleList:
    """Zero Trust list: e-mail addresses and networks that `email_list` and `ip_list` name by id."""

    id: str
    name: str
    emails: frozenset[str] = frozenset()
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()


@dataclass(frozen=True, slots=True)
class CorsSettings:
    """How the edge answers preflights of an application."""

    allow_all_origins: bool = False
    allowed_origins: tuple[str, ...] = ()
    allow_all_methods: bool = False
    allowed_methods: tuple[str, ...] = ()
    allow_all_headers: bool = False
    allowed_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age: int | None = None


@dataclass(frozen=True, slots=True)
class ManagedOAuthSettings:
    """Managed OAuth of an application: the edge is its authorization server."""

    registration_enabled: bool = True
    any_on_localhost: bool = True
    any_on_loopback: bool = True
    allowed_uris: tuple[str, ...] = ()
    access_token_seconds: int = 900
    session_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class SaasSettings:
    """An application elsewhere that logs in with Access as its OpenID provider."""

    client_id: str
    redirect_uris: tuple[str, ...]
    client_secret_hash: str = field(default="", repr=False)  # hex SHA-256; "" is a public client
    public_client: bool = False
    scopes: tuple[str, ...] = ("openid", "email", "profile", "groups")
    access_token_seconds: int = 300
    refresh_token_seconds: int | None = None
    custom_claims: Mapping[str, str] = field(default_factory=dict)  # claim of the token: claim of the identity


@dataclass(frozen=True, slots=True)
class Application:
    """`aud` is the AUD tag. `policies` are in the order in which they count."""

    id: str
    aud: str
    name: str
    destinations: tuple[Destination, ...]
    policies: tuple[Policy, ...] = ()
    type: AppType = "self_hosted"
    session_seconds: int | None = None
    allowed_idps: tuple[str, ...] = ()
    auto_redirect_to_identity: bool = False
    cors: CorsSettings | None = None
    options_preflight_bypass: bool = False
    enable_binding_cookie: bool = False
    http_only_cookie: bool = True
    same_site_cookie: SameSite = ""
    path_cookie: bool = False
    service_token_header: str | None = None
    service_auth_401: bool = False
    eager_redirect: bool = False
    custom_deny_url: str = ""
    custom_deny_message: str = ""
    custom_non_identity_deny_url: str = ""
    oauth: ManagedOAuthSettings | None = None
    saas: SaasSettings | None = None
    legacy_claims: bool = False
    user_population: str = ""
    source: str = ""

    @property
    def domain(self) -> str:
        """The first public destination, as the API shows it."""
        return next((place.uri for place in self.destinations if isinstance(place, PublicDestination)), "")


@dataclass(frozen=True, slots=True)
class OIDCSettings:
    """How to log in at an OpenID provider. `claims` go into tokens, in their order."""

    client_id: str
    client_secret: str = field(repr=False)
    auth_url: str
    token_url: str
    certs_url: str
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    claims: tuple[str, ...] = ()
    email_claim_name: str = "email"
    pkce: bool = True
    issuer: str = ""  # checked where it is known
    userinfo_url: str = ""  # asked where the ID token has no e-mail address


@dataclass(frozen=True, slots=True)
class SAMLSettings:
    """How to log in at a SAML identity provider. The certificates are PEM or the base64 inside."""

    issuer_url: str
    sso_target_url: str
    certificates: tuple[str, ...]
    attributes: tuple[str, ...] = ()
    email_attribute_name: str = ""
    header_attributes: tuple[tuple[str, str], ...] = ()  # (field of the callback's response, attribute)
    sign_request: bool = False
    force_authn: bool = False


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """`type` as the API has it ("onetimepin", "oidc", "saml", "okta"); "local" is the page with local identities."""

    id: str
    name: str
    type: str
    oidc: OIDCSettings | None = None
    saml: SAMLSettings | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class LocalIdentity:
    """Someone who can log in on this machine without a password."""

    email: str
    name: str = ""
    groups: tuple[JSON, ...] = ()
    claims: Mapping[str, JSON] = field(default_factory=dict)
    amr: tuple[str, ...] = ()
    country: str = ""
    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """The secrets are there as SHA-256 only. `previous_until` is when the one before the last rotation ends."""

    id: str
    name: str
    client_id: str
    secret_hash: str = field(repr=False)
    previous_hash: str = field(default="", repr=False)
    previous_until: int = 0
    expires_at: int | None = None
    enabled: bool = True
    source: str = ""


@dataclass(frozen=True, slots=True)
class Organization:
    """`auth_domain` is the team domain; `issuer` what tokens carry and where people are sent to log in."""

    auth_domain: str
    issuer: str
    name: str = ""
    session_seconds: int = DEFAULT_SESSION_SECONDS
    auto_redirect_to_identity: bool = False
    strict_service_tokens: bool = False
    deny_unmatched: bool = False
    deny_unmatched_exempted: tuple[str, ...] = ()
    key_rotation_days: int = DEFAULT_ROTATION_DAYS


@dataclass(frozen=True, slots=True)
class ConfiguredObject:
    """One object of edge.toml as JSON; it is read-only over the API. `place` is "edge.toml:12"."""

    kind: ObjectKind
    id: str
    value: Mapping[str, JSON] = field(repr=False)
    place: str = ""


def worker_tag(name: str) -> str:
    """A worker's tag, which destinations name; it stays the same as long as the worker's name does."""
    return hashlib.sha256(f"worker\0{name}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class AccessConfig(ProductConfig):
    """Access as edge.toml has it. `issuer` is the team domain's URL, without a slash at its end, or "" where it follows
    from the sockets; `organization` has the API's members. The objects were parsed once, so each of them is good.
    """

    team: str
    issuer: str
    organization: Mapping[str, JSON] = field(default_factory=dict)
    objects: tuple[ConfiguredObject, ...] = ()
    identities: tuple[LocalIdentity, ...] = ()
    with_assets: bool = False  # ctx.access for workers with static assets, which production does not have
    local_login: bool = False  # anyone may log in as anyone, in `serve` too
    source: str = ""

    @property
    def auth_domain(self) -> str:
        return f"{self.team}{TEAM_SUFFIX}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The team domain, and where cloudflared fetches what a login gives it."""
        return (*self.team_hosts, TRANSFER_HOST)

    @property
    def team_hosts(self) -> tuple[str, ...]:
        """The team domain under its real name, and under one that every browser takes for this machine."""
        own = self.issuer.partition("://")[2].partition(":")[0]
        return tuple(dict.fromkeys(name for name in (own, self.auth_domain, f"{self.team}.localhost") if name))


def made_up_account() -> str:
    """The account's id where none is configured, as the REST API shows it."""
    return hashlib.sha256(b"account").hexdigest()[:32]


def access_config(config: Config) -> AccessConfig | None:
    """With the issuer that its tokens have on these sockets."""
    found = next((product for product in config.products if isinstance(product, AccessConfig)), None)
    if found is None or found.issuer:
        return found
    return replace(found, issuer=_local_issuer(found.team, config))


def _local_issuer(team: str, config: Config) -> str:
    """The team domain under the name that every browser takes for this machine."""
    scheme, socket = ("http", config.edge_socket) if config.https_socket is None else ("https", config.https_socket)
    port = "" if socket.port in (0, DEFAULT_PORTS[scheme]) else f":{socket.port}"
    return f"{scheme}://{team}.localhost{port}"
