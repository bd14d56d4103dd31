"""What is known and not emulated. Pure."""

from dataclasses import dataclass

from edgeworker.config import Binding


@dataclass(frozen=True, slots=True)
class UnsupportedBinding(Binding):
    """Using it raises an error that names `kind` ("R2 bucket")."""

    kind: str
