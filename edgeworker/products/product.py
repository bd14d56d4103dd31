"""The seam that a product stands in: what it is given, and what it gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from edgeworker.clock import Clock
from edgeworker.config import Config, Zone
from edgeworker.handler import Background, Handler
from edgeworker.routing import Resolver
from edgeworker.shared_counts import SharedCounts
from edgeworker.state import DocumentStore


@dataclass(frozen=True, slots=True)
class ProductServices:
    """What one product of one edge works with; nothing else reaches the outside.

    `documents` are the product's own and outlive the edge. `secrets` is a folder of its own that only its owner reads,
    or None: keep them in memory. `internet` fetches a URL from this edge if it serves the host, else through the
    outbound policy. `resolver` says which worker a URL runs. `counts` are those of all processes, and outlive the edge.
    """

    config: Config
    clock: Clock
    documents: DocumentStore
    secrets: Path | None
    background: Background
    internet: Handler
    resolver: Resolver
    counts: SharedCounts = field(default_factory=SharedCounts)


class OpenProduct(Protocol):
    """A product in one edge."""

    @property
    def hosts(self) -> Mapping[str, Handler]:
        """What answers the hosts that are the product's own, by canonical name: Access's team domain. Its
        configuration names them too (`ProductConfig.hosts`).
        """
        ...

    def wrap(self, then: Handler, zone: Zone | None) -> Handler:
        """The handler that stands in front of `then` on this zone, or on the hosts that belong to no zone.

        It gets requests with the client's `credentials`, without the header fields that only an edge may set. A
        StoreError that it raises becomes a 503 page: nothing passes while a product cannot decide.
        """
        ...


@runtime_checkable
class SigningProduct(Protocol):
    """A product that signs with keys that are rotated."""

    def signs_since(self) -> int | None:
        """Since when the present key signs, in epoch seconds; None while the keys were not read."""
        ...


@runtime_checkable
class VerifyingProduct(Protocol):
    """A product that verifies with keys that others sign with."""

    def key_imports(self) -> Mapping[tuple[str, str], int]:
        """When the keys of each set were imported, in epoch seconds, by zone and name of the set."""
        ...


class Product(Protocol):
    @property
    def name(self) -> str:
        """Also the space of its documents and the name of its folder for secrets."""
        ...

    def applies(self, zone: Zone | None, config: Config) -> bool:
        """Whether it stands in front of this zone; None: in front of the hosts that belong to no zone, such as those on
        workers.dev. Asked once, at start. Where it does not apply it costs nothing: the module of this class imports
        neither the product's handlers nor libraries.
        """
        ...

    def open(self, services: ProductServices) -> OpenProduct:
        """Called once for each edge, if it applies anywhere. Does no I/O: what `documents` hold is read at the first
        request, and again when `documents.version()` is another one.
        """
        ...
