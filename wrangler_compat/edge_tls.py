"""What edge.toml says about TLS with https origins. Pure. The files themselves are looked at when they are used."""

from collections.abc import Iterable, Mapping
from typing import Final

from edgeworker.config import OriginTLS
from edgeworker.schema.layout import lay_out
from edgeworker.schema.wrangler_checks import FieldContext

ORIGIN_KEYS: Final = tuple(lay_out(OriginTLS).names())


def check_origin_tls(context: FieldContext, written: Mapping[str, object], origins: Iterable[str | None]) -> None:
    """Tell what is wrong with the `origin_*` keys of one table, whose origins are `origins`."""
    found = [key for key in ORIGIN_KEYS if key in written]
    if found and not any((origin or "").lower().startswith("https:") for origin in origins):
        first = context.key(found[0])
        first.error(
            f'"{first.label}" is about TLS with an origin, but there is no https origin here: write '
            'origin = "https://...".'
        )
    if ("origin_client_cert" in written) != ("origin_client_key" in written):
        context.error('"origin_client_cert" and "origin_client_key" go together: give both or none.')
