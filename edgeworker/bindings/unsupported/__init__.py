"""Kinds of bindings that are known and not emulated: a script that does not use them runs."""

from typing import TYPE_CHECKING, Final

from edgeworker.bindings.kind import make_kind
from edgeworker.bindings.unsupported import wrangler
from edgeworker.bindings.unsupported.binding import UnsupportedBinding

if TYPE_CHECKING:
    from edgeworker.runtime.contract.javascript import EnvEntry


def _python_view(binding: UnsupportedBinding, _service: None) -> object:
    from edgeworker.bindings.not_emulated_view import UnsupportedView

    return UnsupportedView(binding.name, binding.kind)


def _javascript_view(binding: UnsupportedBinding, _service: None) -> "EnvEntry":
    from edgeworker.runtime.contract.javascript import EnvNotEmulated

    return EnvNotEmulated(binding.kind)


KIND: Final = make_kind(
    UnsupportedBinding,
    fields=wrangler.FIELDS,
    read=wrangler.read_bindings,
    describe=lambda binding: (binding.kind, "not emulated: using it raises an error"),
    service=lambda _binding, _resources: None,
    python=_python_view,
    javascript=_javascript_view,
)
