"""COMPATIBILITY.md is what the tables say."""

from edgeworker.features import FEATURES
from edgeworker.javascript.features import FEATURES as JAVASCRIPT_FEATURES
from edgeworker.products.features import FEATURES as PRODUCT_FEATURES
from edgeworker.schema.describe import describe_keys
from wrangler_compat.api.endpoints import ENDPOINTS
from wrangler_compat.edge_toml import REGISTRY, EdgeFile
from wrangler_compat.fields import FIELDS, LEGACY
from wrangler_compat.ledger import FILE, LedgerTable, render, tables


def test_the_ledger_in_the_tree_is_what_the_tables_say() -> None:
    assert FILE.read_text("utf-8") == render(tables()), "run `poe ledger`"


def test_every_row_of_every_table_is_in_the_ledger() -> None:
    counts = [len(table.rows) for table in tables()]

    assert counts == [
        len(FIELDS),
        len(LEGACY),
        len(list(describe_keys(EdgeFile, REGISTRY))),
        len(PRODUCT_FEATURES),
        len(ENDPOINTS),
        len(FEATURES),
        len(JAVASCRIPT_FEATURES),
    ]


def test_a_bar_in_a_cell_does_not_end_the_cell() -> None:
    assert "| a\\|b | c |" in render([LedgerTable("t", "", ("x", "y"), [("a|b", "c")])])
