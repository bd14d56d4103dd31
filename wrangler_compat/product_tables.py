"""The tables of edge.toml that products have: a line and what loads its shape register one. Pure.

A dataclass in `edgeworker/products/<name>/config.py` says what is in the table (see edgeworker/schema/fields.py); it is
a subclass of ProductConfig, and its product finds it in Config.products or in Zone.products. Nothing of a product is
imported before a file has its table.
"""

from typing import Final

from edgeworker.schema.fields import Custom, Deferred, ExtensionTable, Shape


def _access() -> Shape:
    from edgeworker.products.access.edge_file import edge_file_keys, read_access

    return Custom(read_access, edge_file_keys())


def _api_shield() -> Shape:
    from edgeworker.products.api_shield.tables import ShieldTable

    return ShieldTable


# [<name>]: for the account.
ACCOUNT_TABLES: Final = (ExtensionTable("access", Deferred(_access), "Cloudflare Access: who may reach what"),)
# [zones.<name>]: for one zone.
ZONE_TABLES: Final = (ExtensionTable("api_shield", Deferred(_api_shield), "tokens are verified in front of the zone"),)
