"""What must happen exactly once: the service `edgeworker-atomic` of scripts/atomic, answered by `state.sqlite`."""

from typing import TYPE_CHECKING, Final

from edgeworker.bindings.atomic import wrangler
from edgeworker.bindings.atomic.binding import AtomicBinding
from edgeworker.bindings.kind import Resources, make_kind
from edgeworker.bindings.reserved import ATOMIC_SERVICE

if TYPE_CHECKING:
    from edgeworker.bindings.atomic.service import AtomicService
    from edgeworker.runtime.contract.javascript import EnvEntry


def _service(binding: AtomicBinding, resources: Resources) -> "AtomicService":
    from edgeworker.bindings.atomic.service import AtomicService

    return AtomicService(resources.atomic, resources.clock, space=binding.space)


def _python_view(binding: AtomicBinding, service: "AtomicService") -> object:
    from edgeworker.bindings.atomic.python_view import AtomicView

    return AtomicView(service, name=binding.name)


def _describe(binding: AtomicBinding) -> tuple[str, str]:
    space = f", space {binding.space}" if binding.space else ""
    return "Worker", f"{ATOMIC_SERVICE} (here: state.sqlite{space})"


def _javascript_view(_binding: AtomicBinding, service: "AtomicService") -> "EnvEntry":
    from edgeworker.bindings.atomic.javascript_view import env_entry

    return env_entry(service)


KIND: Final = make_kind(
    AtomicBinding,
    read=wrangler.read_bindings,
    describe=_describe,
    annotate=lambda _binding: "Service",
    service=_service,
    python=_python_view,
    javascript=_javascript_view,
)
