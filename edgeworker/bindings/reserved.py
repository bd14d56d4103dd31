"""Names of services that are not workers of the edge. Pure."""

from typing import Final

ATOMIC_SERVICE: Final = "edgeworker-atomic"
