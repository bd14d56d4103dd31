"""Other workers of the same edge."""

from typing import TYPE_CHECKING, Final

from edgeworker.bindings.kind import Resources, make_kind
from edgeworker.bindings.service import wrangler
from edgeworker.bindings.service.binding import ServiceBinding
from edgeworker.errors import ScriptError

if TYPE_CHECKING:
    from edgeworker.bindings.service.service import EntrypointService
    from edgeworker.runtime.contract.javascript import EnvEntry
    from edgeworker.runtime.contract.worker import Worker


def _service(binding: ServiceBinding, resources: Resources) -> "EntrypointService":
    from edgeworker.bindings.service.service import EntrypointService

    def find_worker() -> "Worker":
        worker = resources.workers(binding.worker)
        if worker is None:
            raise ScriptError(
                f'Worker "{binding.worker}" not found, to which service binding {binding.name} points; it must be one '
                "of the workers that run in this edge"
            )
        return worker

    return EntrypointService(find_worker, entrypoint=binding.entrypoint, props=binding.props)


def _python_view(binding: ServiceBinding, service: "EntrypointService") -> object:
    from edgeworker.bindings.service.python_view import ServiceView

    return ServiceView(service, name=binding.name)


def _describe(binding: ServiceBinding) -> tuple[str, str]:
    return "Worker", binding.worker if binding.entrypoint is None else f"{binding.worker}#{binding.entrypoint}"


def _javascript_view(_binding: ServiceBinding, service: "EntrypointService") -> "EnvEntry":
    from edgeworker.runtime.contract.javascript import EnvService

    return EnvService(service)


KIND: Final = make_kind(
    ServiceBinding,
    fields=(wrangler.FIELD,),
    read=wrangler.read_bindings,
    describe=_describe,
    annotate=lambda _binding: "Service",
    service=_service,
    python=_python_view,
    javascript=_javascript_view,
)
