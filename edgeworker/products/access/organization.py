"""The organization's settings, of edge.toml and of the API together. Pure."""

from collections.abc import Mapping
from typing import Final

from edgeworker.config import JSON
from edgeworker.products.access.config import (
    DEFAULT_ROTATION_DAYS,
    DEFAULT_SESSION_SECONDS,
    MONTH_SECONDS,
    AccessConfig,
    Organization,
)
from edgeworker.products.access.json_object import JSONObject

_MIN_SESSION_SECONDS: Final = 15 * 60
# https://developers.cloudflare.com/api/: 21 to 365 days.
_MIN_ROTATION_DAYS: Final = 21
_MAX_ROTATION_DAYS: Final = 365


def parse_organization(config: AccessConfig, changes: Mapping[str, JSON], path: str = "") -> Organization:
    """`changes` were made over the API; what edge.toml says wins. Raises InvalidObject."""
    values = JSONObject({**changes, **config.organization}, path)
    return Organization(
        auth_domain=config.auth_domain,
        issuer=config.issuer,
        name=values.text("name", config.team),
        session_seconds=values.seconds(
            "session_duration", DEFAULT_SESSION_SECONDS, least=_MIN_SESSION_SECONDS, most=MONTH_SECONDS
        )
        or DEFAULT_SESSION_SECONDS,
        auto_redirect_to_identity=values.boolean("auto_redirect_to_identity", False),
        strict_service_tokens=values.boolean("strict_service_token_auth", False),
        deny_unmatched=values.boolean("deny_unmatched_requests", False),
        deny_unmatched_exempted=values.texts("deny_unmatched_requests_exempted_zone_names"),
        key_rotation_days=values.whole(
            "key_rotation_interval_days", DEFAULT_ROTATION_DAYS, least=_MIN_ROTATION_DAYS, most=_MAX_ROTATION_DAYS
        ),
    )
