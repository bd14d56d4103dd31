"""One edge: from a configuration to a chain of handlers that answers any URL."""

from edgeworker.edge.build import PersistentServices, build
from edgeworker.edge.chain import Edge

__all__ = ["Edge", "PersistentServices", "build"]
