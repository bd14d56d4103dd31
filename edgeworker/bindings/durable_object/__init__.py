"""Namespaces of Durable Objects: workerd's own, for JavaScript workers that run in it."""

from typing import TYPE_CHECKING, Final

from edgeworker.bindings.durable_object import wrangler
from edgeworker.bindings.durable_object.binding import DurableObjectBinding
from edgeworker.bindings.kind import make_kind

if TYPE_CHECKING:
    from edgeworker.runtime.contract.javascript import EnvEntry


def _describe(binding: DurableObjectBinding) -> tuple[str, str]:
    where = "" if binding.script is None else f" of {binding.script}"
    return wrangler.KIND_NAME, f"{binding.class_name}{where} (in workerd only, until a reload)"


def _python_view(binding: DurableObjectBinding, _service: None) -> object:
    from edgeworker.bindings.not_emulated_view import UnsupportedView

    return UnsupportedView(binding.name, wrangler.KIND_NAME)


def _javascript_view(binding: DurableObjectBinding, _service: None) -> "EnvEntry":
    from edgeworker.runtime.contract.javascript import EnvDurableObjects

    return EnvDurableObjects(binding.class_name, binding.script, binding.uses_sqlite)


KIND: Final = make_kind(
    DurableObjectBinding,
    fields=(wrangler.FIELD,),
    read=wrangler.read_bindings,
    describe=_describe,
    service=lambda _binding, _resources: None,
    python=_python_view,
    javascript=_javascript_view,
)
