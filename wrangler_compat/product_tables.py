"""The tables of edge.toml that products have: one line registers one. Pure.

A dataclass in `edgeworker/products/<name>/config.py` says what is in the table (see edgeworker/schema/fields.py); it is
a subclass of ProductConfig, and its product finds it in Config.products or in Zone.products.
"""

from typing import Final

from edgeworker.products.access.edge_file import edge_file_keys, read_access
from edgeworker.products.api_shield.tables import ShieldTable
from edgeworker.schema.fields import Custom, ExtensionTable

# [<name>]: for the account.
ACCOUNT_TABLES: Final[tuple[ExtensionTable, ...]] = (
    ExtensionTable("access", Custom(read_access, edge_file_keys()), "Cloudflare Access: who may reach what"),
)
# [zones.<name>]: for one zone.
ZONE_TABLES: Final[tuple[ExtensionTable, ...]] = (
    ExtensionTable("api_shield", ShieldTable, "tokens are verified in front of the zone"),
)
