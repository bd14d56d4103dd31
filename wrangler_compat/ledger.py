"""Writes COMPATIBILITY.md: what is read and what it does here, from the tables that the code itself works with.

`python -m wrangler_compat.ledger` rewrites the file; a test fails if it would change.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker import features
from edgeworker.javascript import features as javascript_features
from edgeworker.products import features as product_features
from edgeworker.schema.describe import describe_keys
from edgeworker.schema.wrangler_field import SUPPORT, Field
from wrangler_compat.api.endpoints import ENDPOINTS
from wrangler_compat.edge_toml import REGISTRY, EdgeFile
from wrangler_compat.fields import FIELDS, LEGACY

FILE: Final = Path(__file__).with_name("COMPATIBILITY.md")

_HEAD: Final = """\
# Compatibility

Written by `poe ledger` from the tables in the code; changes by hand are lost.
"""


@dataclass(frozen=True, slots=True)
class LedgerTable:
    title: str
    text: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def tables() -> Iterator[LedgerTable]:
    """The sections, in order. A new one is one more `yield`."""
    levels = "; ".join(f"**{level}** {meaning}" for level, meaning in SUPPORT.items())
    yield LedgerTable(
        "wrangler.toml, wrangler.json, wrangler.jsonc",
        f"Every key of wrangler 4.164. {levels}.\n\n"
        "The syntax is wrangler's: TOML 1.1, or JSON with comments and last commas. Refused besides: text that is not "
        "UTF-8, days that a month does not have, a name that stands twice in an object, nesting over 100 levels.\n\n"
        "*inherited*: an environment that does not set it has the top level's; *own*: it has none then; "
        "*top level*: it is not read in an environment.",
        ("key", "here", "in environments", "note"),
        [(f"`{field.name}`", field.support, field.inheritance, field.note) for field in sorted(FIELDS, key=_by_name)],
    )
    yield LedgerTable(
        "Keys of older wranglers",
        "wrangler 4 warns about them and ignores them, or refuses them.",
        ("key", "here", "note"),
        [(f"`{legacy.name}`", legacy.support, legacy.note) for legacy in LEGACY],
    )
    yield LedgerTable(
        "edge.toml",
        "What Cloudflare's dashboard holds, and what is only local. An unknown key is an error.",
        ("table", "key", "must be", "note"),
        [
            (f"`{row.table}`" if row.table else "(top)", f"`{row.key}`", row.expected, row.note)
            for row in describe_keys(EdgeFile, REGISTRY)
        ],
    )
    yield LedgerTable(
        "Products in front of a zone",
        "; ".join(f"**{support}** {meaning}" for support, meaning in product_features.SUPPORT.items()) + ".",
        ("product", "what", "here", "note"),
        [
            (feature.where, ", ".join(feature.names), feature.support, feature.note)
            for feature in product_features.FEATURES
        ],
    )
    yield LedgerTable(
        "REST API",
        "Below `/client/v4`. Everything else answers 404.",
        ("method", "path", "note"),
        [(endpoint.method, f"`{endpoint.template}`", endpoint.note) for endpoint in ENDPOINTS],
    )
    yield LedgerTable(
        "Python scripts",
        "; ".join(f"**{support}** {meaning}" for support, meaning in features.SUPPORT.items()) + ".",
        ("where", "names", "here", "note"),
        [
            (feature.where, ", ".join(f"`{name}`" for name in feature.names), feature.support, feature.note)
            for feature in features.FEATURES
        ],
    )
    yield LedgerTable(
        "JavaScript scripts",
        "In the project's own workerd, or in the embedded engine; the words are those of the table above.",
        ("where", "names", "here", "note"),
        [
            (feature.where, ", ".join(f"`{name}`" for name in feature.names), feature.support, feature.note)
            for feature in javascript_features.FEATURES
        ],
    )


def _by_name(field: Field) -> str:
    return field.name.lstrip("$")


def render(sections: Iterable[LedgerTable]) -> str:
    """The whole file."""
    return "\n".join([_HEAD, *(_section(table) for table in sections)])


def _section(table: LedgerTable) -> str:
    lines = [
        f"## {table.title}",
        "",
        table.text,
        "",
        _row(table.columns),
        _row(["---"] * len(table.columns)),
        *(_row(row) for row in table.rows),
        "",
    ]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    FILE.write_text(render(tables()), "utf-8")
