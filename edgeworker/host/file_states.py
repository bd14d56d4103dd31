"""Tells whether a few files have changed, by asking for their state now and then.

Certificates are not watched as sources are: they are often links that are switched as a whole (certbot, Kubernetes), or
lie on what sends no events.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from edgeworker.config import Config, OriginTLS

LOOK_EVERY_SECONDS: Final = 2.0

States = tuple[tuple[int, int, int] | None, ...]


def states(files: Iterable[Path]) -> States:
    """Equal as long as each path leads to the same content; None stands for one that leads nowhere."""
    return tuple(_state(file) for file in files)


def origin_files(config: Config) -> tuple[Path, ...]:
    """What the TLS with origins and the internet is made of."""
    return tuple(dict.fromkeys(_origin_files(config)))


def _origin_files(config: Config) -> Iterator[Path]:
    if config.outbound.ca_file is not None:
        yield config.outbound.ca_file
    settings: Iterable[OriginTLS] = (config.origin_tls, *(zone.origin_tls for zone in config.zones))
    for one in settings:
        yield from (file for file in (one.ca_file, one.client_cert, one.client_key) if file is not None)


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
