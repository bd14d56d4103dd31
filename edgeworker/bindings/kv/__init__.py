"""KV namespaces. The service is `edgeworker.kv.namespace.KVNamespace`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from edgeworker.bindings.kind import Resources, make_kind
from edgeworker.bindings.kv import wrangler
from edgeworker.bindings.kv.binding import KVBinding

if TYPE_CHECKING:
    from edgeworker.kv.namespace import KVNamespace
    from edgeworker.rest.router import Endpoint
    from edgeworker.runtime.contract.javascript import EnvEntry


def _service(binding: KVBinding, resources: Resources) -> "KVNamespace":
    return resources.namespaces(binding.namespace_id)


def _python_view(binding: KVBinding, namespace: "KVNamespace") -> object:
    from edgeworker.bindings.kv.python_view import KVView

    return KVView(namespace, name=binding.name)


def _endpoints() -> "Sequence[Endpoint]":
    from edgeworker.bindings.kv.rest import ENDPOINTS

    return ENDPOINTS


def _javascript_view(_binding: KVBinding, namespace: "KVNamespace") -> "EnvEntry":
    from edgeworker.runtime.contract.javascript import EnvNamespace

    return EnvNamespace(namespace)


KIND: Final = make_kind(
    KVBinding,
    fields=(wrangler.FIELD,),
    read=wrangler.read_bindings,
    describe=lambda binding: ("KV Namespace", binding.namespace_id),
    annotate=lambda _binding: "KVNamespace",
    service=_service,
    python=_python_view,
    endpoints=_endpoints,
    javascript=_javascript_view,
)
