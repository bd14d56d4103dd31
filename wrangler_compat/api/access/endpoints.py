"""The rows of Cloudflare Access in the table of endpoints."""

from typing import Final

from edgeworker.rest.permissions import Need
from edgeworker.rest.router import Endpoint
from wrangler_compat.api.access import (
    applications,
    certificates,
    kept_objects,
    login_log,
    organization,
    rule_objects,
    service_tokens,
)

_READ: Final = Need.ACCESS_READ
_WRITE: Final = Need.ACCESS_EDIT
_FILTERS: Final = "filters: name, domain, aud, search, destination_type, worker_id"
_FILE: Final = "409 for what edge.toml has"


def _both(path: str) -> tuple[str, str]:
    """Applications and most of what belongs to them are the account's or a zone's; here they are the same."""
    return f"/accounts/{{account}}/access{path}", f"/zones/{{zone}}/access{path}"


def _make_scoped() -> tuple[Endpoint, ...]:
    rows: list[Endpoint] = []
    for apps, app, revoke, policies, policy, groups, group, tokens, token, providers, provider in zip(
        _both("/apps"),
        _both("/apps/{app}"),
        _both("/apps/{app}/revoke_tokens"),
        _both("/apps/{app}/policies"),
        _both("/apps/{app}/policies/{policy}"),
        _both("/groups"),
        _both("/groups/{group}"),
        _both("/service_tokens"),
        _both("/service_tokens/{token}"),
        _both("/identity_providers"),
        _both("/identity_providers/{provider}"),
        strict=True,
    ):
        rows += [
            Endpoint(
                "GET",
                apps,
                applications.list_apps,
                _READ,
                _FILTERS,
            ),
            Endpoint("POST", apps, applications.create_app, _WRITE, "self_hosted, saas (OIDC), end_user"),
            Endpoint("GET", app, applications.get_app, _READ),
            Endpoint("PUT", app, applications.update_app, _WRITE, _FILE),
            Endpoint("DELETE", app, applications.delete_app, _WRITE, _FILE),
            Endpoint("POST", revoke, applications.revoke_app_tokens, _WRITE),
            Endpoint("PUT", app + "/settings", applications.update_app_settings, _WRITE, _FILE),
            Endpoint("PATCH", app + "/settings", applications.update_app_settings, _WRITE, _FILE),
            Endpoint("GET", policies, applications.list_app_policies, _READ),
            Endpoint("POST", policies, applications.create_app_policy, _WRITE, _FILE),
            Endpoint("GET", policy, applications.get_app_policy, _READ),
            Endpoint("PUT", policy, applications.update_app_policy, _WRITE, _FILE),
            Endpoint("DELETE", policy, applications.delete_app_policy, _WRITE, _FILE),
            Endpoint("GET", groups, rule_objects.GROUPS.list_all, _READ),
            Endpoint("POST", groups, rule_objects.GROUPS.create, _WRITE),
            Endpoint("GET", group, rule_objects.GROUPS.get, _READ),
            Endpoint("PUT", group, rule_objects.GROUPS.update, _WRITE, _FILE),
            Endpoint("DELETE", group, rule_objects.GROUPS.delete, _WRITE, _FILE),
            Endpoint("GET", tokens, service_tokens.list_tokens, _READ),
            Endpoint("POST", tokens, service_tokens.create_token, _WRITE, "the secret is in this answer only"),
            Endpoint("GET", token, service_tokens.get_token, _READ),
            Endpoint("PUT", token, service_tokens.update_token, _WRITE, _FILE),
            Endpoint("DELETE", token, service_tokens.delete_token, _WRITE, _FILE),
            Endpoint("GET", providers, organization.list_providers, _READ, "secrets are not shown"),
            Endpoint("POST", providers, organization.create_provider, _WRITE),
            Endpoint("GET", provider, organization.get_provider, _READ),
            Endpoint("PUT", provider, organization.update_provider, _WRITE, _FILE),
            Endpoint("DELETE", provider, organization.delete_provider, _WRITE, _FILE),
        ]
    return tuple(rows)


_CLIENT_CA: Final = "409: tls.client_ca of edge.toml has them"


def _make_certificates(base: str) -> tuple[Endpoint, ...]:
    one = base + "/{certificate}"
    return (
        Endpoint("GET", base, certificates.list_certificates, _READ, "those of tls.client_ca"),
        Endpoint("POST", base, certificates.change_certificate, _WRITE, _CLIENT_CA),
        Endpoint("GET", one, certificates.get_certificate, _READ),
        Endpoint("PUT", one, certificates.change_certificate, _WRITE, _CLIENT_CA),
        Endpoint("DELETE", one, certificates.change_certificate, _WRITE, _CLIENT_CA),
    )


_BASE: Final = "/accounts/{account}/access"
_TAG: Final = _BASE + "/tags/{tag}"
_PAGE: Final = _BASE + "/custom_pages/{page}"
_BOOKMARK: Final = _BASE + "/bookmarks/{bookmark}"
_KEPT: Final = "kept; no page of the edge shows it"
_USER: Final = _BASE + "/users/{user}"
_TOKEN: Final = _BASE + "/service_tokens/{token}"

ACCESS_ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *_make_scoped(),
    *(row for base in _both("/certificates") for row in _make_certificates(base)),
    Endpoint("POST", _TOKEN + "/rotate", service_tokens.rotate_token, _WRITE, "previous_client_secret_expires_at"),
    Endpoint("POST", _TOKEN + "/refresh", service_tokens.refresh_token, _WRITE),
    Endpoint("GET", _BASE + "/policies", rule_objects.POLICIES.list_all, _READ),
    Endpoint("POST", _BASE + "/policies", rule_objects.POLICIES.create, _WRITE),
    Endpoint("GET", _BASE + "/policies/{policy}", rule_objects.POLICIES.get, _READ),
    Endpoint("PUT", _BASE + "/policies/{policy}", rule_objects.POLICIES.update, _WRITE, _FILE),
    Endpoint("DELETE", _BASE + "/policies/{policy}", rule_objects.delete_policy, _WRITE, _FILE),
    Endpoint("GET", _BASE + "/organizations", organization.get_organization, _READ),
    Endpoint("POST", _BASE + "/organizations", organization.create_organization, _WRITE, "409: edge.toml has it"),
    Endpoint("PUT", _BASE + "/organizations", organization.update_organization, _WRITE, _FILE),
    Endpoint("PATCH", _BASE + "/organizations", organization.update_organization, _WRITE, _FILE),
    Endpoint("POST", _BASE + "/organizations/revoke_user", organization.revoke_user, _WRITE),
    Endpoint("GET", _BASE + "/keys", organization.get_keys, _READ),
    Endpoint("PUT", _BASE + "/keys", organization.update_keys, _WRITE),
    Endpoint("POST", _BASE + "/keys/rotate", organization.rotate_keys, _WRITE),
    Endpoint("GET", _BASE + "/users", organization.list_users, _READ),
    Endpoint("POST", _BASE + "/users", organization.create_user, _WRITE, "known before the first login"),
    Endpoint("GET", _USER, organization.get_user, _READ),
    Endpoint("PUT", _USER, organization.update_user, _WRITE, "the name"),
    Endpoint("DELETE", _USER, organization.delete_user, _WRITE),
    Endpoint("GET", _USER + "/last_seen_identity", organization.last_seen_identity, _READ),
    Endpoint("GET", _USER + "/active_sessions", organization.active_sessions, _READ),
    Endpoint("GET", _USER + "/active_sessions/{nonce}", organization.active_session, _READ),
    Endpoint("GET", _USER + "/failed_logins", organization.failed_logins, _READ),
    Endpoint("GET", _BASE + "/logs/access_requests", login_log.list_logins, _READ, "logins of the last week"),
    Endpoint("GET", _BASE + "/tags", kept_objects.list_tags, _READ),
    Endpoint("POST", _BASE + "/tags", kept_objects.create_tag, _WRITE, _KEPT),
    Endpoint("GET", _TAG, kept_objects.get_tag, _READ),
    Endpoint("PUT", _TAG, kept_objects.update_tag, _WRITE),
    Endpoint("DELETE", _TAG, kept_objects.delete_tag, _WRITE),
    Endpoint("GET", _BASE + "/custom_pages", kept_objects.PAGES.list_all, _READ),
    Endpoint("POST", _BASE + "/custom_pages", kept_objects.PAGES.create, _WRITE, _KEPT),
    Endpoint("GET", _PAGE, kept_objects.PAGES.get, _READ),
    Endpoint("PUT", _PAGE, kept_objects.PAGES.update, _WRITE),
    Endpoint("DELETE", _PAGE, kept_objects.PAGES.delete, _WRITE),
    Endpoint("GET", _BASE + "/bookmarks", kept_objects.BOOKMARKS.list_all, _READ),
    Endpoint("POST", _BASE + "/bookmarks", kept_objects.BOOKMARKS.create, _WRITE, _KEPT),
    Endpoint("GET", _BOOKMARK, kept_objects.BOOKMARKS.get, _READ),
    Endpoint("PUT", _BOOKMARK, kept_objects.BOOKMARKS.update, _WRITE),
    Endpoint("DELETE", _BOOKMARK, kept_objects.BOOKMARKS.delete, _WRITE),
)
