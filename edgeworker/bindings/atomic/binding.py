"""A binding to the service `edgeworker-atomic`. Pure."""

from dataclasses import dataclass
from typing import Final

from edgeworker.config import Binding

ATOMIC_SERVICE: Final = "edgeworker-atomic"  # the name that a service binding calls it by


@dataclass(frozen=True, slots=True)
class AtomicBinding(Binding):
    """`env.<name>` is the service of scripts/atomic. `space` keeps the keys of several applications apart."""

    space: str = ""
