"""A binding to the worker's own assets. Pure."""

from dataclasses import dataclass

from edgeworker.config import Binding


@dataclass(frozen=True, slots=True)
class AssetsBinding(Binding):
    """`env.<name>` fetches the worker's own static assets."""
