"""A service binding's configuration. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgeworker.config import JSON, Binding


@dataclass(frozen=True, slots=True)
class ServiceBinding(Binding):
    """`env.<name>` is another worker of this edge; routes are not asked."""

    worker: str
    entrypoint: str | None = None
    props: Mapping[str, JSON] = field(default_factory=dict)
