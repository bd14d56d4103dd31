"""A binding to the service `edgeworker-atomic`. Pure."""

from dataclasses import dataclass

from edgeworker.config import Binding


@dataclass(frozen=True, slots=True)
class AtomicBinding(Binding):
    """`env.<name>` is the service of scripts/atomic. `space` keeps the keys of several applications apart."""

    space: str = ""
