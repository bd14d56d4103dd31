"""The table [access] of edge.toml. Pure.

Objects are written as the API has them, rules in their short form if one likes: `include = [{ email = "a@b.c" }]`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from difflib import get_close_matches
from functools import partial
from typing import Final, TypeVar

from edgeworker.config import JSON
from edgeworker.messages import URL, InvalidURL
from edgeworker.products.access import objects
from edgeworker.products.access.config import (
    TEAM_SUFFIX,
    AccessConfig,
    ConfiguredObject,
    LocalIdentity,
    ObjectKind,
    Policy,
)
from edgeworker.products.access.json_object import InvalidObject, JSONObject
from edgeworker.products.access.lint import find_mistakes
from edgeworker.products.access.objects import hash_secret
from edgeworker.products.access.organization import parse_organization
from edgeworker.products.access.provider_objects import parse_identity_provider
from edgeworker.schema.wrangler_checks import FieldContext

T = TypeVar("T")

_TEAM: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_STEP: Final = re.compile(r"([^.\[\]]+)|\[([0-9]+)\]")

ORGANIZATION_KEYS: Final = (
    ("name", "a text", "what pages call the organization; default: the team's name"),
    ("session_duration", 'a duration such as "24h"', "how long a login lasts; 15 minutes to a month"),
    ("auto_redirect_to_identity", "true or false", "one external identity provider is gone to without a page"),
    ("strict_service_token_auth", "true or false", "service tokens get 401 or 403 and never a login"),
    ("deny_unmatched_requests", "true or false", "hosts without an application are blocked"),
    ("deny_unmatched_requests_exempted_zone_names", "an array of hosts", "but not these and what is below them"),
    ("key_rotation_interval_days", "a whole number", "21 to 365; default: 42"),
)
_OWN_KEYS: Final = (
    ("team", "a text", "required; the team domain is `<team>.cloudflareaccess.com`"),
    (
        "team_domain",
        "a host or a URL",
        "where the team domain is reached, and the issuer of tokens; default: `<team>.localhost` and the port",
    ),
    ("local_login", "true or false", "`serve` offers local identities too, as `dev` does: anyone can be anyone"),
    ("access_with_assets", "true or false", "`ctx.access` for workers with static assets, unlike production"),
)
_RULES: Final = 'rules of the API, such as `{ email = "a@b.c" }`, `{ everyone = {} }`, `{ ip = "10.0.0.0/8" }`'
_APP_KEYS: Final = (
    "id",
    "aud",
    "name",
    "domain",
    "type",
    "destinations",
    "self_hosted_domains",
    "policies",
    "session_duration",
    "allowed_idps",
    "auto_redirect_to_identity",
    "cors_headers",
    "options_preflight_bypass",
    "enable_binding_cookie",
    "http_only_cookie_attribute",
    "same_site_cookie_attribute",
    "path_cookie_attribute",
    "read_service_tokens_from_header",
    "service_auth_401_redirect",
    "eager_redirect_cookie_setting",
    "custom_deny_url",
    "custom_deny_message",
    "custom_non_identity_deny_url",
    "skip_interstitial",
    "app_launcher_visible",
    "oauth_configuration",
    "saas_app",
    "legacy_claims",
    "user_population",
)
_IDENTITY_KEYS: Final = ("email", "name", "groups", "claims", "amr", "country", "identity_provider")
_POLICY_KEYS: Final = ("id", "name", "decision", "include", "require", "exclude", "session_duration", "precedence")


@dataclass(frozen=True, slots=True)
class _ArrayOfTables:
    """One array of tables; `parse` raises InvalidObject, and gives what has an `id`."""

    name: str
    kind: ObjectKind
    keys: tuple[str, ...]
    parse: Callable[[JSON, str], str]
    note: str


_SECTIONS: Final = (
    _ArrayOfTables(
        "policies", "policy", _POLICY_KEYS, lambda value, path: objects.parse_policy(value, path).id, "reusable ones"
    ),
    _ArrayOfTables(
        "groups",
        "group",
        ("id", "name", "include", "require", "exclude", "is_default"),
        lambda value, path: objects.parse_group(value, path).id,
        f"rules under one name: {_RULES}",
    ),
    _ArrayOfTables(
        "lists",
        "list",
        ("id", "name", "emails", "networks"),
        lambda value, path: objects.parse_list(value, path).id,
        "what `email_list` and `ip_list` name",
    ),
    _ArrayOfTables(
        "identity_providers",
        "identity_provider",
        ("id", "name", "type", "config"),
        lambda value, path: parse_identity_provider(value, path).id,
        "`local` and `onetimepin` are there without being named",
    ),
    _ArrayOfTables(
        "service_tokens",
        "service_token",
        ("id", "name", "client_id", "client_secret", "secret_hash", "enabled"),
        lambda value, path: objects.parse_service_token(value, path).id,
        "a secret may be written as `secret_hash`, its SHA-256",
    ),
)


def edge_file_keys() -> list[tuple[str, str, str]]:
    """Rows for COMPATIBILITY.md: key, what it must be, note."""
    rows = [*_OWN_KEYS, *ORGANIZATION_KEYS]
    tables = "an array of tables"
    rows.append(("identities", tables, f"who can log in on the page: {', '.join(_IDENTITY_KEYS)}"))
    rows.append(("apps", tables, f"applications as the API has them: {', '.join(_APP_KEYS)}"))
    rows += [(section.name, tables, f"{', '.join(section.keys)}; {section.note}") for section in _SECTIONS]
    return rows


def read_access(context: FieldContext, value: object) -> AccessConfig | None:
    """Read the table. Each error is reported with its line; None if there was one."""
    if not isinstance(value, dict):
        context.error(f'"{context.label}" must be a table: write [access].')
        return None
    return _Reader(context).read(value)


class _Reader:
    def __init__(self, context: FieldContext) -> None:
        self._context = context
        self._failed = False
        self._paths: dict[str, str] = {}  # of objects, by id

    def read(self, values: Mapping[str, object]) -> AccessConfig | None:
        table = {name: _to_json(item) for name, item in values.items()}
        arrays = {"apps", "identities", *(section.name for section in _SECTIONS)}
        settings = {name for name, _, _ in ORGANIZATION_KEYS}
        self._refuse_unknown("", table, (*arrays, *settings, *(name for name, _, _ in _OWN_KEYS)))
        team = table.get("team")
        if not isinstance(team, str) or not _TEAM.fullmatch(team):
            self._error("team" if "team" in table else "", f'"{team or ""}" is not a team name; write team = "acme".')
            return None
        found: list[ConfiguredObject] = []
        for section in _SECTIONS:
            found += self._read_section(table, section)
        reusable = self._collect(lambda: _parse_policies(found)) or {}

        def parse_app(value: JSON, path: str) -> str:
            return objects.parse_application(value, path, policies=reusable).id

        found += self._read_section(table, _ArrayOfTables("apps", "app", _APP_KEYS, parse_app, ""))
        config = AccessConfig(
            team=team,
            issuer=self._read_issuer(table),
            organization={name: item for name, item in table.items() if name in settings},
            objects=tuple(found),
            identities=tuple(self._read_identities(table)),
            with_assets=table.get("access_with_assets") is True,
            local_login=table.get("local_login") is True,
            source=str(self._context.document.locate(self._context.where)),
        )
        self._collect(lambda: parse_organization(config, {}))
        if self._failed:
            return None
        for mistake in find_mistakes(config):
            self._at(self._paths.get(mistake.object_id, "")).warning(mistake.text)
        return config

    def _read_section(self, table: Mapping[str, JSON], section: _ArrayOfTables) -> Iterator[ConfiguredObject]:
        seen: dict[str, str] = {}
        for item, path in self._items(table, section.name):
            if isinstance(item, dict):
                self._refuse_unknown(path, item, section.keys)
            identifier = self._collect(partial(section.parse, item, path))
            if identifier is None or not isinstance(item, dict):
                continue
            if identifier in seen:
                self._error(path, f'"{path}" has the id or the name of "{seen[identifier]}": give it another one.')
            seen[identifier] = path
            self._paths[identifier] = path
            value = dict(item)
            if section.kind == "service_token" and isinstance(secret := value.pop("client_secret", None), str):
                value["secret_hash"] = hash_secret(secret)
            place = str(self._at(path).document.locate(self._at(path).where))
            yield ConfiguredObject(section.kind, identifier, value, place)

    def _read_identities(self, table: Mapping[str, JSON]) -> Iterator[LocalIdentity]:
        for item, path in self._items(table, "identities"):
            if isinstance(item, dict):
                self._refuse_unknown(path, item, _IDENTITY_KEYS)
            identity = self._collect(partial(objects.parse_local_identity, item, path))
            if identity is not None:
                yield identity

    def _read_issuer(self, table: Mapping[str, JSON]) -> str:
        """ "" where nothing is written: then it follows from the sockets."""
        text = table.get("team_domain")
        if text is None:
            return ""
        if isinstance(text, str):
            try:
                url = URL.parse(text if "://" in text else f"https://{text}")
            except InvalidURL:
                url = None
            if url is not None and url.target == "/":
                return url.origin
        example = f'"acme{TEAM_SUFFIX}" or "http://acme.localhost:8787"'
        self._error("team_domain", f"{JSONObject.text_of(text)} is not a host or the URL of one; write {example}.")
        return ""

    def _items(self, table: Mapping[str, JSON], name: str) -> list[tuple[JSON, str]]:
        return self._collect(lambda: list(JSONObject(table).items(name))) or []

    def _collect(self, work: Callable[[], T]) -> T | None:
        try:
            return work()
        except InvalidObject as error:
            where = f'"access.{error.path}":' if error.path else '"access"'
            self._error(error.path, f"{where} {error.text}.")
            return None

    def _refuse_unknown(self, path: str, values: Mapping[str, JSON], known: tuple[str, ...]) -> None:
        for name in values:
            if name not in known:
                at = f"{path}.{name}" if path else name
                close = get_close_matches(name, known, n=1)
                guess = f'Did you mean "{close[0]}"?' if close else f"There are: {', '.join(sorted(known))}."
                self._error(at, f'"access.{at}" is not a key of edge.toml. {guess}')

    def _error(self, path: str, text: str) -> None:
        self._failed = True
        self._at(path).error(text)

    def _at(self, path: str) -> FieldContext:
        context = self._context
        for name, index in _STEP.findall(path):
            context = context.item(int(index)) if index else context.key(name)
        return context


def _parse_policies(found: list[ConfiguredObject]) -> dict[str, Policy]:
    policies = [objects.parse_policy(dict(item.value)) for item in found if item.kind == "policy"]
    return {policy.name: policy for policy in policies} | {policy.id: policy for policy in policies}


def _to_json(value: object) -> JSON:
    match value:
        case dict():
            return {str(name): _to_json(item) for name, item in value.items()}
        case list():
            return [_to_json(item) for item in value]
        case str() | int() | float() | bool():
            return value
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return None
