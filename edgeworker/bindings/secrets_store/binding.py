"""A binding to a secret of the Secrets Store. Pure."""

from dataclasses import dataclass, field

from edgeworker.config import Binding


@dataclass(frozen=True, slots=True)
class StoredSecretBinding(Binding):
    """`await env.<name>.get()` is a secret of the Secrets Store. `text` None: it is not known here."""

    secret_name: str
    text: str | None = field(default=None, repr=False)
