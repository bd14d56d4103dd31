"""[zones.api_shield] of edge.toml.

Imports neither cryptography nor the Rules language: every edge reads its edge.toml with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgeworker.config import ProductConfig, Zone
from edgeworker.products.api_shield.config import ShieldConfig
from edgeworker.products.api_shield.written import (
    WrittenConfiguration,
    WrittenCustomRule,
    WrittenRateLimit,
    WrittenRule,
    WrittenTransform,
)
from edgeworker.schema import fields as schema
from edgeworker.schema.value_types import BOOLEAN, TEXTS
from edgeworker.schema.wrangler_checks import FieldContext


@dataclass(frozen=True, slots=True)
class ShieldTable(ProductConfig):
    """API Shield on a zone. The table alone switches it on: everything in it may also come over the API."""

    operations: tuple[str, ...] = schema.setting((), TEXTS, 'endpoints, as "GET api.example.com/users/{id}"')
    token_configurations: tuple[WrittenConfiguration, ...] = field(
        default=(), metadata=schema.tables(WrittenConfiguration, "issuers of tokens, up to 32")
    )
    rules: tuple[WrittenRule, ...] = field(
        default=(), metadata=schema.tables(WrittenRule, "the first that covers decides")
    )
    custom_rules: tuple[WrittenCustomRule, ...] = field(
        default=(), metadata=schema.tables(WrittenCustomRule, "on verified claims and all else of a request")
    )
    header_transforms: tuple[WrittenTransform, ...] = field(
        default=(), metadata=schema.tables(WrittenTransform, "claims as header fields")
    )
    rate_limits: tuple[WrittenRateLimit, ...] = field(
        default=(),
        metadata=schema.tables(WrittenRateLimit, "requests counted by client network, token, claim; 429 beyond"),
    )
    challenge: bool = schema.setting(False, BOOLEAN, "401 as RFC 6750 has it; Cloudflare blocks with 403")
    source: str = field(default="", metadata=schema.source())
    shield: ShieldConfig | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(one.jwks_file for one in self.token_configurations if one.jwks_file is not None)

    def check_table(self, context: FieldContext, written: Mapping[str, object]) -> None:
        from edgeworker.products.api_shield.table_checks import build_shield

        object.__setattr__(self, "shield", build_shield(self, context))


def shield_of(zone: Zone) -> ShieldConfig | None:
    """What the zone's configuration says of API Shield; None: it is not switched on there."""
    for product in zone.products:
        match product:
            case ShieldConfig():
                return product
            case ShieldTable(shield=ShieldConfig() as shield):
                return shield
            case _:
                pass
    return None
