"""A KV binding's configuration. Pure."""

from dataclasses import dataclass

from edgeworker.config import Binding


@dataclass(frozen=True, slots=True)
class KVBinding(Binding):
    """`env.<name>` is the KV namespace with this id."""

    namespace_id: str
