"""What edge.toml says about TLS: how https sockets are served, and how https origins are spoken with. Pure.

Paths start at the folder of edge.toml. The files themselves are looked at when they are used.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

from edgeworker.config import TLS, Certificate, OriginTLS
from edgeworker.schema.diagnostics import KeyPath, dotted

_CLIENT_AUTH: Final[Mapping[object, Literal["request", "require"]]] = {"request": "request", "require": "require"}
ORIGIN_KEYS: Final = ("origin_ca", "origin_verify", "origin_client_cert", "origin_client_key", "origin_server_name")

Tables = Iterable[tuple[KeyPath, str, Mapping[str, object]]]  # where, the same for messages, and the values


def read_tls(values: Mapping[str, object], certificates: Tables, folder: Path) -> TLS:
    """`values` are those of `[tls]`, `certificates` those of each of `[[tls.certificates]]`."""
    return TLS(
        certificates=tuple(_certificates(certificates, folder)),
        min_version="1.3" if values.get("min_version") == "1.3" else "1.2",
        client_auth=_CLIENT_AUTH.get(values.get("client_auth"), "none"),
        client_ca=_path(values, "client_ca", folder),
    )


def tls_faults(values: Mapping[str, object]) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong with `[tls]` as a whole."""
    if values.get("client_auth") in _CLIENT_AUTH and "client_ca" not in values:
        yield (
            ("tls", "client_auth"),
            '"tls.client_auth" needs "tls.client_ca": the PEM certificates of the authorities that sign the clients\'.',
        )


def read_origin_tls(values: Mapping[str, object], folder: Path) -> OriginTLS:
    """`values` are those of a zone, or of the top of the file."""
    name = values.get("origin_server_name")
    return OriginTLS(
        ca_file=_path(values, "origin_ca", folder),
        verify=values.get("origin_verify") is not False,
        client_cert=_path(values, "origin_client_cert", folder),
        client_key=_path(values, "origin_client_key", folder),
        server_name=name.lower() if isinstance(name, str) else None,
    )


def origin_faults(
    values: Mapping[str, object], where: KeyPath, origins: Iterable[object]
) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong with the `origin_*` keys of one table, whose origins are `origins`."""
    written = [key for key in ORIGIN_KEYS if key in values]
    if written and not any(str(origin).lower().startswith("https:") for origin in origins):
        yield (
            (*where, written[0]),
            f'"{dotted((*where, written[0]))}" is about TLS with an origin, but there is no https origin here: write '
            'origin = "https://...".',
        )
    if ("origin_client_cert" in values) != ("origin_client_key" in values):
        yield where, '"origin_client_cert" and "origin_client_key" go together: give both or none.'


def _certificates(tables: Tables, folder: Path) -> Iterator[Certificate]:
    for _, source, values in tables:
        cert, key, hosts = _path(values, "cert", folder), _path(values, "key", folder), values.get("hosts")
        if cert is not None and key is not None:
            names = tuple(str(host).lower() for host in hosts) if isinstance(hosts, list) else ()
            yield Certificate(cert, key, names, source)


def _path(values: Mapping[str, object], name: str, folder: Path) -> Path | None:
    value = values.get(name)
    return folder / value if isinstance(value, str) else None
