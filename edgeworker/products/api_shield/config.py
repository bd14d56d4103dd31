"""What API Shield is configured with on one zone. Pure.

Objects written in edge.toml have a `source` ("edge.toml:12"); those made over the API have "". Times are RFC 3339.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from edgeworker.config import ProductConfig
from edgeworker.products.api_shield.operations import Operation
from edgeworker.products.api_shield.token_sources import TokenSource

if TYPE_CHECKING:
    from edgeworker.products.api_shield.keys import VerificationKeys

MAX_CONFIGURATIONS: Final = 32
MAX_TITLE_CHARACTERS: Final = 50
MAX_DESCRIPTION_CHARACTERS: Final = 500

Action = Literal["log", "block"]


@dataclass(frozen=True, slots=True)
class TokenConfiguration:
    """Where tokens of one issuer are on a request, and the keys that verify them. `require_exp` is ours: a token
    without `exp` then never counts. `keys_imported_at` is in epoch seconds, 0 where it is not known."""

    id: str
    title: str
    token_sources: tuple[TokenSource, ...]
    keys: "VerificationKeys"
    description: str = ""
    require_exp: bool = False
    created_at: str = ""
    last_updated: str = ""
    source: str = ""
    keys_imported_at: int = 0


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """Acts where its expression is FALSE, on operations whose host is one of `include_hosts` (None: on all) but for
    those of `excluded_operations` (ids). The first enabled rule of an operation is the only one that counts."""

    id: str
    title: str
    action: Action
    expression: str
    description: str = ""
    enabled: bool = True
    include_hosts: tuple[str, ...] | None = None
    excluded_operations: tuple[str, ...] = ()
    created_at: str = ""
    last_updated: str = ""
    modified_by: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class CustomRule:
    """Acts where its expression is TRUE, on every request of the zone."""

    id: str
    action: Action
    expression: str
    description: str = ""
    enabled: bool = True
    source: str = ""


@dataclass(frozen=True, slots=True)
class HeaderTransform:
    """Where `expression` is true ("" is always): `header` is deleted and, where `value` (an expression that is a text)
    is not missing, set to it."""

    id: str
    header: str
    value: str
    expression: str = ""
    description: str = ""
    enabled: bool = True
    source: str = ""


@dataclass(frozen=True, slots=True)
class RateLimitRule:
    """Requests where `expression` is true ("" is always) are counted by the values of `characteristics` (expressions).
    What is beyond `requests` in a period is blocked until `mitigation_seconds` have passed."""

    id: str
    requests: int
    period_seconds: int
    characteristics: tuple[str, ...]
    mitigation_seconds: int = 0
    expression: str = ""
    description: str = ""
    enabled: bool = True
    source: str = ""


@dataclass(frozen=True, slots=True)
class ShieldConfig(ProductConfig):
    """`challenge`: a blocked request gets a challenge of RFC 6750, which Cloudflare does not send."""

    operations: tuple[Operation, ...] = ()
    configurations: tuple[TokenConfiguration, ...] = ()
    rules: tuple[ValidationRule, ...] = ()
    custom_rules: tuple[CustomRule, ...] = ()
    header_transforms: tuple[HeaderTransform, ...] = ()
    rate_limits: tuple[RateLimitRule, ...] = ()
    challenge: bool = False
