"""A namespace of Durable Objects. Pure."""

from dataclasses import dataclass

from edgeworker.config import Binding


@dataclass(frozen=True, slots=True)
class DurableObjectBinding(Binding):
    """workerd has it by itself; for Python and in the embedded engine it is not emulated.

    `script` is the worker that exports the class, None for the worker itself.
    """

    class_name: str
    script: str | None
    uses_sqlite: bool
