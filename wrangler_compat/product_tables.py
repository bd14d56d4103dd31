"""The tables of edge.toml that products have: one line registers one. Pure.

A dataclass in `edgeworker/products/<name>/config.py` says what is in the table (see edgeworker/schema/fields.py); it is
a subclass of ProductConfig, and its product finds it in Config.products or in Zone.products.
"""

from typing import Final

from edgeworker.schema.fields import ExtensionTable

# [<name>]: for the account.
ACCOUNT_TABLES: Final[tuple[ExtensionTable, ...]] = ()
# [zones.<name>]: for one zone.
ZONE_TABLES: Final[tuple[ExtensionTable, ...]] = ()
